// service_load: asks a service for recommendations and sends it events at a constant rate while a test disturbs what stands behind it,
// and judges every reply.
//
//   service_load GET_PORT POST_PORT COUNT RATE CUSTOMERS ACKNOWLEDGED
//
// Seven of ten requests are GET /v1/recommendations?budget_ms=50, the others POST /v1/events of one event with an id of its own; the ids of
// those that were answered 202 go to the file ACKNOWLEDGED, one a line. Open loop: a request is due whether or not those before it were
// answered, its time counts from then, and when no connection is free another is opened. Prints {"gets","posts","acknowledged","turned_away",
// "tiers","degraded","late_p99_ms" (of the generator itself),"p50_ms",…} (of the GETs). Exit status: 0; 1 with a line for each of the first
// replies that are not as the documents say: neither 200 (202) nor 503 with Retry-After, an answer without a tier, one below fresh that does not
// say why; 69 a connection that ended.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "support/loopback.h"

namespace {

using Steady = std::chrono::steady_clock;

constexpr int kShareOfGets = 7; // of ten
constexpr int kMostComplaints = 20;
constexpr std::chrono::seconds kPatience{30}; // for what was sent last
constexpr std::chrono::seconds kIdle{
    30}; // a connection that long without a request is not used again: the server closes it after 75 s

struct Connection {
  int fd = -1;
  bool get = false;
  bool asked = false;
  Steady::time_point due, answered;
  std::string id; // of the event
  std::string in;
};

struct Reply {
  int status = 0;
  std::string_view head, body;
};

// Whether a whole reply is in.
bool whole(const std::string& in, Reply& out)
{
  const auto end = in.find("\r\n\r\n");
  if (end == std::string::npos) return false;
  out.head = std::string_view(in).substr(0, end);
  const auto length = out.head.find("Content-Length: ");
  const std::size_t size = length == std::string_view::npos ? 0 : std::strtoull(in.c_str() + length + 16, nullptr, 10);
  if (in.size() < end + 4 + size) return false;
  out.body = std::string_view(in).substr(end + 4, size);
  out.status = std::atoi(in.c_str() + 9);
  return true;
}

// The text behind `"name":"`; empty: there is none.
std::string text_of(std::string_view body, const std::string& name)
{
  const auto at = body.find("\"" + name + "\":\"");
  if (at == std::string_view::npos) return {};
  const auto begin = at + name.size() + 4;
  return std::string(body.substr(begin, body.find('"', begin) - begin));
}

class Load {
 public:
  Load(int get_port, int post_port, std::size_t count, double rate, int customers, const char* acknowledged)
      : ports_{post_port, get_port}, count_(count), rate_(rate), customers_(customers), acknowledged_(acknowledged)
  {
  }

  int run()
  {
    const auto begun = Steady::now();
    const auto due_of = [&](std::size_t i) {
      return begun + std::chrono::nanoseconds(static_cast<std::int64_t>(1e9 * static_cast<double>(i) / rate_));
    };
    auto last = begun;
    for (std::size_t next = 0; done_ < count_;) {
      const auto now = Steady::now();
      for (; next < count_ && due_of(next) <= now; ++next) {
        generator_late_.push_back(std::chrono::duration<double, std::milli>(now - due_of(next)).count());
        send(due_of(next), next);
        last = now;
      }
      if (next == count_ && now > last + kPatience) {
        std::printf("%zu requests were not answered in %lld s\n", count_ - done_, static_cast<long long>(kPatience.count()));
        return 1;
      }
      receive();
    }
    print(std::chrono::duration<double>(Steady::now() - begun).count());
    return complaints_ == 0 ? 0 : 1;
  }

 private:
  Connection& connection(bool get)
  {
    auto& free = free_[get ? 1 : 0];
    // The one answered last; is that too old, so are all.
    if (!free.empty() && Steady::now() - connections_[free.back()].answered > kIdle) {
      for (const int fd : free) hang_up(fd);
      free.clear();
    }
    if (!free.empty()) {
      auto& found = connections_[free.back()];
      free.pop_back();
      return found;
    }
    const int fd = attune::testing::connect_to(ports_[get ? 1 : 0]);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
    auto& made = connections_[fd];
    made.fd = fd;
    made.get = get;
    return made;
  }

  void hang_up(int fd)
  {
    ::close(fd);
    connections_.erase(fd);
  }

  void send(Steady::time_point due, std::size_t number)
  {
    const bool get = number % 10 < kShareOfGets;
    const auto customer = "anon-" + std::to_string(random_() % static_cast<unsigned>(customers_));
    auto& to = connection(get);
    to.due = due;
    to.asked = true;
    std::string request;
    if (get) {
      request = "GET /v1/recommendations?budget_ms=50&n=8&customer=" + customer + " HTTP/1.1\r\nHost: load\r\n\r\n";
    } else {
      to.id = "f-" + std::to_string(number);
      const auto now =
          std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
      const auto event = "{\"id\":\"" + to.id + "\",\"type\":\"" + (number % 3 == 0 ? "cart_add" : "view") +
                         "\",\"time\":" + std::to_string(now) + ",\"customer\":\"" + customer + "\",\"item\":\"item-" +
                         std::to_string(random_() % 300) + "\"}";
      request = "POST /v1/events HTTP/1.1\r\nHost: load\r\nContent-Type: application/json\r\nContent-Length: " +
                std::to_string(event.size()) + "\r\n\r\n" + event;
    }
    if (::send(to.fd, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) {
      std::perror("send");
      std::exit(69);
    }
  }

  void receive()
  {
    epoll_event events[64];
    const int ready = ::epoll_wait(epoll_, events, 64, 1);
    char buffer[65536];
    for (int i = 0; i < ready; ++i) {
      auto& from = connections_[events[i].data.fd];
      const auto got = ::recv(from.fd, buffer, sizeof buffer, 0);
      if (got == 0 && !from.asked) {
        std::erase(free_[from.get ? 1 : 0], from.fd);
        hang_up(from.fd);
        continue;
      }
      if (got <= 0) {
        std::fprintf(stderr, "a connection ended: %s\n", from.in.c_str());
        std::exit(69);
      }
      from.in.append(buffer, static_cast<std::size_t>(got));
      Reply reply;
      if (!whole(from.in, reply)) continue;
      judge(from, reply);
      from.in.clear();
      from.asked = false;
      from.answered = Steady::now();
      ++done_;
      free_[from.get ? 1 : 0].push_back(from.fd);
    }
  }

  void judge(const Connection& from, const Reply& reply)
  {
    const auto took = std::chrono::duration<double, std::milli>(Steady::now() - from.due).count();
    if (from.get) {
      ++gets_;
      took_.push_back(took);
    } else {
      ++posts_;
      post_longest_ = std::max(post_longest_, took);
    }
    if (reply.status == 503) {
      ++turned_away_[from.get ? 1 : 0];
      if (reply.head.find("\r\nRetry-After: ") == std::string_view::npos) complain("503 without Retry-After", reply);
      return;
    }
    if (reply.status != (from.get ? 200 : 202)) return complain("a status", reply);
    if (!from.get) {
      if (reply.body.find("\"accepted\":1,") == std::string_view::npos) return complain("202 for no event", reply);
      acknowledged_ << from.id << '\n';
      ++acked_;
      return;
    }
    const auto tier = text_of(reply.body, "tier");
    const auto code = text_of(reply.body, "code");
    ++tiers_[tier];
    if (!code.empty()) ++degraded_[code];
    const bool stranger = reply.body.find("\"profile_version\":0") != std::string_view::npos;
    if (tier == "fresh" || ((tier == "popular" || tier == "static") && stranger && code.empty())) return;
    if (tier != "cached" && tier != "session" && tier != "popular" && tier != "static") return complain("no tier", reply);
    if (code.empty()) complain("below fresh, and it does not say why", reply);
  }

  void complain(const char* what, const Reply& reply)
  {
    if (++complaints_ > kMostComplaints) return;
    std::printf("%s: %.*s %.*s\n", what, static_cast<int>(reply.head.size()), reply.head.data(),
                static_cast<int>(reply.body.size()), reply.body.data());
  }

  static void print_counts(const char* name, const std::map<std::string, std::size_t>& counts)
  {
    std::printf(",\"%s\":{", name);
    const char* between = "";
    for (const auto& [key, count] : counts) {
      std::printf("%s\"%s\":%zu", between, key.c_str(), count);
      between = ",";
    }
    std::printf("}");
  }

  void print(double seconds)
  {
    const auto at = [](std::vector<double>& values, double share) {
      std::sort(values.begin(), values.end());
      return values.empty() ? 0 : values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
    };
    std::printf("{\"seconds\":%.0f,\"gets\":%zu,\"posts\":%zu,\"acknowledged\":%zu,\"turned_away\":%zu,\"gets_turned_away\":%zu",
                seconds, gets_, posts_, acked_, turned_away_[0], turned_away_[1]);
    print_counts("tiers", tiers_);
    print_counts("degraded", degraded_);
    std::printf(",\"late_p99_ms\":%.1f,\"p50_ms\":%.1f,\"p99_ms\":%.1f,\"p999_ms\":%.1f,\"max_ms\":%.1f,\"post_max_ms\":%.0f}\n",
                at(generator_late_, .99), at(took_, .5), at(took_, .99), at(took_, .999), at(took_, 1), post_longest_);
  }

  int ports_[2]; // of POST, of GET; so for all pairs
  std::size_t count_;
  double rate_;
  int customers_;
  std::ofstream acknowledged_;
  int epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  std::mt19937 random_{1};
  std::map<int, Connection> connections_; // by descriptor
  std::vector<int> free_[2];
  std::size_t done_ = 0, gets_ = 0, posts_ = 0, acked_ = 0;
  std::size_t turned_away_[2] = {0, 0};
  int complaints_ = 0;
  double post_longest_ = 0;
  std::map<std::string, std::size_t> tiers_, degraded_;
  std::vector<double> generator_late_, took_;
};

} // namespace

int main(int argc, char** argv)
{
  if (argc != 7) {
    std::fprintf(stderr, "usage: service_load GET_PORT POST_PORT COUNT RATE CUSTOMERS ACKNOWLEDGED\n");
    return 64;
  }
  return Load(std::atoi(argv[1]), std::atoi(argv[2]), std::strtoull(argv[3], nullptr, 10), std::atof(argv[4]), std::atoi(argv[5]),
              argv[6])
      .run();
}
