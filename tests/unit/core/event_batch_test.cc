#include "core/event_batch.h"

#include <rapidcheck/boost_test.h>

#include <boost/test/unit_test.hpp>

using namespace attune;

namespace {

std::vector<std::string> cut(std::string_view body)
{
  const auto texts = cut_batch(body);
  if (!texts) return {"refused: " + texts.error().text()};
  return {texts->begin(), texts->end()};
}

using Texts = std::vector<std::string>;

} // namespace

BOOST_AUTO_TEST_SUITE(event_batch)

BOOST_AUTO_TEST_CASE(one_object_an_array_and_lines_are_told_apart)
{
  BOOST_TEST(cut(R"( {"a":1} )") == Texts{R"({"a":1})"});
  BOOST_TEST(cut("{\n  \"a\": 1\n}\n") == Texts{"{\n  \"a\": 1\n}"});
  BOOST_TEST(cut(R"([{"a":1}, {"b":[{}]}])") == (Texts{R"({"a":1})", R"({"b":[{}]})"}));
  BOOST_TEST(cut("{\"a\":1}\n\n{\"b\":2}\r\n") == (Texts{R"({"a":1})", R"({"b":2})"}));
}

BOOST_AUTO_TEST_CASE(a_bad_line_leaves_the_others_be)
{
  BOOST_TEST(cut("{\"a\":1}\nnonsense\n{\"b\":2}") == (Texts{R"({"a":1})", "nonsense", R"({"b":2})"}));
}

BOOST_AUTO_TEST_CASE(what_is_no_batch_is_refused_as_a_whole)
{
  BOOST_TEST(cut("") == Texts{"refused: no event"});
  BOOST_TEST(cut("[]") == Texts{"refused: no event"});
  BOOST_TEST(cut("[1]") == Texts{"refused: [0]: not a JSON object"});
  BOOST_TEST(cut("[{}]]") == Texts{"refused: something follows the array"});
  BOOST_TEST(cut("[{}] x") == Texts{"refused: not JSON"});
  BOOST_TEST(cut("[{},").front().starts_with("refused"));
  std::string many;
  for (std::size_t i = 0; i <= kMaxBatchEvents; ++i) many += "{}\n";
  BOOST_TEST(cut(many) == Texts{"refused: over 10000 events"});
}

RC_BOOST_PROP(no_bytes_break_it_and_texts_lie_in_the_body, (const std::string& bytes))
{
  for (const auto& body : {bytes, "[" + bytes, "{" + bytes}) {
    const auto texts = cut_batch(body);
    if (!texts) continue;
    for (const auto text : *texts)
      RC_ASSERT((text.data() >= body.data() && text.data() + text.size() <= body.data() + body.size()));
  }
}

BOOST_AUTO_TEST_SUITE_END()
