#include "service/tool.h"

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <iostream>
#include <stdexcept>

#include "unit/service/surroundings.h"

using namespace attune;
using attune::testing::Ended;
using attune::testing::Files;
using attune::testing::in_child;
using attune::testing::Variable;

namespace {

enum class Emit { profiles, none };

// A program with an option of each kind.
struct Sample {
  Tool tool{"attune-sample", "a sample", "Examples:\n  attune-sample x"};
  std::string log = "file:///default";
  std::optional<std::string> group;
  std::vector<std::string> settings;
  std::vector<std::string> topics;
  std::vector<std::string> files;
  bool until_end = false;
  int count = 5;
  Milliseconds wait{60'000};
  ByteSize size{65'536};
  Rate rate;
  Emit emit = Emit::profiles;
  std::string password;

  Sample()
  {
    tool.option("--log", log, "URL", "the log");
    tool.option("--group", group, "NAME", "the group");
    tool.option("-X", settings, "NAME=VALUE", "a setting").joined();
    tool.option("--topic", topics, "NAME", "a topic");
    tool.flag("--until-end", until_end, "stop at the end");
    tool.option("-n,--count", count, "N", "how many").range(1, 10);
    tool.option("--wait", wait, "TIME", "how long");
    tool.option("--size", size, "SIZE", "how big");
    tool.option("--rate", rate, "RATE", "how fast");
    tool.option("--emit", emit, "WHAT", "what to print", {{"profiles", Emit::profiles}, {"none", Emit::none}});
    tool.option("--password", password, "TEXT", "the password").secret();
    tool.operands("FILE", files, "inputs");
    tool.uses("libsample 1.2.3");
  }

  std::string error(const std::vector<std::string>& arguments, Code code)
  {
    const auto parsed = tool.parse(arguments);
    BOOST_REQUIRE(!parsed.ok());
    BOOST_TEST((parsed.error().code == code));
    return parsed.error().message;
  }
  void accept(const std::vector<std::string>& arguments)
  {
    const auto parsed = tool.parse(arguments);
    BOOST_REQUIRE_MESSAGE(parsed.ok(), (parsed.ok() ? "" : parsed.error().message));
    BOOST_TEST(!parsed->has_value());
  }
  std::string printed(const std::vector<std::string>& arguments)
  {
    const auto parsed = tool.parse(arguments);
    BOOST_REQUIRE_MESSAGE(parsed.ok(), (parsed.ok() ? "" : parsed.error().message));
    return parsed->value();
  }
};

Ended run(std::vector<std::string> words, const Body& body, const char* output = nullptr)
{
  return in_child(
      [&] {
        std::vector<char*> argv;
        for (auto& word : words) argv.push_back(word.data());
        Tool tool("attune-sample", "a sample");
        int count = 0;
        tool.option("--count", count, "N", "how many");
        return tool.run(static_cast<int>(argv.size()), argv.data(), body);
      },
      "", output);
}

bool contains(const std::string& text, const std::string& part)
{
  return text.find(part) != std::string::npos;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(tool_parse, Sample)

BOOST_AUTO_TEST_CASE(flags_reach_their_variables)
{
  accept({"--log", "kafka://a", "--group=g", "-X",     "a=1",  "-Xb=2",      "--until-end", "-n7", "--wait", "50ms", "--size",
          "1M",    "--rate",    "2k/s",      "--emit", "none", "--password", "p",           "one", "-",      "two"});
  BOOST_TEST(log == "kafka://a");
  BOOST_TEST(group.value() == "g");
  BOOST_TEST(settings == (std::vector<std::string>{"a=1", "b=2"}));
  BOOST_TEST(until_end);
  BOOST_TEST(count == 7);
  BOOST_TEST(wait.count() == 50);
  BOOST_TEST(size.bytes == 1u << 20);
  BOOST_TEST(rate.per_second == 2000);
  BOOST_TEST((emit == Emit::none));
  BOOST_TEST(password == "p");
  BOOST_TEST(files == (std::vector<std::string>{"one", "-", "two"}));
}

BOOST_AUTO_TEST_CASE(defaults_stay_without_a_source)
{
  accept({});
  BOOST_TEST(log == "file:///default");
  BOOST_TEST(!group.has_value());
  BOOST_TEST(count == 5);
  BOOST_TEST(!tool.find("log")->given());
}

BOOST_AUTO_TEST_CASE(values_that_look_like_something_else_are_taken_as_they_are)
{
  accept({"--log", "[a,b]", "--group", "", "-X", "[c,d]", "--topic", "-t", "--", "-x", "[e,f]", "--log"});
  BOOST_TEST(log == "[a,b]");
  BOOST_TEST(group.value() == "");
  BOOST_TEST(settings == std::vector<std::string>{"[c,d]"});
  BOOST_TEST(topics == std::vector<std::string>{"-t"});
  BOOST_TEST(files == (std::vector<std::string>{"-x", "[e,f]", "--log"}));
}

BOOST_AUTO_TEST_CASE(the_environment_beats_the_file_and_a_flag_beats_both)
{
  const Files scratch;
  const std::string config = scratch.write("a.toml", "count = 2\nlog = 'file'\ngroup = 'file'\n");
  const Variable count_variable("ATTUNE_COUNT", "3");
  const Variable log_variable("ATTUNE_LOG", "environment");
  accept({"--config", config, "--count", "4"});
  BOOST_TEST(count == 4);
  BOOST_TEST(log == "environment");
  BOOST_TEST(group.value() == "file");
  BOOST_TEST(tool.find("log")->origin() == "environment");
  BOOST_TEST(tool.find("group")->origin() == config + ":3");
}

BOOST_AUTO_TEST_CASE(the_last_of_two_flags_wins)
{
  accept({"--count", "4", "--count", "6"});
  BOOST_TEST(count == 6);
}

BOOST_AUTO_TEST_CASE(the_file_may_be_named_by_the_environment)
{
  const Files scratch;
  const Variable variable("ATTUNE_CONFIG", scratch.write("a.toml", "count = 2\n"));
  accept({});
  BOOST_TEST(count == 2);
}

BOOST_AUTO_TEST_CASE(a_joined_option_adds_up_its_sources_and_another_does_not)
{
  const Files scratch;
  const std::string config = scratch.write("a.toml", "X = ['a=1']\ntopic = ['t']\n[attune-sample]\n");
  const Variable settings_variable("ATTUNE_X", "b=2 3\nc=4");
  accept({"--config", config, "-X", "d=5", "--topic", "u"});
  BOOST_TEST(settings == (std::vector<std::string>{"a=1", "b=2 3", "c=4", "d=5"}));
  BOOST_TEST(topics == std::vector<std::string>{"u"});
}

BOOST_AUTO_TEST_CASE(an_empty_variable_is_not_set)
{
  const Variable variable("ATTUNE_COUNT", "");
  accept({});
  BOOST_TEST(count == 5);
}

BOOST_AUTO_TEST_CASE(a_wrong_value_is_named_with_its_source)
{
  const Files scratch;
  const std::string config = scratch.write("a.toml", "\ncount = 'x'\n");
  BOOST_TEST(error({"--rate", "x"}, Code::usage) == "--rate: not a rate (like 2000/s, 2k/s, max): x");
  BOOST_TEST(error({"-n", "11"}, Code::usage) == "--count: not from 1 to 10: 11");
  BOOST_TEST(error({"-n", "99999999999"}, Code::usage) == "--count: out of range: 99999999999");
  BOOST_TEST(error({"--emit", "x"}, Code::usage) == "--emit: not one of profiles, none: x");
  BOOST_TEST(error({"--config", config}, Code::config) == config + ":2: count: not a whole number: x");
  const Variable variable("ATTUNE_WAIT", "5");
  BOOST_TEST(Sample().error({}, Code::config) == "ATTUNE_WAIT: not a duration (like 50ms, 30s, 1h): 5");
}

BOOST_AUTO_TEST_CASE(an_unknown_option_is_refused_with_the_nearest)
{
  BOOST_TEST(error({"--grop", "x"}, Code::usage) == "unknown option --grop (did you mean --group?)");
  BOOST_TEST(error({"--grop=x"}, Code::usage) == "unknown option --grop (did you mean --group?)");
  BOOST_TEST(error({"-z"}, Code::usage) == "unknown option -z");
}

BOOST_AUTO_TEST_CASE(an_option_without_its_value_is_refused)
{
  BOOST_TEST(error({"--log"}, Code::usage) == "--log: needs a value");
}

BOOST_AUTO_TEST_CASE(a_required_option_must_come_from_some_source)
{
  tool.find("group")->required();
  BOOST_TEST(error({}, Code::usage) == "--group is missing");
  const Variable variable("ATTUNE_GROUP", "g");
  accept({});
}

BOOST_AUTO_TEST_CASE(a_secret_comes_from_a_file_of_any_source)
{
  const Files scratch;
  const std::string file = scratch.write("secret", "from a file\n");
  accept({"--password-file", file});
  BOOST_TEST(password == "from a file");
  accept({"--password-file", file, "--password", "flag"});
  BOOST_TEST(password == "flag");
  accept({"--config", scratch.write("a.toml", "password-file = '" + file + "'\n[attune-sample]\n")});
  BOOST_TEST(password == "from a file");
  const Variable variable("ATTUNE_PASSWORD_FILE", file);
  accept({});
  BOOST_TEST(password == "from a file");
  BOOST_TEST(error({"--password-file", "/none"}, Code::usage) == "--password-file: /none: No such file or directory");
}

BOOST_AUTO_TEST_CASE(a_secret_comes_from_the_credentials_directory_when_nothing_else_gives_it)
{
  const Files scratch;
  scratch.write("password", "credential\n");
  const Variable directory("CREDENTIALS_DIRECTORY", scratch.path(""));
  accept({});
  BOOST_TEST(password == "credential");
  const Variable variable("ATTUNE_PASSWORD", "environment");
  accept({});
  BOOST_TEST(password == "environment");
}

BOOST_AUTO_TEST_CASE(print_config_masks_secrets_and_names_origins)
{
  const Variable variable("ATTUNE_GROUP", "g");
  const std::string text =
      printed({"--print-config", "--log", "redis://u:hush@h", "-X", "sasl.password=hush", "--password", "hush", "--until-end"});
  BOOST_TEST(!contains(text, "hush"));
  BOOST_TEST(contains(text, "log = \"redis://u:***@h\"  # flag\n"));
  BOOST_TEST(contains(text, "X = [\"sasl.password=***\"]  # flag\n"));
  BOOST_TEST(contains(text, "password = \"***\"  # flag\n"));
  BOOST_TEST(contains(text, "group = \"g\"  # environment\n"));
  BOOST_TEST(contains(text, "until-end = true  # flag\n"));
  BOOST_TEST(contains(text, "count = 5  # default\n"));
}

BOOST_AUTO_TEST_CASE(what_print_config_prints_reads_back)
{
  const Files scratch;
  const std::string text =
      printed({"--print-config", "--log", "a\"\\\n\x01", "-n3", "--wait", "90s", "--rate", "2k", "-X", "a=b", "--emit", "none"});
  Sample again;
  again.accept({"--config", scratch.write("a.toml", "[attune-sample]\n" + text)});
  BOOST_TEST(again.log == "a\"\\\n\x01");
  BOOST_TEST(again.count == 3);
  BOOST_TEST(again.wait.count() == 90'000);
  BOOST_TEST(again.rate.per_second == 2000);
  BOOST_TEST(again.settings == std::vector<std::string>{"a=b"});
  BOOST_TEST((again.emit == Emit::none));
}

BOOST_AUTO_TEST_CASE(no_error_repeats_a_secret)
{
  tool.find("password")->choices({"a"});
  BOOST_TEST(error({"--password", "hush"}, Code::usage) == "--password: not one of a");
  BOOST_TEST(!contains(error({"--rate", "redis://u:hush@h"}, Code::usage), "hush"));
}

BOOST_AUTO_TEST_CASE(help_and_version_win_over_mistakes)
{
  BOOST_TEST(printed({"--version"}).ends_with("\nlibsample 1.2.3\n"));
  const std::string help = printed({"--count", "x", "--help"});
  BOOST_TEST(help.starts_with("attune-sample - a sample\n\nUsage: attune-sample [OPTION]... [FILE...]\n"));
  BOOST_TEST(contains(help, "\n  -n, --count N             how many (default: 5)\n"));
  BOOST_TEST(contains(help, "\n      --emit WHAT           what to print: profiles, none (default: profiles)\n"));
  BOOST_TEST(contains(help, "\n  -X NAME=VALUE             a setting\n"));
  BOOST_TEST(help.ends_with("Examples:\n  attune-sample x\n"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(tool_commands)

namespace {

struct WithCommands {
  Tool tool{"attune-sample", "a sample"};
  std::string store;
  std::string customer;
  std::optional<std::string> other;
  bool items = false;

  WithCommands()
  {
    tool.option("--store", store, "URL", "the store");
    auto& get = tool.command("get", "print one", [] { return ExitStatus::done; });
    get.flag("--items", items, "with items");
    get.operand("CUSTOMER", customer, "whose");
    get.operand("OTHER", other, "and another");
    tool.command("export", "print all", [] { return ExitStatus::done; });
  }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(a_command_takes_its_own_options_and_those_of_the_program, WithCommands)
{
  BOOST_TEST(tool.parse({"get", "--items", "--store", "memory:", "ana"}).ok());
  BOOST_TEST(tool.chosen()->name() == "get");
  BOOST_TEST(items);
  BOOST_TEST(store == "memory:");
  BOOST_TEST(customer == "ana");
}

BOOST_FIXTURE_TEST_CASE(an_operand_may_have_the_name_of_a_command, WithCommands)
{
  BOOST_TEST(tool.parse({"get", "export", "get"}).ok());
  BOOST_TEST(tool.chosen()->name() == "get");
  BOOST_TEST(customer == "export");
  BOOST_TEST(other.value() == "get");
}

BOOST_FIXTURE_TEST_CASE(a_wrong_or_missing_command_or_operand_is_refused, WithCommands)
{
  BOOST_TEST(tool.parse({}).error().message == "a command is missing");
  BOOST_TEST(tool.parse({"gte"}).error().message == "unknown command gte (did you mean get?)");
  BOOST_TEST(tool.parse({"get"}).error().message == "CUSTOMER is missing");
  BOOST_TEST(tool.parse({"get", "a", "b", "c"}).error().message == "one operand too many: c");
  BOOST_TEST(tool.parse({"export", "--items"}).error().message.starts_with("unknown option --items"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(tool_run)

BOOST_AUTO_TEST_CASE(the_status_of_the_body_is_that_of_the_process)
{
  BOOST_TEST(run({"x"}, [] { return ExitStatus::bad_data; }).status == 65);
}

BOOST_AUTO_TEST_CASE(an_error_is_one_line_and_the_status_of_its_code)
{
  const auto ended = run({"x"}, [] { return Error{Code::unreachable, "kafka://h: connect: refused"}; });
  BOOST_TEST(ended.status == 69);
  BOOST_TEST(ended.err == "attune-sample: kafka://h: connect: refused\n");
}

BOOST_AUTO_TEST_CASE(a_usage_error_says_where_help_is)
{
  const auto ended = run({"x", "--count", "x"}, [] { return ExitStatus::done; });
  BOOST_TEST(ended.status == 64);
  BOOST_TEST(ended.err == "attune-sample: --count: not a whole number: x\nTry 'attune-sample --help'.\n");
}

BOOST_AUTO_TEST_CASE(a_stop_that_was_asked_for_is_no_error)
{
  const auto ended = run({"x"}, [] { return Error{Code::stopped, "stopped"}; });
  BOOST_TEST(ended.status == 0);
  BOOST_TEST(ended.err == "");
}

BOOST_AUTO_TEST_CASE(an_exception_is_a_bug)
{
  const auto ended = run({"x"}, []() -> Result<ExitStatus> { throw std::runtime_error("oh"); });
  BOOST_TEST(ended.status == 70);
  BOOST_TEST(ended.err == "attune-sample: oh\n");
}

BOOST_AUTO_TEST_CASE(a_full_disk_at_the_last_flush_is_an_error)
{
  const auto stream = run(
      {"x"},
      [] {
        std::cout << "data\n";
        return ExitStatus::done;
      },
      "/dev/full");
  BOOST_TEST(stream.status == 74);
  BOOST_TEST(stream.err == "attune-sample: stdout: No space left on device\n");
  BOOST_TEST(run(
                 {"x", "--help"}, [] { return ExitStatus::done; }, "/dev/full")
                 .status == 74);
}

BOOST_AUTO_TEST_CASE(a_reader_that_went_away_ends_the_program_by_sigpipe)
{
  const auto ended = in_child([] {
    int ends[2];
    if (pipe(ends) != 0 || close(ends[0]) != 0 || dup2(ends[1], STDOUT_FILENO) < 0) return 1;
    Tool tool("attune-sample", "a sample");
    char name[] = "x";
    char* argv[] = {name, nullptr};
    return tool.run(1, argv, [&]() -> Result<ExitStatus> {
      if (auto written = tool.out().line("data"); !written) return written.error();
      return ExitStatus::done;
    });
  });
  BOOST_TEST(ended.signal == SIGPIPE);
  BOOST_TEST(ended.err == "");
}

BOOST_AUTO_TEST_SUITE_END()
