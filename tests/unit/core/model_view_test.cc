#include "core/model_view.h"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "support/events.h"

namespace attune {
namespace {

using namespace testing;

nlohmann::json view_of(const Model& model, const Catalog& catalog = {})
{
  std::string text;
  append_model_view(model, catalog, text);
  return nlohmann::json::parse(text);
}

void look(Model& model, int n, std::string_view item)
{
  model.learn(view("c" + std::to_string(n / 3), "e" + std::to_string(n), Timestamp{1'700'000'000'000 + n * 1000}, item));
}

} // namespace

BOOST_AUTO_TEST_SUITE(model_view)

BOOST_AUTO_TEST_CASE(a_model_without_clicks_has_nothing_on_top)
{
  const auto seen = view_of(Model());
  BOOST_TEST(seen["clicks"] == 0);
  BOOST_TEST(seen["top"].empty());
  BOOST_TEST(seen["rising"].empty());
  BOOST_TEST(seen["trust"].size() == 1U);
}

BOOST_AUTO_TEST_CASE(what_is_clicked_most_is_on_top_and_what_is_clicked_of_late_rises)
{
  Model model;
  int n = 0;
  for (int i = 0; i < 3000; ++i) look(model, n++, i % 3 == 0 ? "old" : "steady" + std::to_string(i % 4));
  for (int i = 0; i < 300; ++i) look(model, n++, i % 3 == 0 ? "new" : "steady" + std::to_string(i % 4));
  Catalog catalog;
  catalog.put(*parse_catalog_item(R"({"item":"new","name":"The new one"})"));
  const auto seen = view_of(model, catalog);
  BOOST_TEST(seen["top"][0]["item"] == "old");
  BOOST_TEST(seen["rising"][0]["item"] == "new");
  BOOST_TEST(seen["rising"][0]["name"] == "The new one");
  BOOST_TEST(seen["rising"][0]["times"].get<double>() > 2);
  for (const auto& each : seen["rising"]) BOOST_TEST((each["item"] != "old" && each["times"].get<double>() > 1));
  double trust = 0;
  for (const auto& [source, share] : seen["trust"][0]["sources"].items()) trust += share.get<double>();
  BOOST_TEST(trust > 0.98);
  BOOST_TEST(trust < 1.02);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace attune
