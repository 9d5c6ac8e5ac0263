// attune-profile: the profiles of a store: one of them to look at, all of them out and in, one forgotten, two lots compared.
#include "core/canonical_json.h"
#include "core/event_json.h"
#include "core/profile_json.h"
#include "pipeline/profile_transfer.h"
#include "pipeline/profile_writer.h"
#include "pipeline/recommend.h"
#include "places_options.h"
#include "service/progress.h"
#include "service/random.h"
#include "service/tool.h"

namespace attune {
namespace {

constexpr Milliseconds kFlushLimit = std::chrono::seconds(60);
constexpr std::size_t kLongestRecord = 256u << 20; // 576 events of 64 KiB, and what stands beside them

constexpr std::string_view kExamples =
    "Examples:\n"
    "  attune-profile get c13 --store rocksdb:profiles\n"
    "  attune-profile export --sort --store redis://db1 > profiles.ndjson\n"
    "  attune-profile diff profiles.ndjson rocksdb:profiles\n";

struct Settings {
  LogPlace log;
  StorePlace store;
  std::string customer;
  ViewOptions view;
  bool sort = false;
  bool replace = false;
  std::vector<std::string> files;
  std::string first, second;
};

class Program {
 public:
  Program(Tool& tool, Settings& settings) : tool_(tool), settings_(settings) {}

  Result<ExitStatus> get()
  {
    auto store = open(true);
    if (!store) return store.error();
    auto profile = read_profile(**store, CustomerId(settings_.customer));
    if (!profile) return profile.error();
    if (!*profile) {
      tool_.warn(settings_.customer + ": no profile");
      return ExitStatus::no;
    }
    append_profile_view(**profile, Catalog(), settings_.view, text_);
    return done(tool_.out().line(text_));
  }

  Result<ExitStatus> export_all()
  {
    auto store = open(true);
    if (!store) return store.error();
    Progress progress("profiles", !tool_.quiet());
    std::uint64_t count = 0;
    return done(export_profiles(**store, settings_.sort, [&](const Profile& profile) {
      text_.clear();
      append_profile_record(profile, text_);
      progress.update(++count);
      return tool_.out().line(text_);
    }));
  }

  Result<ExitStatus> import_all()
  {
    auto store = open(false);
    if (!store) return store.error();
    ProfileImport into(**store, settings_.replace ? ProfileImport::Manner::replace : ProfileImport::Manner::merge);
    auto status = read_records(settings_.files, [&](Profile profile) { return into.add(std::move(profile)); });
    if (!status) return status;
    if (auto flushed = into.flush(); !flushed) return flushed.error();
    return status;
  }

  Result<ExitStatus> forget()
  {
    if (settings_.log.url.empty() == settings_.store.url.empty()) {
      return Error{Code::usage, "forget: needs --log, to tell all who read it, or --store, to do it in one store; not both"};
    }
    if (auto checked = settings_.log.check(); !checked) return checked.error();
    auto event = forget_event();
    if (!event) return event.error();
    return done(settings_.log.url.empty() ? apply(*event) : append(*event));
  }

  Result<ExitStatus> diff()
  {
    auto first = digests(settings_.first);
    if (!first) return first.error();
    auto second = digests(settings_.second);
    if (!second) return second.error();
    Status written;
    ExitStatus status = unread_ == 0 ? ExitStatus::done : ExitStatus::bad_data;
    for_each_difference(*first, *second, [&](const CustomerId& customer, Difference difference) {
      if (status == ExitStatus::done) status = ExitStatus::no;
      text_ = "{\"customer\":";
      append_json_string(customer.text, text_);
      text_.append(",\"difference\":\"").append(name_of(difference)).append("\"}");
      if (written) written = tool_.out().line(text_);
    });
    return written ? Result<ExitStatus>(status) : written.error();
  }

 private:
  static Result<ExitStatus> done(const Status& status)
  {
    if (!status) return status.error();
    return ExitStatus::done;
  }

  static std::string_view name_of(Difference difference)
  {
    switch (difference) {
      case Difference::missing:
        return "missing";
      case Difference::added:
        return "added";
      case Difference::changed:
        break;
    }
    return "changed";
  }

  Result<std::unique_ptr<ProfileStore>> open(bool read_only)
  {
    if (auto checked = settings_.log.check(); !checked) return checked.error();
    return settings_.store.open(settings_.log.name_space, read_only);
  }

  // Hands out the records of files; lines that are none are named on standard error. ERRORS: also those of `take`.
  Result<ExitStatus> read_records(const std::vector<std::string>& files, const std::function<Status(Profile)>& take)
  {
    LineReader lines(files, kLongestRecord);
    Progress progress("profiles", !tool_.quiet());
    ExitStatus status = ExitStatus::done;
    for (std::uint64_t count = 0;;) {
      auto line = lines.next();
      if (!line) return line.error();
      if (!*line) return status;
      auto profile = parse_profile_record((*line)->text);
      if (!profile) {
        report((*line)->place() + ": " + profile.error().text());
        status = ExitStatus::bad_data;
        continue;
      }
      if (auto taken = take(std::move(*profile)); !taken) return taken.error();
      const auto total = lines.bytes_total();
      progress.update(++count, total && *total > 0 ? std::optional(double(lines.bytes_read()) / double(*total)) : std::nullopt);
    }
  }

  // Said even with -q: it is why the exit status is 65.
  void report(const std::string& text)
  {
    ++unread_;
    erase_progress();
    std::fprintf(stderr, "%s: %s\n", tool_.name().c_str(), text.c_str());
  }

  Result<Event> forget_event()
  {
    Event event;
    event.type = EventType::forget;
    event.customer = CustomerId(settings_.customer);
    if (const auto checked = check_text(settings_.customer, kMaxCustomerBytes); !checked)
      return Error{Code::usage, "customer: " + std::string(checked.error())};
    Entry entry;
    entry.received = SystemClock().now();
    random_bytes(std::as_writable_bytes(std::span(entry.random)));
    if (const auto whole = complete(event, entry); !whole) return Error{Code::usage, whole.error().text()};
    return event;
  }

  Status append(const Event& event)
  {
    auto log = open_log_writer(settings_.log.url, settings_.log.options());
    if (!log) return log.error();
    append_event_json(event, text_);
    const std::string topic = settings_.log.name_of(kIdentityTopic);
    OutgoingRecord record;
    record.topic = topic;
    record.key = event.customer.text;
    record.value = text_;
    if (auto appended = (*log)->append(record); !appended) return appended;
    return (*log)->flush(kFlushLimit);
  }

  Status apply(const Event& event)
  {
    auto store = open(false);
    if (!store) return store.error();
    ProfileWriterOptions options;
    options.give_up = kFlushLimit;
    ProfileWriter writer(**store, options);
    const Event* const events[] = {&event};
    std::vector<Verdict> verdicts;
    return writer.apply(events, verdicts);
  }

  // Of a store, when `place` is a URL, else of the records of a file.
  Result<ProfileDigests> digests(const std::string& place)
  {
    if (place.find(':') != std::string::npos && parse_place_url(place)) {
      settings_.store.url = place;
      auto store = open(true);
      if (!store) return store.error();
      return digests_of(**store);
    }
    ProfileDigests digests;
    std::string bytes;
    auto read = read_records({place}, [&](const Profile& profile) -> Status {
      encode_profile(profile, bytes);
      if (digests.emplace(profile.customer, digest_of(bytes)).second) return {};
      return Error{Code::bad_data, (place == "-" ? "stdin" : place) + ": two records of customer " + profile.customer.text};
    });
    if (!read) return read.error();
    return digests;
  }

  Tool& tool_;
  Settings& settings_;
  std::string text_;
  std::uint64_t unread_ = 0;
};

void declare(Tool& tool, Settings& settings, Program& program)
{
  constexpr const char* kStore = "the profiles: redis://HOST:PORT, redis+unix:///SOCKET or rocksdb:///DIR";
  tool.option("--namespace", settings.log.name_space, "NAME", "prefix of topics and keys: [a-z0-9-]+");

  Command& get = tool.command("get", "print the profile of a customer, for people", [&] { return program.get(); });
  get.operand("CUSTOMER", settings.customer, "whose; of an alias, the customer it became");
  get.option("--store", settings.store.url, "URL", kStore).required();
  settings.store.declare_password(get);
  get.flag("--items", settings.view.items, "what was done with each item, too");
  get.flag("--recent", settings.view.recent, "the recent events, too");
  get.parsed("--at", "TIME", "windows, session and affinity as of then: RFC 3339, or ms since 1970 (the newest event's time)",
             [&](const std::string& text) { return parse_time(text, settings.view.at); });

  Command& out = tool.command("export", "print the record of every profile", [&] { return program.export_all(); });
  out.option("--store", settings.store.url, "URL", kStore).required();
  settings.store.declare_password(out);
  out.flag("--sort", settings.sort, "in the order of customers");

  Command& in = tool.command("import", "put records into a store", [&] { return program.import_all(); });
  settings.store.declare(in, kStore);
  in.find("store")->required();
  in.flag("--replace", settings.replace, "instead of what the store has of a customer, not merged with it");
  in.operands("FILE", settings.files, "read these instead of standard input; - is standard input");

  Command& forget = tool.command("forget", "forget a customer", [&] { return program.forget(); });
  forget.operand("CUSTOMER", settings.customer, "whom");
  forget.option("--log", settings.log.url, "URL", "append the event to this log: all who read it forget");
  settings.log.declare_settings(forget);
  settings.store.declare(forget, "do it in this store alone");

  Command& diff = tool.command("diff", "compare the profiles of two stores or exports", [&] { return program.diff(); });
  diff.operand("A", settings.first, "a store's URL, or a file of records; - is standard input");
  diff.operand("B", settings.second, "likewise");
  settings.store.declare_password(diff);
}

} // namespace
} // namespace attune

int main(int argc, char** argv)
{
  using namespace attune;
  Tool tool("attune-profile", "look at profiles, move them, compare them, forget them", std::string(kExamples));
  Settings settings;
  Program program(tool, settings);
  declare(tool, settings, program);
  declare_libraries(tool);
  return tool.run(argc, argv);
}
