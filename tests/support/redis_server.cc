#include "support/redis_server.h"

#include <hiredis/hiredis.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <thread>

namespace attune::test {
namespace {

bool on_path(const std::string& program)
{
  const char* path = std::getenv("PATH");
  std::string_view rest = path != nullptr ? path : "/usr/bin:/bin";
  while (!rest.empty()) {
    const std::size_t colon = rest.find(':');
    const std::string candidate = std::string(rest.substr(0, colon)) + "/" + program;
    if (::access(candidate.c_str(), X_OK) == 0) return true;
    rest = colon == std::string_view::npos ? std::string_view() : rest.substr(colon + 1);
  }
  return false;
}

std::string text_of(const redisReply* reply)
{
  switch (reply->type) {
    case REDIS_REPLY_NIL:
      return "(nil)";
    case REDIS_REPLY_INTEGER:
      return std::to_string(reply->integer);
    case REDIS_REPLY_ERROR:
      return "-" + std::string(reply->str, static_cast<std::size_t>(reply->len));
    case REDIS_REPLY_ARRAY: {
      std::string lines;
      for (std::size_t i = 0; i < reply->elements; ++i) lines += text_of(reply->element[i]) + "\n";
      return lines;
    }
    default:
      return {reply->str, static_cast<std::size_t>(reply->len)};
  }
}

} // namespace

void require_server(const std::string& program)
{
  if (on_path(program)) return;
  const char* required = std::getenv("ATTUNE_REQUIRE_SERVERS");
  const bool must = required != nullptr && std::string_view(required) == "1";
  std::fprintf(stderr, "%s: %s is not installed\n", must ? "failed" : "skipped", program.c_str());
  std::_Exit(must ? 1 : 77);
}

RedisServer::RedisServer(std::vector<std::string> arguments) : arguments_(std::move(arguments))
{
  std::string name = (std::filesystem::temp_directory_path() / "attune-redis-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp " + name);
  directory_ = name;
  start();
}

RedisServer::~RedisServer()
{
  kill();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

void RedisServer::start()
{
  std::vector<std::string> command{
      "redis-server",     "--port", "0", "--unixsocket", socket(), "--dir", directory_.string(), "--logfile",
      directory_ / "log", "--save", "",  "--appendonly", "no"};
  command.insert(command.end(), arguments_.begin(), arguments_.end());
  std::vector<char*> argv;
  for (std::string& one : command) argv.push_back(one.data());
  argv.push_back(nullptr);
  std::filesystem::remove(socket());
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::execvp(argv[0], argv.data());
    ::_exit(127);
  }
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  for (;;) {
    const std::string reply = ask({"PING"});
    if (reply == "PONG" || reply.starts_with("-NOAUTH")) return;
    if (std::chrono::steady_clock::now() > end)
      throw std::runtime_error("redis-server does not answer; see " + directory_.string());
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

void RedisServer::kill()
{
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void RedisServer::stop()
{
  ::kill(pid_, SIGTERM);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void RedisServer::pause()
{
  ::kill(pid_, SIGSTOP);
  ::waitpid(pid_, nullptr, WUNTRACED);
}

void RedisServer::resume()
{
  ::kill(pid_, SIGCONT);
}

std::string RedisServer::ask(const std::vector<std::string>& command) const
{
  const std::unique_ptr<redisContext, void (*)(redisContext*)> context(redisConnectUnix(socket().c_str()), redisFree);
  if (context == nullptr || context->err != 0) return "-unreachable";
  std::vector<const char*> arguments;
  std::vector<std::size_t> sizes;
  for (const std::string& one : command) {
    arguments.push_back(one.data());
    sizes.push_back(one.size());
  }
  void* reply = redisCommandArgv(context.get(), static_cast<int>(command.size()), arguments.data(), sizes.data());
  if (reply == nullptr) return "-unreachable";
  const std::unique_ptr<void, void (*)(void*)> held(reply, freeReplyObject);
  return text_of(static_cast<redisReply*>(reply));
}

} // namespace attune::test
