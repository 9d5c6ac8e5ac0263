#include "service.h"

#include <atomic>
#include <chrono>
#include <filesystem>
#include <mutex>
#include <thread>

#include "adapters/dead_letter_place.h"
#include "adapters/http_api.h"
#include "adapters/late_place.h"
#include "adapters/model_file.h"
#include "adapters/spool_place.h"
#include "knowledge_files.h"
#include "pipeline/greeting.h"
#include "pipeline/group_feed.h"
#include "pipeline/probe_customer.h"
#include "pipeline/refreshes.h"
#include "pipeline/topics.h"
#include "service/random.h"
#include "service/signals.h"
#include "service_metrics.h"

namespace attune {

namespace {

constexpr Milliseconds kDrainLimit = std::chrono::seconds(20);
constexpr std::size_t kReaders = 2; // threads that read profiles for answers
constexpr std::size_t kMostReads = 10'000; // waiting for them
constexpr std::size_t kMostWatchers = 100'000;

template <class Bytes>
void fill_randomly(Bytes& bytes)
{
  random_bytes(std::as_writable_bytes(std::span(bytes)));
}

void warn(const std::string& message)
{
  log(LogLevel::warning, message);
}

} // namespace

struct Service::Parts {
  explicit Parts(const ServiceSettings& wanted, std::string name) : settings(wanted), program(std::move(name)) {}

  const ServiceSettings& settings;
  std::string program;
  SystemClock clock;
  Metrics metrics;
  StageHistograms times{metrics};

  // The order: what is destroyed last stands first. Whatever has threads of its own may call back until it is gone: readers and the feed of
  // changes tell requests, a writer that still holds records tells the collector and through it requests, the ingest tells watchers. So
  // what is told stands before who tells, and a sink before whoever puts into it. When it comes to this the server has stopped and the
  // threads at the end are joined: nothing new begins, and what is told to a stopped server goes nowhere.

  DeadLetterReasons reasons;

  // What is told.
  std::optional<KnownProfiles> known;
  std::optional<Watchers> watchers;
  std::optional<Knowledge> knowledge;
  std::optional<UnderwayEvents> underway; // of a process that collects and answers
  std::optional<AnswerService> answers;
  std::optional<HttpAccess> access;
  std::optional<DemoStage> demo;
  std::optional<HttpApi> api;
  std::unique_ptr<HttpServer> server;
  std::optional<Collector> collector; // tells requests itself, too, what it ends with

  // Places.
  std::unique_ptr<LogWriter> writer; // of the collector, and of dead letters that are not of the log
  Spool* spool = nullptr; // the writer itself, where there is one
  std::unique_ptr<DeadLetterSink> dead_letters;
  std::unique_ptr<ProfileStore> store;
  std::optional<Refreshes> refreshes; // of what other processes changed; told by the readers
  std::unique_ptr<ProfileReaders> readers;
  std::unique_ptr<ChangeFeed> changes; // has readers read

  // Profiles. Their sinks have a writer of their own: a position waits until what stands before it is durable, and has nothing to do with the
  // collector's records and their failures.
  std::unique_ptr<LogWriter> sink_writer;
  std::unique_ptr<DeadLetterSink> sink_dead_letters;
  std::unique_ptr<LateSink> late;
  std::unique_ptr<LogGroup> group;
  std::unique_ptr<Ingest> ingest;
  std::optional<GroupFeed> feed;

  // The model.
  std::unique_ptr<LogReader> reader;
  std::optional<Learner> learner;

  std::optional<Greeting> greeting;

  std::uint16_t public_port = 0, admin_port = 0;
  std::atomic<bool> draining{false}, stopping{false};
  std::thread feeding, learning, asking;
  mutable std::mutex mutex;
  Status failed;

  Status open();
  Status open_log();
  [[nodiscard]] DeadLetterPlace dead_letter_place(LogWriter* log) const;
  Status open_profiles();
  Status open_answers();
  Status open_http();
  Result<std::shared_ptr<const SiteFiles>> read_site() const;
  Result<Catalog> read_catalog();
  Status open_greeting();
  [[nodiscard]] std::string not_ready() const;
  void fail(const std::string& what, const Error& error);
  void run(std::thread& thread, const char* what, std::function<Status()> work);
  void end_parts();
};

// --- Opening -------------------------------------------------------------------------------------------------------------------------

DeadLetterPlace Service::Parts::dead_letter_place(LogWriter* log) const
{
  return {settings.dead_letters.value_or("topic"), program, settings.log.name_space, log, settings.log.options()};
}

Status Service::Parts::open_log()
{
  const auto& place = settings.log;
  // An embedded log is made whole here, so that the first event of every topic is awaited from its first record on. On a broker that is
  // attune-init's affair.
  if (place.url.starts_with("file:")) {
    auto admin = open_log_admin(place.url, place.options());
    if (!admin) return admin.error();
    TopicWishes wishes;
    wishes.name_space = place.name_space;
    if (auto made = init_topics(**admin, wishes, Init::mend); !made) return made.error();
  }
  auto options = place.options();
  options.haste = Haste::at_once; // senders wait for their 202
  auto opened = open_log_writer(place.url, options);
  if (!opened) return opened.error();
  writer = std::move(*opened);
  if (settings.spool) {
    SpoolOptions spool_options;
    spool_options.most_bytes = settings.spool_size.bytes;
    spool_options.say = warn;
    auto made = open_spool(*settings.spool, std::move(writer), std::move(spool_options));
    if (!made) return made.error();
    spool = made->get();
    writer = std::move(*made);
    declare_metrics(metrics, *spool);
  }
  auto letters = open_dead_letters(dead_letter_place(writer.get()));
  if (!letters) return letters.error();
  dead_letters = std::make_unique<CountedDeadLetters>(std::move(*letters), reasons);
  return {};
}

Status Service::Parts::open_profiles()
{
  const auto& place = settings.log;
  auto opened = open_log_writer(place.url, place.options());
  if (!opened) return opened.error();
  sink_writer = std::move(*opened);
  auto letters = open_dead_letters(dead_letter_place(sink_writer.get()));
  if (!letters) return letters.error();
  sink_dead_letters = std::make_unique<CountedDeadLetters>(std::move(*letters), reasons);
  auto lates = open_late({settings.late.value_or("topic"), program, place.name_of(kLateTopic), sink_writer.get(), place.options()});
  if (!lates) return lates.error();
  late = std::move(*lates);
  auto joined = open_log_group(place.url, place.name_of(settings.group), place.options());
  if (!joined) return joined.error();
  group = std::move(*joined);

  IngestOptions options;
  options.workers = settings.workers;
  options.cache_bytes = settings.cache.bytes;
  IngestSinks sinks;
  sinks.dead_letters = sink_dead_letters.get();
  sinks.late = late.get();
  if (settings.roles.recommend)
    sinks.on_changed = [this](const Profile& profile) {
      // Where others write the store too it is it that tells who wrote last.
      if (changes)
        known->changed(profile.customer);
      else
        known->changed(profile, clock.now());
      watchers->changed(profile);
    };
  sinks.on_applied = [this](Timestamp received) { times.took(Stage::applied, clock.now() - received); };
  auto started = Ingest::start(*store, options, sinks, [this] { group->wake(); });
  if (!started) return started.error();
  ingest = std::move(*started);

  FeedOptions feed_options;
  feed_options.topics = place.event_topics();
  feed_options.merge.align = settings.align;
  feed_options.on_gap_continue = settings.skip_gaps;
  feed_options.rewind = settings.rewind;
  feed_options.stop = [this] { return stopping.load(); };
  feed_options.say = warn;
  feed.emplace(*group, *store, *ingest, clock, std::move(feed_options));
  declare_metrics(metrics, ingest->counts());
  return {};
}

Result<Catalog> Service::Parts::read_catalog()
{
  Catalog catalog;
  if (!settings.catalog) return catalog;
  std::uint64_t rejected = 0;
  if (auto read = read_catalog_file(*settings.catalog, catalog, *dead_letters, rejected); !read) return read.error();
  if (rejected > 0) warn(*settings.catalog + ": " + std::to_string(rejected) + " lines can not be read and are dead letters");
  return catalog;
}

Status Service::Parts::open_answers()
{
  Model model;
  if (settings.model && settings.learn == Learn::on && !std::filesystem::exists(*settings.model)) {
    log(LogLevel::info, *settings.model + ": not there yet: the model begins empty and learns from the log's start");
  } else if (settings.model) {
    auto read = read_model_file(*settings.model);
    if (!read) return read.error();
    model = std::move(*read);
  }
  auto catalog = read_catalog();
  if (!catalog) return catalog.error();
  Rules rules;
  if (settings.rules) {
    auto read = read_rules_file(*settings.rules);
    if (!read) return read.error();
    rules = std::move(*read);
  }
  knowledge.emplace(std::move(model), std::move(*catalog), std::move(rules));

  const auto& place = settings.log;
  auto reading = place.options();
  reading.haste = Haste::relaxed;
  auto opened = open_log_reader(place.url, reading);
  if (!opened) return opened.error();
  reader = std::move(*opened);
  LearnerOptions options;
  options.topics = place.event_topics();
  options.catalog_topic = place.name_of(kCatalogTopic);
  options.learn = settings.learn == Learn::on;
  if (settings.model && settings.learn == Learn::on) {
    options.snapshot_every = settings.snapshot_every;
    options.snapshot = [this](const Model& each) -> Status {
      auto written = write_model_file(*settings.model, each);
      return written ? Status() : Status(written.error());
    };
  }
  options.segments = [this](const Rules& all, const Catalog& items, const Event& event) -> std::vector<std::string_view> {
    if (!all.has_segments()) return {};
    const auto found = known->find(event.customer, clock.now(), false); // nobody asks for it here
    if (!found || !found->profile) return {};
    return all.segments_of(*found->profile, items, *event.time);
  };
  options.skip = is_probe_customer;
  options.renewed = [this] { watchers->all_changed(); };
  options.stop = [this] { return stopping.load(); };
  options.say = warn;
  learner.emplace(*reader, *knowledge, std::move(options));
  declare_metrics(metrics, *learner, *knowledge, clock);

  AnswerParts parts;
  parts.knowledge = &*knowledge;
  parts.known = &*known;
  parts.watchers = &*watchers;
  parts.readers = readers.get();
  if (settings.roles.collect) parts.underway = &underway.emplace();
  parts.clock = &clock;
  parts.randomness = [](std::array<std::uint8_t, 16>& bytes) { fill_randomly(bytes); };
  parts.source = settings.source;
  auto lists = settings.fallback_lists();
  if (!lists) return lists.error();
  parts.fallback = std::move(*lists);
  refreshes.emplace(*readers, [this](const CustomerId& customer) {
    const auto was = known->find(customer, clock.now(), false);
    if (!was || !was->profile) return false;
    const auto now_known = knowledge->read();
    return now_known.rules().is_priority(*was->profile, now_known.catalog(), clock.now());
  });
  declare_metrics(metrics, *refreshes);
  auto feed_of_changes = settings.store.open_changes(place.name_space, settings.changes);
  if (!feed_of_changes) return feed_of_changes.error();
  changes = std::move(*feed_of_changes);
  if (changes) {
    auto begun = changes->start({
        .changed =
            [this](const CustomerId& customer) {
              const bool lately = known->changed(customer);
              watchers->changed(customer); // who looks just now comes first
              if (lately) refreshes->changed(customer);
            },
        .all_changed =
            [this] {
              known->all_changed();
              watchers->all_changed();
            },
        .lost = [](const Error& error) { warn(error.message); },
    });
    if (!begun) return begun;
    parts.changes_are_told = [this] { return changes->told(); };
  } else if (!settings.roles.profile) {
    // Another process writes an embedded store, and nobody tells. (The updater in this one tells of all it writes.)
    parts.changes_are_told = [] { return false; };
  }
  answers.emplace(std::move(parts));
  declare_metrics(metrics, *answers, *known, *watchers, readers->breaker());
  return {};
}

Status Service::Parts::open_http()
{
  access.emplace(settings.access());
  HttpApiParts parts;
  if (settings.roles.collect) {
    CollectorParts collecting;
    collecting.log = writer.get();
    collecting.dead_letters = dead_letters.get();
    if (underway) collecting.underway = &*underway;
    collecting.clock = &clock;
    collecting.randomness = [](std::array<std::uint8_t, 10>& bytes) { fill_randomly(bytes); };
    collecting.name_space = settings.log.name_space;
    if (settings.currency) collecting.currency = *parse_currency(*settings.currency);
    collector.emplace(std::move(collecting));
    declare_metrics(metrics, *collector);
    parts.collector = &*collector;
  }
  if (settings.roles.recommend) {
    parts.answers = &*answers;
    parts.knowledge = &*knowledge;
    parts.known = &*known;
    parts.watchers = &*watchers;
    parts.readers = readers.get();
  }
  parts.access = &*access;
  parts.clock = &clock;
  parts.times = &times;
  parts.metrics = [this] { return metrics.text(); };
  parts.not_ready = [this] { return not_ready(); };
  parts.reasons = &reasons;
  parts.most_streams = settings.streams;
  auto headers = settings.www_headers();
  if (!headers) return headers.error();
  parts.site_headers = std::move(*headers);
  if (settings.demo) parts.demo = &demo.emplace(*settings.demo);
  api.emplace(std::move(parts));
  auto site = read_site();
  if (!site) return site.error();
  api->set_site(std::move(*site));

  HttpServer::Options options;
  options.threads = settings.threads;
  options.say = warn;
  auto opened = HttpServer::open(options);
  if (!opened) return opened.error();
  server = std::move(*opened);
  const std::pair<const char*, const std::string*> listeners[] = {{"--listen", &settings.listen},
                                                                  {"--admin-listen", &settings.admin_listen}};
  for (const auto& [flag, text] : listeners) {
    if (text->empty()) continue;
    const bool admin = text == &settings.admin_listen;
    auto place = settings.listener(flag, *text);
    if (!place) return place.error();
    auto bound = server->listen(*place, admin ? api->admin_handler() : api->public_handler());
    if (!bound) return bound.error();
    declare_metrics(metrics, *server, *bound, admin ? "admin" : "public");
    log(LogLevel::info, std::string(admin ? "admin requests" : "requests") + " at " + text->substr(0, text->rfind(':')) + ":" +
                            std::to_string(server->port(*bound)));
    (admin ? admin_port : public_port) = server->port(*bound);
  }
  if (demo) {
    const auto at = [](const char* host, std::uint16_t port) { return std::string("http://") + host + ':' + std::to_string(port); };
    demo->set_places(at("127.0.0.1", admin_port), {at("127.0.0.1", public_port), at("localhost", public_port)});
  }
  return {};
}

// Null: there is none to serve.
Result<std::shared_ptr<const SiteFiles>> Service::Parts::read_site() const
{
  if (!settings.www) return std::shared_ptr<const SiteFiles>();
  auto site = SiteFiles::read(*settings.www);
  if (!site) return site.error();
  return std::make_shared<const SiteFiles>(std::move(*site));
}

std::string Service::Parts::not_ready() const
{
  if (draining) return "stopping";
  {
    const std::lock_guard lock(mutex);
    if (!failed) return failed.error().message;
  }
  if (collector)
    if (auto ended = collector->log_ended(); !ended) return ended.error().message;
  if (!greeting->log_answered()) return "the log has not answered yet";
  if (!greeting->store_answered()) return "the store has not answered yet";
  if (learner && !learner->counts().caught_up) return "the model is still learning what the log holds";
  return {}; // that the store rests is no reason: answers step down a tier and say so
}

// With a spool events are taken whether the log answers or not; but who reads it needs it.
Status Service::Parts::open_greeting()
{
  const auto& roles = settings.roles;
  std::unique_ptr<LogReader> asked_log;
  if (!spool || roles.profile || roles.recommend) {
    auto opened = open_log_reader(settings.log.url, settings.log.options());
    if (!opened) return opened.error();
    asked_log = std::move(*opened);
  }
  std::unique_ptr<ProfileStore> asked_store;
  if (store) {
    auto another = store->another();
    if (!another) return another.error();
    asked_store = std::move(*another);
  }
  greeting.emplace(std::move(asked_log), settings.log.event_topics(), std::move(asked_store),
                   readers ? &readers->breaker() : nullptr);
  return {};
}

Status Service::Parts::open()
{
  declare_process_metrics(metrics, program, ATTUNE_VERSION);
  if (auto opened = open_log(); !opened) return opened;
  const auto& roles = settings.roles;
  if (roles.profile || roles.recommend) {
    auto opened = settings.store.open(settings.log.name_space, !roles.profile);
    if (!opened) return opened.error();
    store = std::move(*opened);
  }
  if (roles.recommend) {
    known.emplace(settings.known.bytes);
    watchers.emplace(kMostWatchers);
    auto started = ProfileReaders::start(*store, *known, clock, kReaders, kMostReads);
    if (!started) return started.error();
    readers = std::move(*started);
    if (auto opened = open_answers(); !opened) return opened;
  }
  if (roles.profile)
    if (auto opened = open_profiles(); !opened) return opened;
  if (auto opened = open_greeting(); !opened) return opened;
  return open_http();
}

Result<std::unique_ptr<Service>> Service::open(const ServiceSettings& settings, const std::string& program)
{
  auto parts = std::make_unique<Parts>(settings, program);
  if (auto opened = parts->open(); !opened) return opened.error();
  return std::unique_ptr<Service>(new Service(std::move(parts)));
}

Service::Service(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

// --- Running -------------------------------------------------------------------------------------------------------------------------

void Service::Parts::run(std::thread& thread, const char* what, std::function<Status()> work)
{
  thread = std::thread([this, what, work = std::move(work)] {
    const auto done = work();
    if (!done && !stopping) fail(what, done.error());
  });
}

void Service::Parts::fail(const std::string& what, const Error& error)
{
  const std::lock_guard lock(mutex);
  if (failed) failed = Error{error.code, what + ": " + error.message};
}

void Service::start()
{
  auto& parts = *parts_;
  if (parts.feed) parts.run(parts.feeding, "profiles", [&parts] { return parts.feed->run(); });
  if (parts.learner) parts.run(parts.learning, "model", [&parts] { return parts.learner->run(); });
  parts.asking = std::thread([&parts] { parts.greeting->run(); });
  parts.server->start();
}

// What follows the log ends where it stands; positions and a snapshot are stored.
void Service::Parts::end_parts()
{
  stopping = true;
  if (greeting) greeting->stop();
  if (group) group->wake();
  if (reader) reader->wake();
  if (feeding.joinable()) feeding.join();
  if (learning.joinable()) learning.join();
  if (asking.joinable()) asking.join();
}

Status Service::drain()
{
  auto& parts = *parts_;
  parts.draining = true;
  if (!parts.server->drain(kDrainLimit))
    warn("some connections were not done after " + std::to_string(kDrainLimit.count() / 1000) + " s");
  parts.server->stop();
  parts.end_parts();
  // Who sent what failed before was told so; what counts at a stop is what is still under way.
  const auto flushed = parts.writer->flush(kDrainLimit);
  if (flushed) return {};
  const auto left = parts.writer->flush(Milliseconds(0));
  if (left) warn(flushed.error().message + " (an event or a dead letter that was not acknowledged)");
  return left;
}

Service::~Service()
{
  if (parts_->server) parts_->server->stop();
  parts_->end_parts();
}

Status Service::reload()
{
  auto& parts = *parts_;
  auto site = parts.read_site();
  if (!site) return site.error();
  Renewal renewal;
  if (parts.learner && parts.settings.rules) {
    auto rules = read_rules_file(*parts.settings.rules);
    if (!rules) return rules.error();
    renewal.rules = std::move(*rules);
  }
  if (parts.learner && parts.settings.catalog) {
    auto catalog = parts.read_catalog();
    if (!catalog) return catalog.error();
    renewal.catalog = std::move(*catalog);
  }
  parts.api->set_site(std::move(*site));
  if (parts.learner) parts.learner->renew(std::move(renewal));
  return {};
}

bool Service::alive()
{
  return parts_->server->alive() == parts_->server->threads();
}

std::string Service::status() const
{
  const auto& parts = *parts_;
  std::string text;
  const auto add = [&text](std::string_view name, std::uint64_t number) {
    if (!text.empty()) text += ", ";
    text += std::to_string(number);
    text += ' ';
    text += name;
  };
  if (parts.collector) add("events acknowledged", parts.collector->counts().acknowledged);
  if (parts.ingest) add("applied", parts.ingest->counts().accepted);
  if (parts.learner) add("learned", parts.learner->counts().events);
  if (parts.answers) {
    std::uint64_t answers = 0;
    for (const auto& tier : parts.answers->counts().tiers) answers += tier;
    add("answers", answers);
  }
  return text;
}

Status Service::failure() const
{
  if (parts_->collector)
    if (auto ended = parts_->collector->log_ended(); !ended) return ended;
  const std::lock_guard lock(parts_->mutex);
  return parts_->failed;
}

} // namespace attune
