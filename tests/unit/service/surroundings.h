// What the service tests share: files and environment variables that go away again, and programs run in a process of their own.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <utility>

#include "support/scratch.h"

namespace attune::testing {

// A scratch directory with files in it.
class Files : public Scratch {
 public:
  [[nodiscard]] std::string path(const std::string& name) const { return Scratch::path() + "/" + name; }

  std::string write(const std::string& name, const std::string& text) const
  {
    std::ofstream(path(name), std::ios::binary) << text;
    return path(name);
  }

  [[nodiscard]] std::string read(const std::string& name) const
  {
    std::ostringstream text;
    text << std::ifstream(path(name), std::ios::binary).rdbuf();
    return text.str();
  }
};

class Variable {
 public:
  Variable(std::string name, const std::string& value) : name_(std::move(name)) { setenv(name_.c_str(), value.c_str(), 1); }
  ~Variable() { unsetenv(name_.c_str()); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  std::string name_;
};

struct Ended {
  int status = -1; // exit status, or -1
  int signal = 0; // that ended it, or 0
  std::string out;
  std::string err;
};

// Runs `program` in a child whose standard streams are files; its result is the exit status.
inline Ended in_child(const std::function<int()>& program, const std::string& input = {}, const char* output = nullptr)
{
  const Files scratch;
  const std::string in = scratch.write("in", input);
  const std::string out = output != nullptr ? output : scratch.path("out");
  const pid_t child = fork();
  if (child == 0) {
    if (std::freopen(in.c_str(), "r", stdin) == nullptr || std::freopen(out.c_str(), "w", stdout) == nullptr ||
        std::freopen(scratch.path("err").c_str(), "w", stderr) == nullptr)
      _exit(126);
    setvbuf(stderr, nullptr, _IONBF, 0);
    const int status = program();
    std::fflush(stdout);
    _exit(status);
  }
  int status = 0;
  waitpid(child, &status, 0);
  Ended ended;
  if (WIFEXITED(status)) ended.status = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) ended.signal = WTERMSIG(status);
  ended.out = output != nullptr ? "" : scratch.read("out");
  ended.err = scratch.read("err");
  return ended;
}

} // namespace attune::testing
