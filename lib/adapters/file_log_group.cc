// Members agree without talking: each reads the same directory, computes the same assignment, gives up what is not its own and
// takes what is its own when the lock is free. The lock, not the computation, is what keeps two of them apart; a moment of
// disagreement costs a moment without an owner.
#include "adapters/file_log_group.h"

#include <fcntl.h>
#include <simdjson.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <map>
#include <random>
#include <set>

#include "adapters/durable_file.h"
#include "adapters/envelope.h"
#include "adapters/file_log_reading.h"
#include "adapters/file_log_topics.h"

namespace attune {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr Milliseconds kLookAgain = std::chrono::seconds(1); // without any news
constexpr Milliseconds kLookAgainSoon{10}; // while something of ours is still held, or somebody may just have died
constexpr Milliseconds kUnrest{200}; // how long after news

// Where the files of a group are.
struct GroupFiles {
  std::string path;
  GroupFiles(const std::string& log_dir, std::string_view group) : path(log_dir + "/.groups/" + std::string(group)) {}

  [[nodiscard]] std::string members() const { return path + "/members"; }
  [[nodiscard]] std::string owners() const { return path + "/owners"; }
  [[nodiscard]] static std::string name_of(const TopicPartition& at) { return at.topic + "." + std::to_string(at.partition); }
  [[nodiscard]] std::string position(const TopicPartition& at) const { return path + "/" + name_of(at); }
  [[nodiscard]] std::string owner(const TopicPartition& at) const { return owners() + "/" + name_of(at); }

  Status make(const FileSync& sync) const
  {
    if (auto status = make_directory(members(), sync); !status.ok()) {
      return status;
    }
    return make_directory(owners(), sync);
  }
};

std::string position_json(const StoredPosition& position)
{
  std::string out = "{\"offset\":" + std::to_string(position.offset) + ",\"note\":";
  append_json_bytes(position.note, out);
  out += "}\n";
  return out;
}

Result<std::optional<StoredPosition>> read_position(const std::string& path)
{
  const auto json = read_file(path);
  if (!json.ok()) {
    return json.error();
  }
  if (!*json) {
    return std::optional<StoredPosition>();
  }
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  StoredPosition out;
  std::string_view note;
  if (parser.parse(**json).get(object) != simdjson::SUCCESS || object["offset"].get(out.offset) != simdjson::SUCCESS ||
      object["note"].get(note) != simdjson::SUCCESS) {
    return Error{Code::io, path + ": not a position"};
  }
  out.note = note;
  return std::optional(std::move(out));
}

Status write_positions(const GroupFiles& files, const std::vector<std::pair<TopicPartition, StoredPosition>>& positions,
                       const FileSync& sync)
{
  std::vector<FileContent> contents;
  for (const auto& [at, position] : positions) {
    if (!simdjson::validate_utf8(position.note)) {
      return Error{Code::usage, to_string(at) + ": the note of a position is not UTF-8"};
    }
    contents.push_back({GroupFiles::name_of(at), position_json(position)});
  }
  return contents.empty() ? Status() : replace_files(files.path, contents, sync);
}

// Sorted by time of birth, so that a newcomer is last.
std::string new_member_id(Timestamp now)
{
  char id[64];
  std::snprintf(id, sizeof id, "%016llx-%d-%08x", static_cast<unsigned long long>(now.ms), static_cast<int>(::getpid()),
                static_cast<unsigned>(std::random_device()()));
  return id;
}

std::string member_json(const std::vector<std::string>& topics)
{
  std::string out = "{\"pid\":" + std::to_string(::getpid()) + ",\"topics\":[";
  for (std::size_t i = 0; i < topics.size(); ++i) {
    out += i == 0 ? "" : ",";
    append_json_bytes(topics[i], out);
  }
  return out + "]}\n";
}

std::set<std::string> topics_of_member(const std::string& json)
{
  std::set<std::string> topics;
  simdjson::dom::parser parser;
  simdjson::dom::array array;
  if (parser.parse(json)["topics"].get(array) == simdjson::SUCCESS) {
    for (const auto element : array) {
      std::string_view topic;
      if (element.get(topic) == simdjson::SUCCESS) {
        topics.emplace(topic);
      }
    }
  }
  return topics;
}

// Whether the process behind a member's file lives. Asked with a shared lock, so that two who ask do not take each other for it;
// closing a file that was open for reading disturbs no watch. The file of a dead one is taken away.
Result<bool> is_alive(const std::string& path)
{
  const auto file = open_if_there(path, O_RDONLY);
  if (!file.ok()) {
    return file.error();
  }
  if (!*file) {
    return false;
  }
  if (::flock((**file).get(), LOCK_SH | LOCK_NB) != 0) {
    return errno == EWOULDBLOCK ? Result<bool>(true) : Result<bool>(file_error(path, "flock", errno));
  }
  ::unlink(path.c_str());
  return false;
}

// Live members and their topics, in order of rank. `self` is alive without asking.
Result<std::map<std::string, std::set<std::string>>> live_members(const GroupFiles& files, const std::string& self)
{
  std::map<std::string, std::set<std::string>> out;
  const auto names = names_in(files.members());
  if (!names.ok()) {
    return names.error();
  }
  for (const auto& name : *names) {
    if (name.front() == '.') {
      continue; // not born yet
    }
    const std::string path = files.members() + "/" + name;
    const auto alive = name == self ? Result<bool>(true) : is_alive(path);
    if (!alive.ok()) {
      return alive.error();
    }
    const auto json = *alive ? read_file(path) : Result<std::optional<std::string>>(std::optional<std::string>());
    if (!json.ok()) {
      return json.error();
    }
    if (*json) {
      out.emplace(name, topics_of_member(**json));
    }
  }
  return out;
}

class FileLogGroup final : public FileLogPort<LogGroup> {
 public:
  FileLogGroup(std::unique_ptr<FileLogReading> reading, std::string_view group)
      : FileLogPort(std::move(reading)), files_(this->reading().options().dir, group)
  {
  }
  ~FileLogGroup() override { vanish(); }

  Status join(const std::vector<std::string>& topics, GroupListener& listener) override
  {
    ATTUNE_ASSERT(listener_ == nullptr);
    for (const auto& topic : topics) {
      if (auto status = check_topic_name(topic); !status.ok()) {
        return status;
      }
    }
    const FileLogOptions& options = reading().options();
    if (auto status = files_.make(options.sync); !status.ok()) {
      return status;
    }
    for (const auto& watched : {files_.members(), files_.owners(), options.dir}) {
      if (auto status = reading().watch().add_directory(watched); !status.ok()) {
        return status;
      }
    }
    if (auto status = be_born(topics); !status.ok()) {
      return status;
    }
    listener_ = &listener;
    look_again_ = SteadyClock::now();
    return {};
  }

  Result<std::optional<StoredPosition>> stored(const TopicPartition& at) override { return read_position(files_.position(at)); }

  Status store(const std::vector<std::pair<TopicPartition, StoredPosition>>& positions) override
  {
    for (const auto& [at, position] : positions) {
      if (!owned_.contains(at)) {
        return Error{Code::stopped, to_string(at) + ": not ours any more"};
      }
    }
    return write_positions(files_, positions, reading().options().sync);
  }
  // A rename is quick: done when begun.
  Status begin_store(const std::vector<std::pair<TopicPartition, StoredPosition>>& positions) override
  {
    outcome_ = store(positions);
    return *outcome_;
  }
  std::optional<Status> stored_outcome(Milliseconds) override { return std::exchange(outcome_, std::nullopt); }

  Status leave() override
  {
    if (listener_ == nullptr) {
      return {};
    }
    if (auto status = give_up(std::vector(owned_.begin(), owned_.end())); !status.ok()) {
      return status;
    }
    vanish();
    return {};
  }

  Status wait(Milliseconds limit) override
  {
    const auto deadline = SteadyClock::now() + limit;
    if (listener_ == nullptr) {
      return reading().wait(limit);
    }
    const auto changed = balance_if_due();
    if (!changed.ok()) {
      return changed.error();
    }
    const auto now = SteadyClock::now();
    const auto until = std::max(now, std::min(*changed ? now : deadline, look_again_));
    if (auto status = reading().wait(std::chrono::ceil<Milliseconds>(until - now)); !status.ok()) {
      return status;
    }
    const auto after = balance_if_due();
    return after.ok() ? Status() : Status(after.error());
  }

 private:
  // The member's file is locked before it gets its name: whoever sees it unlocked knows it is dead.
  Status be_born(const std::vector<std::string>& topics)
  {
    id_ = new_member_id(reading().options().clock->now());
    const std::string unborn = files_.members() + "/." + id_;
    auto file = open_file(unborn, O_RDWR | O_CREAT | O_EXCL);
    if (!file.ok()) {
      return file.error();
    }
    if (const auto locked = try_lock(file->get(), unborn); !locked.ok()) {
      return locked.error();
    }
    if (auto status = write_at(file->get(), unborn, member_json(topics), 0); !status.ok()) {
      return status;
    }
    if (::rename(unborn.c_str(), (files_.members() + "/" + id_).c_str()) != 0) {
      return file_error(unborn, "rename", errno);
    }
    self_ = std::move(*file);
    return {};
  }

  void vanish()
  {
    if (!self_) {
      return;
    }
    ::unlink((files_.members() + "/" + id_).c_str());
    owner_files_.clear();
    owned_.clear();
    self_ = FileDescriptor();
    listener_ = nullptr;
  }

  // Whether a callback was made.
  Result<bool> balance_if_due()
  {
    const auto now = SteadyClock::now();
    const std::uint64_t news = directory_news();
    if (news != seen_news_) {
      seen_news_ = news;
      unrest_until_ = now + kUnrest;
    } else if (now < look_again_) {
      return false;
    }
    const auto changed = balance();
    const bool soon = missing_ || SteadyClock::now() < unrest_until_;
    look_again_ = SteadyClock::now() + (soon ? kLookAgainSoon : kLookAgain);
    return changed;
  }

  [[nodiscard]] std::uint64_t directory_news() { return reading().watch().directory_changes(); }

  Result<bool> balance()
  {
    const auto target = target_of_mine();
    if (!target.ok()) {
      return target.error();
    }
    std::vector<TopicPartition> too_many;
    std::set_difference(owned_.begin(), owned_.end(), target->begin(), target->end(), std::back_inserter(too_many));
    if (auto status = give_up(too_many); !status.ok()) {
      return status.error();
    }
    std::vector<TopicPartition> wanted;
    std::set_difference(target->begin(), target->end(), owned_.begin(), owned_.end(), std::back_inserter(wanted));
    const auto taken = take(wanted);
    if (!taken.ok()) {
      return taken.error();
    }
    missing_ = *taken < wanted.size();
    return !too_many.empty() || *taken > 0;
  }

  // Partition i of all that are read in the group goes to one of the members that read its topic, by i.
  Result<std::set<TopicPartition>> target_of_mine()
  {
    const auto members = live_members(files_, id_);
    if (!members.ok()) {
      return members.error();
    }
    std::map<std::string, std::vector<std::string>> readers; // topic -> ids, by rank
    for (const auto& [id, topics] : *members) {
      for (const auto& topic : topics) {
        readers[topic].push_back(id);
      }
    }
    std::set<TopicPartition> mine;
    std::size_t index = 0;
    for (const auto& [topic, ids] : readers) {
      const auto settings = read_topic_settings(reading().options().dir, topic);
      if (!settings.ok()) {
        return settings.error();
      }
      for (std::int32_t p = 0; *settings && p < (*settings)->partitions; ++p, ++index) {
        if (ids[index % ids.size()] == id_) {
          mine.insert({topic, p});
        }
      }
    }
    return mine;
  }

  Status give_up(const std::vector<TopicPartition>& partitions)
  {
    if (partitions.empty()) {
      return {};
    }
    listener_->revoked(partitions, false);
    for (const auto& at : partitions) {
      reading().stop(at);
      owned_.erase(at);
      const int fd = owner_files_.at(at).get();
      unlock(fd);
      // Tells those who wait for it, after the lock is free.
      if (::ftruncate(fd, 0) != 0) {
        return file_error(files_.owner(at), "ftruncate", errno);
      }
    }
    return {};
  }

  // The number taken.
  Result<std::size_t> take(const std::vector<TopicPartition>& wanted)
  {
    std::vector<TopicPartition> taken;
    for (const auto& at : wanted) {
      const auto locked = lock_owner_file(at);
      if (!locked.ok()) {
        return locked.error();
      }
      if (*locked) {
        taken.push_back(at);
      }
    }
    owned_.insert(taken.begin(), taken.end());
    if (!taken.empty()) {
      listener_->assigned(taken);
    }
    return taken.size();
  }

  // Files that were opened once stay open: closing one would wake everybody who waits for it.
  Result<bool> lock_owner_file(const TopicPartition& at)
  {
    const std::string path = files_.owner(at);
    FileDescriptor& file = owner_files_[at];
    if (!file) {
      auto opened = open_file(path, O_RDWR | O_CREAT);
      if (!opened.ok()) {
        return opened.error();
      }
      file = std::move(*opened);
    }
    const auto locked = try_lock(file.get(), path);
    if (!locked.ok() || !*locked) {
      return locked;
    }
    if (auto status = write_at(file.get(), path, id_ + "\n", 0); !status.ok()) {
      return status.error();
    }
    return true;
  }

  GroupFiles files_;
  GroupListener* listener_ = nullptr; // while joined
  std::string id_;
  FileDescriptor self_;
  std::map<TopicPartition, FileDescriptor> owner_files_;
  std::optional<Status> outcome_; // of the last begin_store(), until it is told
  std::set<TopicPartition> owned_;
  bool missing_ = false; // something of ours is still somebody else's
  std::uint64_t seen_news_ = 0;
  SteadyClock::time_point look_again_;
  SteadyClock::time_point unrest_until_;
};

} // namespace

Status store_positions_without_members(const FileLogOptions& options, std::string_view group,
                                       const std::vector<std::pair<TopicPartition, StoredPosition>>& positions)
{
  if (auto status = check_topic_name(group); !status.ok()) {
    return Error{Code::usage, "group '" + std::string(group.substr(0, 64)) + "': not a name of a group"};
  }
  const GroupFiles files(options.dir, group);
  if (auto status = files.make(options.sync); !status.ok()) {
    return status;
  }
  const auto members = live_members(files, "");
  if (!members.ok()) {
    return members.error();
  }
  if (!members->empty()) {
    return Error{Code::busy, "group " + std::string(group) + ": has " + std::to_string(members->size()) + " members"};
  }
  return write_positions(files, positions, options.sync);
}

Result<std::unique_ptr<LogGroup>> open_file_log_group(const FileLogOptions& options, std::string_view group)
{
  if (auto status = check_topic_name(group); !status.ok()) {
    return Error{Code::usage, "group '" + std::string(group.substr(0, 64)) + "': not a name of a group"};
  }
  auto reading = FileLogReading::open(options);
  if (!reading.ok()) {
    return reading.error();
  }
  return std::unique_ptr<LogGroup>(std::make_unique<FileLogGroup>(std::move(*reading), group));
}

} // namespace attune
