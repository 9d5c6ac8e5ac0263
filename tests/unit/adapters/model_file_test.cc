#include "adapters/model_file.h"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <thread>

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
  BOOST_TEST(written->bytes == std::filesystem::file_size(path));
  model.set_saved(*written);
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
  const auto written = write_model_file(path, second);
  BOOST_REQUIRE(written.ok());
  second.set_saved(*written);
  BOOST_TEST(read_model_file(path)->name() == second.name());
  BOOST_TEST(bytes_of(*read_model_file(path)) != bytes_of(first));
  BOOST_TEST(std::distance(std::filesystem::directory_iterator(scratch.path()), {}) == 1);
}

BOOST_AUTO_TEST_CASE(what_a_killed_writer_left_is_used_again_and_gone_then)
{
  const Scratch scratch;
  const auto path = scratch.path() + "/shop.model";
  std::ofstream(path + ".new") << std::string(100'000, 'x');
  auto model = model_of({"lamp desk"});
  BOOST_REQUIRE(write_model_file(path, model).ok());
  BOOST_TEST(bytes_of(*read_model_file(path)) == bytes_of(model));
  BOOST_TEST(std::distance(std::filesystem::directory_iterator(scratch.path()), {}) == 1);
}

BOOST_AUTO_TEST_CASE(of_many_who_write_at_once_one_whole_model_stays)
{
  const Scratch scratch;
  const auto path = scratch.path() + "/shop.model";
  std::vector<std::thread> writers;
  std::atomic<int> failed = 0;
  for (int i = 0; i < 8; ++i)
    writers.emplace_back([&, i] {
      const auto model = model_of({"lamp desk", "rug item" + std::to_string(i)});
      for (int round = 0; round < 5; ++round) failed += write_model_file(path, model).ok() ? 0 : 1;
    });
  for (auto& writer : writers) writer.join();
  BOOST_TEST(failed == 0);
  BOOST_TEST(read_model_file(path).ok());
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
