#include "adapters/http_client.h"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <mutex>
#include <string>

#include "adapters/http_remote.h"
#include "adapters/http_server.h"

using namespace attune;
using namespace std::chrono_literals;

namespace {

class Served {
 public:
  explicit Served(HttpHandler handler) : server_(HttpServer::open({}).value())
  {
    BOOST_REQUIRE(server_->listen({}, std::move(handler)).ok());
    server_->start();
  }
  ~Served() { server_->stop(); }
  Served(const Served&) = delete;
  Served& operator=(const Served&) = delete;

  [[nodiscard]] std::string url(const std::string& path = "") const
  {
    return "http://127.0.0.1:" + std::to_string(server_->port(0)) + path;
  }
  [[nodiscard]] HttpCounts counts() const { return server_->counts(0); }

 private:
  std::unique_ptr<HttpServer> server_;
};

ClientRequest request(const std::string& url, const std::string& method = "GET", const std::string& body = "")
{
  ClientRequest out;
  out.method = method;
  out.url = url;
  out.body = body;
  return out;
}

void echo(const std::shared_ptr<HttpExchange>& exchange)
{
  const auto& asked = exchange->request();
  HttpAnswer answer;
  answer.status = asked.path == "/missing" ? 404 : 200;
  answer.body.append(asked.method_name).append(" ").append(asked.target).append("|").append(exchange->header("X-Test")).append("|");
  answer.body.append(asked.body);
  answer.headers.emplace_back("X-Told", "one: two");
  exchange->answer(std::move(answer));
}

} // namespace

BOOST_AUTO_TEST_SUITE(http_client)

BOOST_AUTO_TEST_CASE(what_is_sent_arrives_and_what_is_answered_comes_back)
{
  Served served(echo);
  HttpClient client;
  auto post = request(served.url("/a?b=c"), "POST", std::string(100'000, 'x'));
  post.headers = {"X-Test: yes"};
  const auto reply = client.send(post);
  BOOST_REQUIRE(reply.ok());
  BOOST_TEST((*reply)->status == 200u);
  BOOST_TEST((*reply)->body == "POST /a?b=c|yes|" + std::string(100'000, 'x'));
  BOOST_TEST((*reply)->header("x-told") == "one: two");
  BOOST_TEST((*reply)->header("x-not") == "");
  // Nothing of a request is left in the next.
  BOOST_TEST((*client.send(request(served.url("/missing"))))->status == 404u);
  BOOST_TEST((*client.send(request(served.url("/a"))))->body == "GET /a||");
  BOOST_TEST((*client.send(request(served.url("/a"), "DELETE")))->body == "DELETE /a||");
  BOOST_TEST((*client.send(request(served.url("/a"), "POST")))->body == "POST /a||");
}

BOOST_AUTO_TEST_CASE(a_connection_is_kept)
{
  Served served(echo);
  HttpClient client;
  for (int i = 0; i < 50; ++i) BOOST_REQUIRE(client.send(request(served.url("/"), i % 2 == 0 ? "GET" : "POST")).ok());
  BOOST_TEST(served.counts().requests == 50u);
  BOOST_TEST(served.counts().accepted == 1u);
}

BOOST_AUTO_TEST_CASE(a_service_that_is_away_or_does_not_answer_is_unreachable)
{
  std::string url;
  std::mutex mutex;
  std::vector<std::shared_ptr<HttpExchange>> held;
  HttpClient client;
  {
    Served served([&](const std::shared_ptr<HttpExchange>& exchange) {
      const std::lock_guard lock(mutex);
      held.push_back(exchange);
    });
    url = served.url("/slow?key=secret");
    auto slow = request(url);
    slow.limit = 100ms;
    const auto begun = std::chrono::steady_clock::now();
    const auto late = client.send(slow);
    BOOST_REQUIRE(!late);
    BOOST_TEST((late.error().code == Code::unreachable));
    BOOST_TEST((std::chrono::steady_clock::now() - begun < 5s));
    const std::lock_guard lock(mutex);
    for (const auto& exchange : held) exchange->answer({});
    held.clear();
  }
  const auto refused = client.send(request(url));
  BOOST_REQUIRE(!refused);
  BOOST_TEST((refused.error().code == Code::unreachable));
  // The message names the place, not what a query may hold.
  BOOST_TEST(refused.error().message.starts_with(url.substr(0, url.find('?')) + ": "));
  BOOST_TEST(refused.error().message.find("secret") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_url_that_is_none_is_a_usage_error)
{
  HttpClient client;
  for (const auto* url : {"", "ftp://127.0.0.1/", "file:///etc/passwd", "http://"}) {
    const auto reply = client.send(request(url));
    BOOST_REQUIRE(!reply);
    BOOST_TEST((reply.error().code == Code::usage), url);
  }
  for (const auto* url : {"127.0.0.1:8080", "ftp://a", "http://a?b", "http://", "https:///"}) BOOST_TEST(!base_url(url).ok(), url);
  BOOST_TEST(*base_url("http://127.0.0.1:8080/") == "http://127.0.0.1:8080");
}

BOOST_AUTO_TEST_CASE(text_is_encoded_as_a_query_wants_it)
{
  BOOST_TEST(percent_encoded("a-Z_0.9~") == "a-Z_0.9~");
  BOOST_TEST(percent_encoded("a b&c=\xc3\xa9/") == "a%20b%26c%3D%C3%A9%2F");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(http_remote)

namespace {

// A service that says what the test wants it to.
struct Said {
  unsigned status = 200;
  std::string body;
  std::string timing;
  std::string seen; // "METHOD target key signature authorization|body" of the last request

  void operator()(const std::shared_ptr<HttpExchange>& exchange)
  {
    const auto& asked = exchange->request();
    seen = std::string(asked.method_name) + " " + std::string(asked.target) + " " + std::string(exchange->header("X-Attune-Key")) +
           " " + std::string(exchange->header("X-Attune-Signature")).substr(0, 8) + " " +
           std::string(exchange->header("Authorization")) + "|" + std::string(asked.body);
    HttpAnswer answer;
    answer.status = status;
    answer.body = body;
    answer.server_timing = timing;
    exchange->answer(std::move(answer));
  }
};

constexpr std::string_view kAnswer =
    R"({"recommendation":"r","items":[{"item":"a","score":1},{"item":"b","score":0.5}],"tier":"fresh",)"
    R"("profile_version":7,"model":"m"})";

} // namespace

BOOST_AUTO_TEST_CASE(requests_and_replies_are_those_of_the_contract)
{
  Said said;
  Served served([&said](const std::shared_ptr<HttpExchange>& exchange) { said(exchange); });
  RemotePlace place;
  place.url = served.url("/");
  place.admin_url = served.url();
  place.write_key = "w";
  place.admin_token = "t";
  place.signing_key = "key";
  place.n = 5;
  const auto remote = HttpRemote::open(place).value();
  const CustomerId ana("ana b");

  said.status = 202;
  said.body = R"({"accepted":1,"rejected":[],"token":"T"})";
  said.timing = "accepted;dur=0.1, durable;dur=1.25";
  auto receipt = remote->send(ana, "e1", ItemId("i\"1"), {}, "ignored");
  BOOST_REQUIRE(receipt.ok());
  BOOST_TEST(receipt->token == "T");
  BOOST_TEST(receipt->durable->count() == 1'250'000);
  BOOST_TEST(!receipt->answer);
  BOOST_TEST(said.seen.starts_with("POST /v1/events w "));
  BOOST_TEST(said.seen.ends_with(R"( |{"id":"e1","type":"view","customer":"ana b","item":"i\"1"})"));

  said.body = std::string(R"({"accepted":1,"rejected":[],"token":"T","recommendations":)").append(kAnswer).append("}");
  said.timing = "durable;dur=2, profile;dur=0.5, wait;dur=1.5, rank;dur=9";
  receipt = remote->send(ana, "e1", ItemId("i"), Slot("home"), "S");
  BOOST_REQUIRE(receipt.ok());
  BOOST_TEST(said.seen.starts_with("POST /v1/events?slot=home&n=5&budget_ms=2000&after=S w "));
  BOOST_TEST(receipt->answer->profile_version == 7u);
  BOOST_TEST(receipt->answer->profile->count() == 2'000'000);

  said.status = 200;
  said.body = kAnswer;
  auto answer = remote->ask(ana, Slot("cart"), 3, "T");
  BOOST_REQUIRE(answer.ok());
  BOOST_TEST(said.seen.starts_with("GET /v1/recommendations?n=3&budget_ms=2000&slot=cart&customer=ana%20b&after=T "));
  BOOST_TEST(answer->items.size() == 2u);
  BOOST_TEST(answer->items[1].text == "b");
  BOOST_TEST(answer->says_current());
  said.body = R"({"items":[],"profile_version":0,"degraded":{"code":"waiting","detail":"waiting for view e1"}})";
  answer = remote->ask({}, {}, 3, {});
  BOOST_REQUIRE(answer.ok());
  BOOST_TEST(said.seen.starts_with("GET /v1/recommendations?n=3&budget_ms=2000   |")); // nobody: no signature
  BOOST_TEST(answer->degraded == "waiting");
  BOOST_TEST(!answer->says_current());

  said.status = 202;
  BOOST_TEST(remote->forget(ana).ok());
  BOOST_TEST(said.seen == "DELETE /v1/profiles/ana%20b   Bearer t|");
}

BOOST_AUTO_TEST_CASE(a_refusal_is_told_in_the_service_s_own_words)
{
  Said said;
  Served served([&said](const std::shared_ptr<HttpExchange>& exchange) { said(exchange); });
  RemotePlace place;
  place.url = served.url();
  const auto remote = HttpRemote::open(place).value();
  const auto refused = [&](unsigned status, const std::string& body) {
    said.status = status;
    said.body = body;
    const auto answer = remote->ask(CustomerId("ana"), {}, 3, {});
    BOOST_REQUIRE(!answer);
    return answer.error();
  };
  const auto forbidden = refused(403, R"({"status":403,"detail":"customer: needs a signature"})");
  BOOST_TEST((forbidden.code == Code::config));
  BOOST_TEST(forbidden.message == served.url("/v1/recommendations") + ": 403: customer: needs a signature");
  BOOST_TEST((refused(503, "").code == Code::busy));
  BOOST_TEST((refused(429, "").code == Code::busy));
  BOOST_TEST((refused(502, "<html>").code == Code::unreachable));
  for (const auto* body : {"", "nonsense", "[]", "{}", R"({"items":[]})", R"({"items":{},"profile_version":1})"})
    BOOST_TEST((refused(200, body).code == Code::config), body);
  BOOST_TEST((remote->forget(CustomerId("ana")).error().code == Code::config)); // there is no admin URL
}

BOOST_AUTO_TEST_SUITE_END()
