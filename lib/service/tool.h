// Tool: what any attune program is: its arguments, its configuration, its manners. A main declares options bound to variables and hands over
// a body:
//
//   int main(int argc, char** argv)
//   {
//     attune::Tool tool("attune-produce", "send events into a log", "Examples:\n  attune-produce --log file:///var/lib/attune < events.jsonl\n");
//     std::string log;
//     attune::Milliseconds wait{60'000};
//     std::vector<std::string> files;
//     tool.option("--log", log, "URL", "the log to write to").required();
//     tool.option("--give-up", wait, "TIME", "how long to retry");
//     tool.operands("FILE", files, "read these instead of standard input");
//     tool.uses("librdkafka " + kafka_library_version());
//     return tool.run(argc, argv, [&]() -> attune::Result<attune::ExitStatus> { … return attune::ExitStatus::done; });
//   }
//
// Sources: a flag beats the environment (ATTUNE_GIVE_UP), which beats the file of --config (TOML: `give-up = "30s"`; a table named after the
// program holds values for it alone and beats the plain keys). In the environment the values of a repeatable option stand one a line.
// Every program knows --config, --print-config, -q/--quiet, --version and -h/--help.
//
// Manners of run(): SIGINT and SIGTERM as in service/signals.h. A usage error is one line on stderr and "Try … --help", exit 64; a wrong
// environment or file is exit 78; an Error of the body is one line, exit by base/exit_status.h; an exception is exit 70. Standard output is
// flushed and checked at the end: a full disk is exit 74. SIGPIPE and SIGXFSZ are ignored, so that a peer that hangs up and a file over
// its limit (ulimit -f) are Errors; a reader of standard output that went away ends the program silently by that signal (service/lines.h).
//
// Thread rule: one Tool per process, used on the main thread. ERRORS: a wrong declaration (a name used twice) is a broken promise.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/exit_status.h"
#include "base/result.h"
#include "service/lines.h"
#include "service/option.h"
#include "service/quantity.h"

namespace attune {

using Body = std::function<Result<ExitStatus>()>;

// A set of options and operands: the program itself, or one of its commands (attune-profile get).
class Command {
 public:
  Command(std::string name, std::string summary, std::string details, Body body = {});
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  // `names` is "--long", "-s" or "-s,--long"; what the variable holds now is the default. Optional variables have none.
  Option& flag(std::string names, bool& value, std::string help);
  Option& option(std::string names, std::string& value, std::string placeholder, std::string help);
  Option& option(std::string names, std::optional<std::string>& value, std::string placeholder, std::string help);
  Option& option(std::string names, std::vector<std::string>& values, std::string placeholder, std::string help);
  Option& option(std::string names, int& value, std::string placeholder, std::string help);
  Option& option(std::string names, std::int64_t& value, std::string placeholder, std::string help);
  Option& option(std::string names, std::size_t& value, std::string placeholder, std::string help);
  Option& option(std::string names, std::optional<std::int64_t>& value, std::string placeholder, std::string help);
  Option& option(std::string names, double& value, std::string placeholder, std::string help);
  Option& option(std::string names, Milliseconds& value, std::string placeholder, std::string help);
  Option& option(std::string names, std::optional<Milliseconds>& value, std::string placeholder, std::string help);
  Option& option(std::string names, ByteSize& value, std::string placeholder, std::string help);
  Option& option(std::string names, Rate& value, std::string placeholder, std::string help);

  // A choice among words: option("--emit", emit, "WHAT", "…", {{"profiles", Emit::profiles}, {"none", Emit::none}}).
  template <class Choice>
  requires std::is_enum_v<Choice> Option& option(std::string names, Choice& value, std::string placeholder, std::string help,
                                                 std::vector<std::pair<std::string, Choice>> choices);

  // Any other type: `parse` is called once per value of the strongest source, in order. Its Error's message becomes the reason.
  // `standing` is the default as --help and --print-config show it.
  Option& parsed(std::string names, std::string placeholder, std::string help, std::function<Status(const std::string&)> parse,
                 std::optional<std::string> standing = {});

  // Operands, in the order declared: one that must be there, one that may, or any number (the last).
  void operand(std::string placeholder, std::string& value, std::string help);
  void operand(std::string placeholder, std::optional<std::string>& value, std::string help);
  void operands(std::string placeholder, std::vector<std::string>& values, std::string help);

  struct Operand {
    std::string placeholder;
    std::string help;
    bool required = false;
    bool many = false;
    std::function<void(const std::string&)> add;
  };

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& summary() const { return summary_; }
  [[nodiscard]] const std::string& details() const { return details_; }
  [[nodiscard]] const Body& body() const { return body_; }
  [[nodiscard]] std::deque<Option>& options() { return options_; }
  [[nodiscard]] const std::deque<Option>& options() const { return options_; }
  [[nodiscard]] const std::vector<Operand>& operand_list() const { return operands_; }
  [[nodiscard]] Option* find(const std::string& key);

 protected:
  Option& add(std::string names, std::string placeholder, std::string help, Binding binding);

 private:
  std::string name_;
  std::string summary_;
  std::string details_;
  Body body_;
  std::deque<Option> options_; // a deque: references to its elements stay good
  std::vector<Operand> operands_;
};

class Tool : public Command {
 public:
  // `details` is printed at the end of --help, after the options.
  Tool(std::string name, std::string summary, std::string details = {});

  // A command (`attune-profile get`), with options of its own beside the program's; `body` runs when it was chosen. A program that has
  // commands needs one of them.
  Command& command(std::string name, std::string summary, Body body, std::string details = {});

  // A library and its version, for --version.
  void uses(std::string library);

  // Parses, runs `body` (or that of the chosen command) and returns the exit status of the process.
  int run(int argc, char** argv, const Body& body = {});

  // The text of --help, --version or --print-config when one was asked for; nothing when the program should go on.
  // ERRORS: usage for the command line, config for the environment and the file.
  Result<std::optional<std::string>> parse(const std::vector<std::string>& arguments);

  // Standard output; run() flushes and checks it.
  [[nodiscard]] LineWriter& out() { return out_; }
  // Whether -q was given: no progress, no warnings.
  [[nodiscard]] bool quiet() const { return quiet_; }
  // One line on stderr: "attune-produce: MESSAGE". Not with -q. Any thread.
  void warn(const std::string& message) const;

  [[nodiscard]] const Command* chosen() const { return chosen_; }
  [[nodiscard]] const std::deque<Command>& commands() const { return commands_; }
  // The options every program knows.
  [[nodiscard]] const Command& common() const { return common_; }

 private:
  [[nodiscard]] std::string version_text() const;
  // Those of the chosen command, the program's and the common ones.
  std::vector<Option*> options_in_effect();
  Result<ExitStatus> run_parsed(const std::vector<std::string>& arguments, const Body& body);
  ExitStatus report(const Error& error) const;
  ExitStatus finish_output(ExitStatus status, const std::string& reported);

  LineWriter out_;
  Command common_;
  std::deque<Command> commands_;
  Command* chosen_ = nullptr;
  std::vector<std::string> libraries_;
  std::optional<std::string> config_;
  bool print_config_ = false;
  bool quiet_ = false;
  bool version_ = false;
  bool help_ = false;
};

template <class Choice>
requires std::is_enum_v<Choice> Option& Command::option(std::string names, Choice& value, std::string placeholder, std::string help,
                                                        std::vector<std::pair<std::string, Choice>> choices)
{
  std::vector<std::string> words;
  for (const auto& [word, choice] : choices) words.push_back(word);
  Binding binding;
  binding.set = [&value, choices](const Option&, const std::vector<std::string>& texts) -> Status {
    for (const auto& [word, choice] : choices)
      if (word == texts.back()) value = choice;
    return {};
  };
  binding.show = [&value, choices]() -> std::vector<std::string> {
    for (const auto& [word, choice] : choices)
      if (choice == value) return {word};
    return {};
  };
  return add(std::move(names), std::move(placeholder), std::move(help), std::move(binding)).choices(std::move(words));
}

} // namespace attune
