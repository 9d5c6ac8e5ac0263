// attune - the front of the family: `attune VERB ...` runs attune-VERB, found beside this program or in PATH.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>

#include "service/known_names.h"
#include "service/signals.h"
#include "service/suggestion.h"
#include "service/tool.h"

using namespace attune;
namespace fs = std::filesystem;

namespace {

constexpr std::string_view kPrefix = "attune-";

// Where programs are looked for: beside this one first, so that a build or an installation stays together.
std::vector<fs::path> directories()
{
  std::error_code ignored;
  std::vector<fs::path> found{fs::read_symlink("/proc/self/exe", ignored).parent_path()};
  const char* path = std::getenv("PATH");
  std::string_view rest = path != nullptr ? path : "";
  while (!rest.empty()) {
    const auto colon = std::min(rest.find(':'), rest.size());
    if (colon > 0) found.emplace_back(rest.substr(0, colon));
    rest.remove_prefix(std::min(colon + 1, rest.size()));
  }
  return found;
}

// Verb to program; the first directory that has one wins.
std::map<std::string, fs::path> find_verbs()
{
  std::map<std::string, fs::path> verbs;
  for (const auto& directory : directories()) {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(directory, ignored)) {
      const std::string name = entry.path().filename();
      if (!name.starts_with(kPrefix) || !entry.is_regular_file(ignored) || access(entry.path().c_str(), X_OK) != 0) continue;
      verbs.emplace(name.substr(kPrefix.size()), entry.path());
    }
  }
  return verbs;
}

Error run_instead(const std::string& program, std::vector<std::string> arguments)
{
  std::vector<char*> argv;
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  restore_signal_defaults();
  execvp(program.c_str(), argv.data());
  return {Code::io, program + ": " + std::strerror(errno)};
}

// Whether `man -w NAME` finds a page; false too when there is no man(1).
bool has_page(const std::string& name)
{
  const pid_t child = fork();
  if (child == 0) {
    const int null = open("/dev/null", O_RDWR);
    dup2(null, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
    static_cast<void>(run_instead("man", {"man", "-w", name}));
    _exit(127);
  }
  int status = 0;
  return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// The first line of its --help is "attune-VERB - summary". Asked of the family's own programs alone: what else is called attune-* in
// PATH is listed, not run.
std::string summary_of(const std::string& verb, const fs::path& program)
{
  const std::string name = std::string(kPrefix) + verb;
  if (std::find(known_programs().begin(), known_programs().end(), name) == known_programs().end()) return {};
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return {};
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDOUT_FILENO);
    static_cast<void>(run_instead(program, {name, "--help"}));
    _exit(127);
  }
  close(ends[1]);
  LineReader help(ends[0], name, true);
  std::string first;
  for (auto line = help.next(); line && *line; line = help.next())
    if ((*line)->number == 1) first = (*line)->text;
  if (child > 0) waitpid(child, nullptr, 0);
  const auto dash = first.find(" - ");
  return dash == std::string::npos ? "" : first.substr(dash + 3);
}

Result<ExitStatus> list_verbs(Tool& tool)
{
  std::string text = "Usage: attune VERB ...\n\n";
  for (const auto& [verb, program] : find_verbs()) {
    const std::string summary = summary_of(verb, program);
    text += "  " + verb + (summary.empty() ? "" : std::string(verb.size() < 16 ? 16 - verb.size() : 1, ' ') + summary) + '\n';
  }
  text += "\n'attune help VERB' shows the manual of a verb.\n";
  if (auto written = tool.out().write(text); !written) return written.error();
  return ExitStatus::done;
}

Result<fs::path> find_verb(const std::string& verb)
{
  const auto verbs = find_verbs();
  if (const auto found = verbs.find(verb); found != verbs.end()) return found->second;
  std::vector<std::string> names{"help"};
  for (const auto& [name, program] : verbs) names.push_back(name);
  return Error{Code::usage, "unknown verb " + verb + suggestion(verb, names)};
}

// The page that was installed with the program, else the one man(1) finds, else --help.
Result<ExitStatus> show_help(const std::string& verb)
{
  const auto program = find_verb(verb);
  if (!program) return program.error();
  const std::string name = std::string(kPrefix) + verb;
  const fs::path installed = program->parent_path().parent_path() / "share" / "man" / "man1" / (name + ".1");
  for (const auto& page : {installed.string(), name})
    if (has_page(page)) return run_instead("man", {"man", page});
  return run_instead(*program, {name, "--help"});
}

} // namespace

int main(int argc, char** argv)
{
  Tool tool("attune", "turn what customers just did into what they see next",
            "Without a verb, the verbs are listed. 'attune help VERB' shows the manual of one.\n");
  std::vector<std::string> words;
  tool.operands("VERB", words, "run attune-VERB with everything that follows");

  // Options after the verb are the verb's.
  int own = 1;
  while (own < argc && argv[own][0] == '-') ++own;
  const bool help = own < argc && std::strcmp(argv[own], "help") == 0;
  return tool.run(help ? argc : std::min(argc, own + 1), argv, [&]() -> Result<ExitStatus> {
    if (words.empty() || (help && words.size() == 1)) return list_verbs(tool);
    if (help) return words.size() == 2 ? show_help(words[1]) : Error{Code::usage, "one operand too many: " + words[2]};
    const auto program = find_verb(words.front());
    if (!program) return program.error();
    std::vector<std::string> arguments{std::string(kPrefix) + words.front()};
    arguments.insert(arguments.end(), argv + own + 1, argv + argc);
    return run_instead(*program, std::move(arguments));
  });
}
