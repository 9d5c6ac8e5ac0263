#include "pipeline/produce.h"

#include <algorithm>

#include "core/catalog.h"
#include "core/column_map.h"
#include "core/event_proto.h"

namespace attune {

namespace {

constexpr std::size_t kEventTypes = static_cast<std::size_t>(EventType::custom) + 1;
constexpr std::size_t kMostReturned = 64; // kinds of dead letters remembered at a time
const Header kProtobufHeader{kContentTypeHeader, kProtobufContentType};

Reject as_reject(const Error& error)
{
  const auto colon = error.message.find(": ");
  if (colon == std::string::npos) return Reject{"", error.message};
  return Reject{error.message.substr(0, colon), error.message.substr(colon + 2)};
}

} // namespace

// What one input became. Views live until the intake reads again.
struct Producer::Sending {
  std::string_view topic;
  std::int32_t partition = kPartitionByKey;
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;
  std::span<const Header> headers;
  std::optional<Timestamp> timestamp;
  std::string_view id;
};

// One format: the bytes of one input become one Sending.
class Producer::Intake {
 public:
  virtual ~Intake() = default;
  // False: nothing to send, and no error.
  virtual Result<bool, Reject> read(std::string_view text, Sending& out) = 0;
};

class Producer::EventIntake final : public Producer::Intake {
 public:
  EventIntake(InputFormat format, const ProduceOptions& options, const EntryPlace& entry)
      : input_(format, options.columns, entry), own_(format == InputFormat::attune), options_(options)
  {
    for (std::size_t i = 1; i < kEventTypes; ++i)
      topics_[i] = options.topic.empty() ? in_namespace(options.name_space, topic_of(static_cast<EventType>(i))) : options.topic;
  }

  Result<bool, Reject> read(std::string_view text, Sending& out) override
  {
    const auto found = input_.read(text, event_);
    if (!found) return found.error();
    if (*found == EventInput::Found::nothing) return false;

    out.topic = topics_[static_cast<std::size_t>(event_.type)];
    out.key = event_.customer.text;
    out.id = event_.id.text;
    if (options_.wire == WireFormat::protobuf) {
      value_.clear();
      append_event_proto(event_, value_);
      out.value = value_;
      out.headers = {&kProtobufHeader, 1};
    } else if (own_ && *found == EventInput::Found::as_it_was) {
      out.value = text;
    } else {
      value_.clear();
      append_event_json(event_, value_);
      out.value = value_;
    }
    return true;
  }

 private:
  EventInput input_;
  bool own_; // a whole event may travel as it came
  const ProduceOptions& options_;
  std::array<std::string, kEventTypes> topics_;
  Event event_;
  std::string value_;
};

class Producer::CatalogIntake final : public Producer::Intake {
 public:
  explicit CatalogIntake(const ProduceOptions& options)
      : topic_(options.topic.empty() ? in_namespace(options.name_space, kCatalogTopic) : options.topic)
  {
  }

  Result<bool, Reject> read(std::string_view text, Sending& out) override
  {
    text = trimmed(text);
    if (text.empty()) return false;
    auto item = parse_catalog_item(text);
    if (!item) return item.error();
    item_ = std::move(*item);
    out.topic = topic_;
    out.key = item_.item.text;
    out.id = item_.item.text;
    out.value = text;
    return true;
  }

 private:
  std::string topic_;
  CatalogItem item_;
};

class Producer::EnvelopeIntake final : public Producer::Intake {
 public:
  EnvelopeIntake(const ProduceOptions& options, const ProduceParts& parts) : options_(options), parts_(parts) {}

  Result<bool, Reject> read(std::string_view text, Sending& out) override
  {
    if (trimmed(text).empty()) return false;
    given_ = {};
    if (auto parsed = parts_.envelope(text, given_); !parsed) return as_reject(parsed.error());
    if (options_.topic.empty() && (!given_.topic || given_.topic->empty())) return Reject{"topic", "missing"};
    out.topic = options_.topic.empty() ? *given_.topic : std::string_view(options_.topic);
    if (options_.keep_partition && given_.partition) out.partition = *given_.partition;
    out.key = given_.key;
    out.value = given_.value;
    out.headers = given_.headers;
    out.timestamp = given_.timestamp;
    return true;
  }

 private:
  const ProduceOptions& options_;
  const ProduceParts& parts_;
  GivenRecord given_;
};

class Producer::RawIntake final : public Producer::Intake {
 public:
  explicit RawIntake(const ProduceOptions& options) : topic_(options.topic) {}

  Result<bool, Reject> read(std::string_view text, Sending& out) override
  {
    out.topic = topic_;
    out.value = text;
    return true;
  }

 private:
  std::string topic_;
};

Producer::Producer(ProduceOptions options, ProduceParts parts)
    : options_(std::move(options)),
      parts_(std::move(parts)),
      entry_{parts_.clock, parts_.randomness, options_.currency},
      splitter_(
          options_.format == InputFormat::csv && options_.columns ? std::optional(options_.columns->separator()) : std::nullopt,
          [this](const InputSplitter::Input& input) { return take_input(input); })
{
  ATTUNE_ASSERT(parts_.dead_letters && parts_.clock && (parts_.log || parts_.lines));
  if (options_.format != InputFormat::dead_letters) intake_ = make_intake(options_.format);
}

Producer::~Producer() = default;

std::unique_ptr<Producer::Intake> Producer::make_intake(InputFormat format)
{
  switch (format) {
    case InputFormat::attune:
    case InputFormat::segment:
    case InputFormat::cloudevents:
    case InputFormat::protobuf:
      return std::make_unique<EventIntake>(format, options_, entry_);
    case InputFormat::csv:
      if (!options_.columns) return nullptr;
      return std::make_unique<EventIntake>(format, options_, entry_);
    case InputFormat::catalog:
      return std::make_unique<CatalogIntake>(options_);
    case InputFormat::envelope:
      if (!parts_.envelope) return nullptr;
      return std::make_unique<EnvelopeIntake>(options_, parts_);
    case InputFormat::raw:
      if (options_.topic.empty()) return nullptr;
      return std::make_unique<RawIntake>(options_);
    case InputFormat::dead_letters:
      return nullptr;
  }
  return nullptr;
}

Status Producer::take(const InputLine& line)
{
  ++lines_;
  return splitter_.take(line);
}

Status Producer::take_input(const InputSplitter::Input& input)
{
  source_ = input.source;
  const auto format = options_.format == InputFormat::attune ? std::string_view{} : format_name(options_.format);
  if (input.over > 0) return reject(input.too_long(), input.text, input.number, format, input.header);
  if (options_.format == InputFormat::dead_letters) return take_returned(input.text, input.number);
  if (input.begins) intake_ = make_intake(options_.format);
  ATTUNE_ASSERT(intake_);
  return take_one(*intake_, input.text, input.number, format, std::string(input.header));
}

Status Producer::take_one(Intake& intake, std::string_view text, std::uint64_t number, std::string_view format,
                          std::string_view header)
{
  Sending sending;
  const auto read = intake.read(text, sending);
  if (!read) return reject(read.error(), text, number, format, header);
  if (!*read) return {};
  const auto sent = send(sending);
  if (sent || sent.error().code != Code::bad_data) return sent;
  return reject(as_reject(sent.error()), text, number, format, header);
}

// --- Dead letters that come back ---------------------------------------------------------------------------------------------

Producer::Intake* Producer::intake_of(InputFormat format, const std::string& header)
{
  const std::pair key{format, header};
  if (const auto found = returned_.find(key); found != returned_.end()) return found->second.get();
  auto intake = make_intake(format);
  if (!intake) return nullptr;
  if (format == InputFormat::csv) {
    Sending none;
    if (auto read = intake->read(header, none); !read || *read) return nullptr;
  }
  if (returned_.size() >= kMostReturned) returned_.clear();
  return (returned_[key] = std::move(intake)).get();
}

Status Producer::take_returned(std::string_view text, std::uint64_t number)
{
  if (trimmed(text).empty()) return {};
  const auto letter = parse_dead_letter(text);
  if (!letter) return reject(letter.error(), text, number, format_name(InputFormat::dead_letters), "");
  const auto format = letter->format.empty() ? std::optional(options_.returned) : format_named(letter->format);
  auto* intake = format ? intake_of(*format, letter->header) : nullptr;
  if (!intake)
    return reject({"format", "can not be read here: " +
                                 (letter->format.empty() ? std::string(format_name(options_.returned)) : letter->format)},
                  text, number, format_name(InputFormat::dead_letters), "");
  return take_one(*intake, letter->value, number, letter->format, letter->header);
}

// --- Out -----------------------------------------------------------------------------------------------------------------------

LogWriter::Delivered Producer::on_delivery(const Sending& sending)
{
  if (!parts_.acknowledged) return {}; // the log counts
  return [this, topic = std::string(sending.topic), id = std::string(sending.id)](const Result<Placed>& placed) {
    const auto told = told_.fetch_add(1) + 1;
    if (placed) parts_.acknowledged({topic, placed->partition}, placed->offset, id, told == sent_.load());
  };
}

Status Producer::send(const Sending& sending)
{
  sent_.store(sent_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  if (!parts_.log) return parts_.lines(sending.value.value_or("null"));
  auto appended = parts_.log->append(
      {sending.topic, sending.partition, sending.key, sending.value, sending.headers, sending.timestamp}, on_delivery(sending));
  if (appended) return appended;
  sent_.store(sent_.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
  return appended.error().code == Code::bad_data ? appended : unacknowledged(appended.error());
}

bool Producer::failed() const
{
  return parts_.log && parts_.log->delivery_failed();
}

ProduceCounts Producer::counts() const
{
  const auto sent = sent_.load();
  // Dead letters may be under way in the same log: no more than that many too few.
  const auto acknowledged = parts_.log ? sent - std::min(sent, parts_.log->undelivered()) : 0;
  return {lines_, sent, acknowledged, rejected_};
}

Status Producer::reject(const Reject& reason, std::string_view text, std::uint64_t number, std::string_view format,
                        std::string_view header)
{
  ++rejected_;
  const auto place = source_ + ':' + std::to_string(number);
  return parts_.dead_letters->put({place, reason.field, reason.reason, text, parts_.clock->now(), format, header});
}

Error Producer::unacknowledged(const Error& cause) const
{
  const auto now = counts();
  // A peer that was away for as long as anybody was willing to wait: worth another try later.
  const auto code = cause.code == Code::unreachable ? Code::busy : cause.code;
  if (now.sent == 0) return {code, cause.message};
  return {code, cause.message + " (" + std::to_string(now.sent - now.acknowledged) + " of " + std::to_string(now.sent) +
                    " records are not acknowledged)"};
}

Status Producer::finish(Milliseconds limit)
{
  if (auto ended = splitter_.finish(); !ended) return ended;
  Status flushed;
  if (parts_.log) flushed = parts_.log->flush(limit);
  const auto buried = parts_.dead_letters->flush(limit);

  if (!flushed) return unacknowledged(flushed.error());
  return buried;
}

} // namespace attune
