#include "adapters/content_coding.h"

#include <rapidcheck/boost_test.h>

#include <boost/test/unit_test.hpp>
#include <string>

namespace attune {
namespace {

constexpr std::size_t kLimit = 1024 * 1024;

std::string encoded(ContentCoding coding, const std::string& text)
{
  std::string out;
  BOOST_REQUIRE(encode_content(coding, text, out));
  return out;
}

Decoded decoded(ContentCoding coding, std::string_view in, std::size_t limit = kLimit)
{
  std::string out;
  return decode_content(coding, in, limit, out);
}

} // namespace

BOOST_AUTO_TEST_SUITE(content_coding)

BOOST_AUTO_TEST_CASE(the_coding_of_the_highest_weight_is_chosen)
{
  const std::pair<const char*, ContentCoding> cases[] = {
      {"", ContentCoding::identity},
      {"gzip", ContentCoding::gzip},
      {"GZIP", ContentCoding::gzip},
      {"zstd", ContentCoding::zstd},
      {"gzip, deflate, br, zstd", ContentCoding::zstd},
      {"gzip, deflate, br", ContentCoding::gzip},
      {"zstd;q=0.5, gzip", ContentCoding::gzip},
      {"zstd;q=0.5, gzip;q=0.5", ContentCoding::zstd},
      {"zstd ; q=0.1 , gzip;q=0", ContentCoding::zstd},
      {"gzip;q=0", ContentCoding::identity},
      {"gzip;q=0.5, identity", ContentCoding::identity},
      {"*", ContentCoding::zstd},
      {"*, zstd;q=0", ContentCoding::gzip},
      {"*;q=0", ContentCoding::identity},
      {"gzip;q=2", ContentCoding::identity},
      {"gzip;q=x", ContentCoding::identity},
      {"gzip;q=1.0001", ContentCoding::identity},
      {"br", ContentCoding::identity},
      {",,;;q=,", ContentCoding::identity},
  };
  for (const auto& [text, coding] : cases) BOOST_TEST((choose_content_coding(text) == coding), text);
}

BOOST_AUTO_TEST_CASE(a_word_names_one_coding)
{
  BOOST_TEST((parse_content_coding(" x-gzip ") == ContentCoding::gzip));
  BOOST_TEST((parse_content_coding("Zstd") == ContentCoding::zstd));
  BOOST_TEST((parse_content_coding("") == ContentCoding::identity));
  BOOST_TEST(!parse_content_coding("br"));
  BOOST_TEST(!parse_content_coding("gzip, zstd"));
}

RC_BOOST_PROP(what_was_encoded_decodes_to_itself, ())
{
  const auto piece = *rc::gen::container<std::string>(rc::gen::arbitrary<char>());
  const auto times = *rc::gen::inRange(1, 3000);
  std::string text;
  for (int i = 0; i < times; ++i) text += piece + "x";
  for (const ContentCoding coding : {ContentCoding::gzip, ContentCoding::zstd}) {
    std::string small;
    std::string again;
    if (!encode_content(coding, text, small)) continue;
    RC_ASSERT(small.size() < text.size());
    RC_ASSERT(decode_content(coding, small, text.size(), again) == Decoded::done);
    RC_ASSERT(again == text);
    RC_ASSERT(decode_content(coding, small, text.size() - 1, again) == Decoded::too_large);
  }
}

RC_BOOST_PROP(bytes_that_are_no_coding_are_corrupt_or_too_large_and_never_more_than_the_limit, ())
{
  std::string bytes = *rc::gen::container<std::string>(rc::gen::arbitrary<char>());
  if (*rc::gen::arbitrary<bool>()) {
    // One that was good and is not any more.
    std::string good;
    if (!encode_content(ContentCoding::gzip, std::string(500, 'a') + bytes, good)) good.clear();
    if (!good.empty()) good[static_cast<std::size_t>(*rc::gen::inRange<int>(0, static_cast<int>(good.size())))] ^= 0x20;
    bytes = good;
  }
  std::string out;
  for (const ContentCoding coding : {ContentCoding::gzip, ContentCoding::zstd}) {
    if (decode_content(coding, bytes, 4096, out) == Decoded::done) RC_ASSERT(out.size() <= 4096U);
    RC_ASSERT(out.size() <= 4097U);
  }
}

BOOST_AUTO_TEST_CASE(several_members_are_one_body)
{
  const std::string a(2000, 'a');
  const std::string b(3000, 'b');
  for (const ContentCoding coding : {ContentCoding::gzip, ContentCoding::zstd}) {
    std::string out;
    BOOST_TEST((decode_content(coding, encoded(coding, a) + encoded(coding, b), kLimit, out) == Decoded::done));
    BOOST_TEST((out == a + b));
    BOOST_TEST((decoded(coding, encoded(coding, a) + encoded(coding, b), 4999) == Decoded::too_large));
  }
}

BOOST_AUTO_TEST_CASE(a_body_cut_short_or_with_a_tail_is_corrupt)
{
  for (const ContentCoding coding : {ContentCoding::gzip, ContentCoding::zstd}) {
    const std::string good = encoded(coding, std::string(5000, 'a') + "b");
    for (std::size_t size = 1; size < good.size(); ++size) {
      BOOST_TEST((decoded(coding, std::string_view(good).substr(0, size)) == Decoded::corrupt), to_string(coding)
                                                                                                    << " of " << size);
    }
    BOOST_TEST((decoded(coding, good + "tail") == Decoded::corrupt));
    BOOST_TEST((decoded(coding, "no such thing") == Decoded::corrupt));
  }
}

BOOST_AUTO_TEST_CASE(a_bomb_is_refused_and_takes_no_more_memory_than_the_limit)
{
  for (const ContentCoding coding : {ContentCoding::gzip, ContentCoding::zstd}) {
    const std::string bomb = encoded(coding, std::string(64 * 1024 * 1024, '\0'));
    BOOST_TEST(bomb.size() < 400'000U);
    std::string out;
    BOOST_TEST((decode_content(coding, bomb, kLimit, out) == Decoded::too_large));
    BOOST_TEST(out.capacity() <= 2 * kLimit + 64);
  }
}

BOOST_AUTO_TEST_CASE(what_does_not_get_smaller_is_not_encoded)
{
  std::string out;
  for (const ContentCoding coding : {ContentCoding::gzip, ContentCoding::zstd}) {
    BOOST_TEST(!encode_content(coding, "x", out));
    BOOST_TEST(!encode_content(coding, "", out));
  }
  BOOST_TEST(!encode_content(ContentCoding::identity, std::string(5000, 'a'), out));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace attune
