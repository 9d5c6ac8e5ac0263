#include "service/mask.h"

#include <rapidcheck.h>
#include <boost/test/unit_test.hpp>

using namespace attune;

BOOST_AUTO_TEST_SUITE(mask)

BOOST_AUTO_TEST_CASE(a_password_in_a_url_is_masked)
{
  BOOST_TEST(mask_secrets("redis://user:pass@host:6379/0") == "redis://user:***@host:6379/0");
  BOOST_TEST(mask_secrets("redis://:pass@host") == "redis://:***@host");
  BOOST_TEST(mask_secrets("rediss://u:p@ss/w?rd@host,other") == "rediss://u:***@host,other");
  BOOST_TEST(mask_secrets("redis://a:x@b: connect: refused, then redis://c:y@d") ==
             "redis://a:***@b: connect: refused, then redis://c:***@d");
}

BOOST_AUTO_TEST_CASE(a_url_without_a_password_stays)
{
  for (const char* text :
       {"redis://host:6379", "kafka://db1:9092,db2:9092", "file:///var/lib/attune", "redis://user@host", "a@b:c", ""})
    BOOST_TEST(mask_secrets(text) == text);
}

BOOST_AUTO_TEST_CASE(a_setting_whose_name_says_secret_is_masked)
{
  BOOST_TEST(mask_secrets("sasl.password=hush hush") == "sasl.password=***");
  BOOST_TEST(mask_secrets("-X: sasl.password=hush") == "-X: sasl.password=***");
  BOOST_TEST(mask_secrets("ssl.key.password=") == "ssl.key.password=***");
  BOOST_TEST(mask_secrets("SASL.PASSWORD=hush") == "SASL.PASSWORD=***");
  BOOST_TEST(mask_secrets("ssl.key.pem=-----BEGIN PRIVATE KEY----- hush") == "ssl.key.pem=***");
  BOOST_TEST(mask_secrets("sasl.oauthbearer.config=principal=me hush") == "sasl.oauthbearer.config=***");
  BOOST_TEST(mask_secrets("https://h/x?api_token=hush&n=5") == "https://h/x?api_token=***&n=5");
  BOOST_TEST(mask_secrets("linger.ms=5") == "linger.ms=5");
}

BOOST_AUTO_TEST_CASE(masking_twice_is_masking_once)
{
  BOOST_TEST(rc::check("idempotent", [] {
    const auto text = *rc::gen::container<std::string>(rc::gen::element('a', ':', '/', '@', '=', ' ', '&', 's'));
    const std::string once = mask_secrets("redis://" + text);
    RC_ASSERT(mask_secrets(once) == once);
  }));
}

BOOST_AUTO_TEST_SUITE_END()
