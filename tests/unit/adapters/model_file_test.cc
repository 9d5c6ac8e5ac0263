#include "adapters/model_file.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>

#include "support/clicks.h"
#include "support/scratch.h"

using namespace attune;
using namespace attune::testing;

BOOST_AUTO_TEST_SUITE(model_file)

BOOST_AUTO_TEST_CASE(what_is_written_is_read)
{
  const Scratch scratch;
  auto model = model_of({"lamp desk", "rug lamp"});
  const auto path = scratch.path() + "/shop.model";
  const auto written = write_model_file(path, model);
  BOOST_REQUIRE(written.ok());
  BOOST_TEST(*written == std::filesystem::file_size(path));
  auto read = read_model_file(path);
  BOOST_REQUIRE(read.ok());
  BOOST_TEST(read->name() == model.name());
  BOOST_TEST(bytes_of(*read) == bytes_of(model));
}

BOOST_AUTO_TEST_CASE(a_file_is_replaced_as_a_whole_and_nothing_is_left_beside_it)
{
  const Scratch scratch;
  const auto path = scratch.path() + "/shop.model";
  auto first = model_of({"lamp desk"});
  auto second = model_of({"rug bed"});
  BOOST_REQUIRE(write_model_file(path, first).ok());
  BOOST_REQUIRE(write_model_file(path, second).ok());
  BOOST_TEST(read_model_file(path)->name() == second.name());
  BOOST_TEST(first.name() != second.name());
  BOOST_TEST(std::distance(std::filesystem::directory_iterator(scratch.path()), {}) == 1);
}

BOOST_AUTO_TEST_CASE(errors_name_the_file)
{
  const Scratch scratch;
  const auto missing = scratch.path() + "/none.model";
  BOOST_TEST(read_model_file(missing).error().message.starts_with(missing + ": "));
  BOOST_TEST((read_model_file(missing).error().code == Code::io));

  const auto text = scratch.path() + "/text.model";
  std::ofstream(text) << "hello";
  BOOST_TEST(read_model_file(text).error().message == text + ": not an attune model");
  BOOST_TEST((read_model_file(text).error().code == Code::bad_data));

  const auto nowhere = scratch.path() + "/no-such-directory/shop.model";
  Model model;
  BOOST_TEST(write_model_file(nowhere, model).error().message.find("no-such-directory") != std::string::npos);
  BOOST_TEST((read_model_file(scratch.path()).error().code == Code::io));
}

BOOST_AUTO_TEST_CASE(where_the_name_is_taken_by_a_directory_nothing_is_left_behind)
{
  const Scratch scratch;
  const auto path = scratch.path() + "/taken";
  std::filesystem::create_directory(path);
  Model model;
  BOOST_TEST(!write_model_file(path, model).ok());
  BOOST_TEST(std::distance(std::filesystem::directory_iterator(scratch.path()), {}) == 1);
}

BOOST_AUTO_TEST_SUITE_END()
