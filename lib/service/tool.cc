#include "service/tool.h"

#include <fcntl.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <iostream>
#include <map>
#include <set>

#include "service/config.h"
#include "service/log.h"
#include "service/mask.h"
#include "service/signals.h"
#include "service/suggestion.h"
#include "service/usage.h"

extern "C" {
// Read by jemalloc, where a program is linked with it, before main: the few threads that allocate need no more arenas, and what is free
// goes back to the system after a second. The variable MALLOC_CONF overrides it.
extern const char* malloc_conf;
const char* malloc_conf = "narenas:2,dirty_decay_ms:1000,muzzy_decay_ms:0";
}

namespace attune {

namespace {

// --- variables and their texts

template <class T>
std::vector<std::string> shown(const T& value)
{
  if constexpr (std::is_same_v<T, std::string>)
    return {value};
  else if constexpr (std::is_integral_v<T>)
    return {std::to_string(value)};
  else
    return {to_text(value)};
}

Status check_limits(const Option& option, std::int64_t number)
{
  if (!option.limits()) return {};
  const auto [least, most] = *option.limits();
  if (number >= least && number <= most) return {};
  return Error{Code::usage, "not from " + std::to_string(least) + " to " + std::to_string(most) + ": " + std::to_string(number)};
}

template <class T>
Status put_integer(const Option& option, const std::string& text, T& value)
{
  const auto number = parse_integer(text);
  if (!number) return number.error();
  if (!std::in_range<T>(*number)) return Error{Code::usage, "out of range: " + text};
  value = static_cast<T>(*number);
  return check_limits(option, *number);
}

template <class T>
Status put_parsed(Result<T> parsed, T& value)
{
  if (!parsed) return parsed.error();
  value = *parsed;
  return {};
}

Status put(const Option& option, const std::string& text, int& value)
{
  return put_integer(option, text, value);
}

Status put(const Option& option, const std::string& text, std::int64_t& value)
{
  return put_integer(option, text, value);
}

Status put(const Option& option, const std::string& text, std::size_t& value)
{
  return put_integer(option, text, value);
}

Status put(const Option& option, const std::string& text, double& value)
{
  if (auto parsed = put_parsed(parse_number(text), value); !parsed || !option.limits()) return parsed;
  const auto [least, most] = *option.limits();
  if (value >= static_cast<double>(least) && value <= static_cast<double>(most)) return {};
  return Error{Code::usage, "not from " + std::to_string(least) + " to " + std::to_string(most) + ": " + text};
}

Status put(const Option&, const std::string& text, std::string& value)
{
  value = text;
  return {};
}

Status put(const Option&, const std::string& text, bool& value)
{
  return put_parsed(parse_truth(text), value);
}

Status put(const Option&, const std::string& text, Milliseconds& value)
{
  return put_parsed(parse_duration(text), value);
}

Status put(const Option&, const std::string& text, ByteSize& value)
{
  return put_parsed(parse_byte_size(text), value);
}

Status put(const Option&, const std::string& text, Rate& value)
{
  return put_parsed(parse_rate(text), value);
}

template <class T>
constexpr Binding::Kind kind_of()
{
  return std::is_arithmetic_v<T> ? Binding::Kind::number : Binding::Kind::text;
}

template <class T>
Binding bind_to(T& value)
{
  return {kind_of<T>(), false,
          [&value](const Option& option, const std::vector<std::string>& texts) { return put(option, texts.back(), value); },
          [&value] { return shown(value); }};
}

template <class T>
Binding bind_to(std::optional<T>& value)
{
  return {
      kind_of<T>(), false,
      [&value](const Option& option, const std::vector<std::string>& texts) { return put(option, texts.back(), value.emplace()); },
      [&value] { return value ? shown(*value) : std::vector<std::string>(); }};
}

Binding bind_to(bool& value)
{
  return {Binding::Kind::truth, false,
          [&value](const Option& option, const std::vector<std::string>& texts) { return put(option, texts.back(), value); },
          [&value]() -> std::vector<std::string> { return {value ? "true" : "false"}; }};
}

Binding bind_to(std::vector<std::string>& values)
{
  return {Binding::Kind::text, true,
          [&values](const Option&, const std::vector<std::string>& texts) {
            values = texts;
            return Status();
          },
          [&values] { return values; }};
}

// --- the command line, as texts

struct Given {
  std::map<std::string, std::vector<std::string>> flags; // by key
  std::vector<std::string> operands;
  Command* chosen = nullptr;
};

// CLI11 gives a positional words as long as it has fewer than it expects; it accepts fewer.
constexpr int kManyOperands = 1 << 29;

// Reads the command line with CLI11 as texts only: what beats what and how texts become values is decided here, where the environment wins
// over the file and every error has an exit status of ours (CLI11's order is the other way round, its statuses are above 100).
class CommandLine {
 public:
  CommandLine(const Tool& tool, std::deque<Command>& commands) : app_(tool.summary(), tool.name())
  {
    set_up(app_, tool.common(), false);
    set_up(app_, tool, commands.empty());
    // At most one: else an operand that happens to be a command's name would be taken for a second command.
    app_.require_subcommand(0, 1);
    for (auto& command : commands) {
      CLI::App* sub = app_.add_subcommand(command.name(), command.summary());
      set_up(*sub, command, true);
      sub->fallthrough();
      commands_.emplace_back(sub, &command);
    }
  }

  Result<Given> read(const std::vector<std::string>& arguments)
  {
    try {
      app_.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    } catch (const CLI::ArgumentMismatch& mismatch) {
      const std::string what = mismatch.what();
      return Error{Code::usage, what.substr(0, what.find(':')) + ": needs a value"};
    } catch (const CLI::ParseError& error) {
      return Error{Code::usage, error.what()};
    }
    if (auto known = refuse_unknown(); !known) return known.error();
    return gather();
  }

 private:
  void set_up(CLI::App& app, const Command& command, bool takes_operands)
  {
    app.set_help_flag();
    app.allow_extras();
    for (const auto& option : command.options()) {
      add(app, option.names(), option.key(), option.is_flag());
      if (option.is_secret()) add(app, option.flag() + "-file", option.key() + "-file", false);
    }
    if (!takes_operands) return;
    operands_.push_back(app.add_option("operands")->expected(kManyOperands, kManyOperands)->allow_extra_args(false));
    operands_.back()->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }

  void add(CLI::App& app, const std::string& names, const std::string& key, bool is_flag)
  {
    // allow_extra_args off: else CLI11 takes the next words too, and splits a value in brackets at its commas.
    CLI::Option* option = is_flag ? app.add_flag(names) : app.add_option(names)->expected(1)->allow_extra_args(false);
    option->multi_option_policy(is_flag ? CLI::MultiOptionPolicy::TakeLast : CLI::MultiOptionPolicy::TakeAll);
    options_.emplace_back(option, key);
    names_.push_back("--" + key);
  }

  [[nodiscard]] Status refuse_unknown() const
  {
    for (const auto& word : app_.remaining(true)) {
      if (word == "--") continue;
      if (word.starts_with('-')) {
        const std::string name = word.substr(0, word.find('='));
        return Error{Code::usage, "unknown option " + name + suggestion(name, names_)};
      }
      std::vector<std::string> commands;
      for (const auto& [sub, command] : commands_) commands.push_back(command->name());
      return Error{Code::usage, "unknown command " + word + suggestion(word, commands)};
    }
    return {};
  }

  [[nodiscard]] Given gather() const
  {
    Given given;
    for (const auto& [option, key] : options_)
      if (option->count() > 0) given.flags[key] = option->results();
    for (const CLI::Option* operands : operands_)
      given.operands.insert(given.operands.end(), operands->results().begin(), operands->results().end());
    for (const auto& [sub, command] : commands_)
      if (sub->parsed()) given.chosen = command;
    return given;
  }

  CLI::App app_;
  std::vector<std::pair<CLI::App*, Command*>> commands_;
  std::vector<std::pair<CLI::Option*, std::string>> options_;
  std::vector<CLI::Option*> operands_;
  std::vector<std::string> names_;
};

// --- which source wins

struct Source {
  std::vector<std::string> texts;
  std::string origin; // as --print-config names it
  std::string name; // as an error names it
  Code code; // of an error in it
};

std::vector<std::string> lines_of(const std::string& text)
{
  std::vector<std::string> lines;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (end > at) lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

class Sources {
 public:
  Sources(const Given& given, const ConfigValues& file) : given_(given), file_(file) {}

  // The strongest source last.
  [[nodiscard]] Result<std::vector<Source>> of(const Option& option) const
  {
    std::vector<Source> found;
    if (option.is_secret())
      if (auto added = add_credential(option, found); !added) return added.error();
    for (const auto look : {&Sources::in_file, &Sources::in_environment, &Sources::in_flags}) {
      if (option.is_secret())
        if (auto added = add_secret_file((this->*look)(option.key() + "-file", false), found); !added) return added.error();
      if (auto source = (this->*look)(option.key(), option.binding().repeatable)) found.push_back(std::move(*source));
    }
    return found;
  }

 private:
  [[nodiscard]] std::optional<Source> in_flags(const std::string& key, bool) const
  {
    const auto at = given_.flags.find(key);
    if (at == given_.flags.end()) return {};
    return Source{at->second, "flag", (key.size() == 1 ? "-" : "--") + key, Code::usage};
  }

  [[nodiscard]] std::optional<Source> in_environment(const std::string& key, bool repeatable) const
  {
    const std::string name = environment_name(key);
    const char* text = std::getenv(name.c_str());
    // An empty variable is how a shell or a unit file unsets one.
    if (text == nullptr || *text == '\0') return {};
    return Source{repeatable ? lines_of(text) : std::vector<std::string>{text}, "environment", name, Code::config};
  }

  [[nodiscard]] std::optional<Source> in_file(const std::string& key, bool) const
  {
    const auto at = file_.find(key);
    if (at == file_.end()) return {};
    return Source{at->second.texts, at->second.place, at->second.place + ": " + key, Code::config};
  }

  static Status add_secret_file(std::optional<Source> where, std::vector<Source>& found)
  {
    if (!where || where->texts.empty()) return {};
    const std::string path = where->texts.back();
    auto text = read_whole(path);
    if (!text) return Error{where->code, where->name + ": " + text.error().message};
    while (text->ends_with('\n') || text->ends_with('\r')) text->pop_back();
    found.push_back({{*text}, path, where->name, where->code});
    return {};
  }

  static Status add_credential(const Option& option, std::vector<Source>& found)
  {
    const char* directory = std::getenv("CREDENTIALS_DIRECTORY");
    if (directory == nullptr) return {};
    const std::string path = std::string(directory) + '/' + option.key();
    if (access(path.c_str(), F_OK) != 0) return {};
    return add_secret_file(Source{{path}, path, "CREDENTIALS_DIRECTORY", Code::config}, found);
  }

  const Given& given_;
  const ConfigValues& file_;
};

Status assign(Option& option, const Sources& sources)
{
  auto found = sources.of(option);
  if (!found) return found.error();
  if (found->empty()) return {};
  Source winner = found->back();
  if (option.is_joined()) {
    winner.texts.clear();
    for (const auto& source : *found) winner.texts.insert(winner.texts.end(), source.texts.begin(), source.texts.end());
  }
  const bool one = !option.binding().repeatable;
  if (one && winner.texts.empty()) return Error{winner.code, winner.name + ": needs a value"};
  if (one && winner.texts.size() > 1 && winner.code == Code::config) return Error{winner.code, winner.name + ": takes one value"};
  if (auto set = option.assign(winner.texts, winner.origin); !set)
    return Error{winner.code, mask_secrets(winner.name + ": " + set.error().message)};
  return {};
}

Status assign_operands(const Command& command, const std::vector<std::string>& words)
{
  std::size_t used = 0;
  for (const auto& operand : command.operand_list()) {
    if (operand.required && used == words.size()) return Error{Code::usage, operand.placeholder + " is missing"};
    for (std::size_t taken = 0; used < words.size() && (operand.many || taken == 0); ++taken) operand.add(words[used++]);
  }
  if (used < words.size()) return Error{Code::usage, "one operand too many: " + words[used]};
  return {};
}

// A program started with a standard stream closed would write into the first file it opens.
void open_standard_streams()
{
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (fcntl(fd, F_GETFD) < 0) static_cast<void>(open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY));
}

} // namespace

// --- declarations

Command::Command(std::string name, std::string summary, std::string details, Body body)
    : name_(std::move(name)), summary_(std::move(summary)), details_(std::move(details)), body_(std::move(body))
{
}

Option* Command::find(const std::string& key)
{
  const auto at = std::find_if(options_.begin(), options_.end(), [&](const Option& option) { return option.key() == key; });
  return at == options_.end() ? nullptr : &*at;
}

Option& Command::add(std::string names, std::string placeholder, std::string help, Binding binding)
{
  Option option(std::move(names), std::move(placeholder), std::move(help), std::move(binding));
  ATTUNE_ASSERT(find(option.key()) == nullptr);
  return options_.emplace_back(std::move(option));
}

Option& Command::flag(std::string names, bool& value, std::string help)
{
  return add(std::move(names), "", std::move(help), bind_to(value));
}

Option& Command::option(std::string names, std::string& value, std::string placeholder, std::string help)
{
  return add(std::move(names), std::move(placeholder), std::move(help), bind_to(value));
}

Option& Command::option(std::string names, std::optional<std::string>& value, std::string placeholder, std::string help)
{
  return add(std::move(names), std::move(placeholder), std::move(help), bind_to(value));
}

Option& Command::option(std::string names, std::vector<std::string>& values, std::string placeholder, std::string help)
{
  return add(std::move(names), std::move(placeholder), std::move(help), bind_to(values));
}

Option& Command::option(std::string names, int& value, std::string placeholder, std::string help)
{
  return add(std::move(names), std::move(placeholder), std::move(help), bind_to(value));
}

Option& Command::option(std::string names, std::int64_t& value, std::string placeholder, std::string help)
{
  return add(std::move(names), std::move(placeholder), std::move(help), bind_to(value));
}

Option& Command::option(std::string names, std::size_t& value, std::string placeholder, std::string help)
{
  return add(std::move(names), std::move(placeholder), std::move(help), bind_to(value));
}

Option& Command::option(std::string names, std::optional<std::int64_t>& value, std::string placeholder, std::string help)
{
  return add(std::move(names), std::move(placeholder), std::move(help), bind_to(value));
}

Option& Command::option(std::string names, double& value, std::string placeholder, std::string help)
{
  return add(std::move(names), std::move(placeholder), std::move(help), bind_to(value));
}

Option& Command::option(std::string names, Milliseconds& value, std::string placeholder, std::string help)
{
  return add(std::move(names), std::move(placeholder), std::move(help), bind_to(value));
}

Option& Command::option(std::string names, std::optional<Milliseconds>& value, std::string placeholder, std::string help)
{
  return add(std::move(names), std::move(placeholder), std::move(help), bind_to(value));
}

Option& Command::option(std::string names, ByteSize& value, std::string placeholder, std::string help)
{
  return add(std::move(names), std::move(placeholder), std::move(help), bind_to(value));
}

Option& Command::option(std::string names, Rate& value, std::string placeholder, std::string help)
{
  return add(std::move(names), std::move(placeholder), std::move(help), bind_to(value));
}

Option& Command::parsed(std::string names, std::string placeholder, std::string help,
                        std::function<Status(const std::string&)> parse, std::optional<std::string> standing)
{
  auto shown_texts = std::make_shared<std::vector<std::string>>();
  if (standing) shown_texts->push_back(std::move(*standing));
  Binding binding;
  binding.repeatable = false;
  binding.set = [parse = std::move(parse), shown_texts](const Option&, const std::vector<std::string>& texts) -> Status {
    *shown_texts = {texts.back()};
    return parse(texts.back());
  };
  binding.show = [shown_texts] { return *shown_texts; };
  return add(std::move(names), std::move(placeholder), std::move(help), std::move(binding));
}

void Command::operand(std::string placeholder, std::string& value, std::string help)
{
  ATTUNE_ASSERT(operands_.empty() || operands_.back().required);
  operands_.push_back({std::move(placeholder), std::move(help), true, false, [&value](const std::string& text) { value = text; }});
}

void Command::operand(std::string placeholder, std::optional<std::string>& value, std::string help)
{
  ATTUNE_ASSERT(operands_.empty() || !operands_.back().many);
  operands_.push_back({std::move(placeholder), std::move(help), false, false, [&value](const std::string& text) { value = text; }});
}

void Command::operands(std::string placeholder, std::vector<std::string>& values, std::string help)
{
  ATTUNE_ASSERT(operands_.empty() || !operands_.back().many);
  operands_.push_back(
      {std::move(placeholder), std::move(help), false, true, [&values](const std::string& text) { values.push_back(text); }});
}

// --- the program

Tool::Tool(std::string name, std::string summary, std::string details)
    : Command(std::move(name), std::move(summary), std::move(details)), out_(STDOUT_FILENO, "stdout"), common_("", "", "")
{
  common_.option("--config", config_, "FILE", "read options from a TOML file");
  common_.flag("--print-config", print_config_, "print the configuration in effect and where each value came from, then exit");
  common_.flag("-q,--quiet", quiet_, "no progress and no warnings");
  common_.flag("--version", version_, "print the versions of the program and its libraries, then exit");
  common_.flag("-h,--help", help_, "print this text, then exit");
}

Command& Tool::command(std::string name, std::string summary, Body body, std::string details)
{
  return commands_.emplace_back(std::move(name), std::move(summary), std::move(details), std::move(body));
}

void Tool::uses(std::string library)
{
  libraries_.push_back(std::move(library));
}

std::string Tool::version_text() const
{
  std::string text = name() + " " ATTUNE_VERSION "\n";
  for (const auto& library : libraries_) text += library + '\n';
  return text;
}

void Tool::warn(const std::string& message) const
{
  log(LogLevel::warning, message);
}

std::vector<Option*> Tool::options_in_effect()
{
  std::vector<Option*> all;
  if (chosen_)
    for (auto& option : chosen_->options()) all.push_back(&option);
  for (auto& option : options()) all.push_back(&option);
  for (auto& option : common_.options()) all.push_back(&option);
  return all;
}

Result<std::optional<std::string>> Tool::parse(const std::vector<std::string>& arguments)
{
  auto given = CommandLine(*this, commands_).read(arguments);
  if (!given) return given.error();
  chosen_ = given->chosen;
  if (given->flags.contains("help")) return std::optional(help_text(*this));
  if (given->flags.contains("version")) return std::optional(version_text());
  if (!chosen_ && !commands_.empty()) return Error{Code::usage, "a command is missing"};

  const auto all = options_in_effect();
  const ConfigValues none;
  if (auto assigned = assign(*common_.find("config"), Sources(*given, none)); !assigned) return assigned.error();
  ConfigValues file;
  if (config_) {
    std::vector<std::string> keys;
    for (const Option* option : all) {
      keys.push_back(option->key());
      if (option->is_secret()) keys.push_back(option->key() + "-file");
    }
    auto values = read_config(*config_, name(), keys);
    if (!values) return values.error();
    file = std::move(*values);
  }
  const Sources sources(*given, file);
  for (Option* option : all)
    if (auto assigned = assign(*option, sources); !assigned) return assigned.error();
  if (print_config_) {
    std::vector<Option*> settings;
    for (Option* option : all)
      if (!std::set<std::string>{"config", "print-config", "version", "help"}.contains(option->key())) settings.push_back(option);
    return std::optional(config_text(name(), settings));
  }
  for (const Option* option : all)
    if (option->is_required() && !option->given()) return Error{Code::usage, option->flag() + " is missing"};
  if (auto assigned = assign_operands(chosen_ ? *chosen_ : *this, given->operands); !assigned) return assigned.error();
  return std::optional<std::string>();
}

Result<ExitStatus> Tool::run_parsed(const std::vector<std::string>& arguments, const Body& body)
{
  const auto text = parse(arguments);
  if (!text) return text.error();
  if (*text) {
    if (auto written = out_.write(**text); !written) return written.error();
    return ExitStatus::done;
  }
  if (quiet_) set_log({name(), LogLevel::error});
  watch_stop_signals();
  return chosen_ ? chosen_->body()() : body();
}

// A usage error says where help is; a stop that was asked for is no error.
ExitStatus Tool::report(const Error& error) const
{
  if (error.code == Code::stopped) return ExitStatus::done;
  log(LogLevel::error, error.message);
  if (error.code == Code::usage) {
    const std::string hint = "Try '" + name() + (chosen_ ? ' ' + chosen_->name() : "") + " --help'.\n";
    std::fputs(hint.c_str(), stderr);
  }
  return exit_status(error.code);
}

// What stands in buffers is not written: a full disk, found here, must not pass for success.
ExitStatus Tool::finish_output(ExitStatus status, const std::string& reported)
{
  auto flushed = out_.flush();
  errno = 0;
  std::cout.flush();
  if (flushed && (!std::cout || std::fflush(stdout) != 0 || std::ferror(stdout) != 0))
    flushed = Error{Code::io, std::string("stdout: ") + std::strerror(errno != 0 ? errno : EIO)};
  if (flushed) return status;
  if (flushed.error().message != reported) log(LogLevel::error, flushed.error().message);
  return status == ExitStatus::done ? ExitStatus::io : status;
}

int Tool::run(int argc, char** argv, const Body& body)
{
  open_standard_streams();
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  set_log({name(), LogLevel::info});
  Result<ExitStatus> result = ExitStatus::done;
  try {
    result = run_parsed({argv + std::min(argc, 1), argv + argc}, body);
  } catch (const std::exception& exception) {
    result = Error{Code::internal, exception.what()};
  }
  const ExitStatus status = result ? *result : report(result.error());
  return static_cast<int>(finish_output(status, result ? "" : result.error().message));
}

} // namespace attune
