#include "adapters/rocksdb_store.h"

#include <fcntl.h>
#include <rocksdb/db.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "contract/store_suite.h"

// RocksDB is not compiled with ThreadSanitizer, which therefore does not see how it synchronizes.
#ifdef __SANITIZE_THREAD__
extern "C" const char* __tsan_default_suppressions()
{
  return "called_from_lib:librocksdb.so\nrace:rocksdb::\n";
}
#endif

namespace attune::test {

const bool kProfilesExpire = true;

namespace {

struct TemporaryDirectory {
  std::filesystem::path path;
  TemporaryDirectory()
  {
    std::string name = (std::filesystem::temp_directory_path() / "attune-store-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error(name);
    path = name;
  }
  ~TemporaryDirectory()
  {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
};

// The customers of all generations of the unnamed namespace, as they stand in the files; nobody has the database open.
std::vector<std::string> customers_on_disk(const std::filesystem::path& directory)
{
  rocksdb::DB* raw = nullptr;
  if (!rocksdb::DB::OpenForReadOnly({}, directory, &raw).ok()) throw std::runtime_error("open for reading");
  const std::unique_ptr<rocksdb::DB> db(raw);
  const std::unique_ptr<rocksdb::Iterator> at(db->NewIterator({}));
  std::vector<std::string> customers;
  for (at->Seek("p"); at->Valid(); at->Next()) {
    const std::string key = at->key().ToString();
    customers.push_back(key.substr(key.rfind('/') + 1));
  }
  return customers;
}

constexpr int kOut = 3; // where a child tells its numbers
constexpr int kIn = 4; // where it is told to go on

void tell(int number)
{
  if (::write(kOut, &number, sizeof number) != sizeof number) ::_exit(1);
}

void wait_for_word()
{
  char byte = 0;
  if (::read(kIn, &byte, 1) != 1) ::_exit(1);
}

// --- What a child may be told to do ---

void hold(const std::string& directory)
{
  const auto store = need(open_rocksdb_store(directory, {}));
  tell(1);
  wait_for_word();
}

void write_before_and_after_a_word(const std::string& directory)
{
  const auto store = need(open_rocksdb_store(directory, {}));
  write_one(*store, "ann", "", "one");
  tell(1);
  wait_for_word();
  write_one(*store, "ann", "one", "two");
  write_one(*store, "bob", "", "new");
  tell(2);
  wait_for_word();
}

// Write number i goes to customer i % 50, and is told once it is acknowledged.
void write_for_ever(const std::string& directory)
{
  const auto store = need(open_rocksdb_store(directory, {}));
  for (int i = 1;; ++i) {
    const std::string before = i > 50 ? std::to_string(i - 50) : "";
    if (write_one(*store, "c" + std::to_string(i % 50), before, std::to_string(i)) == WriteOutcome::written) tell(i);
  }
}

struct Role {
  const char* name;
  void (*work)(const std::string& directory);
};
constexpr Role kRoles[] = {{"hold", hold}, {"write-twice", write_before_and_after_a_word}, {"write-for-ever", write_for_ever}};

// This program again, in a process of its own: a fork alone would lack RocksDB's threads.
class Child {
 public:
  Child(const std::string& role, const std::string& directory)
  {
    int out[2];
    int in[2];
    if (::pipe2(out, O_CLOEXEC) != 0 || ::pipe2(in, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      // Out of the way first: they may be 3 and 4 themselves.
      const int told = ::fcntl(out[1], F_DUPFD, 10);
      const int word = ::fcntl(in[0], F_DUPFD, 10);
      ::dup2(told, kOut);
      ::dup2(word, kIn);
      ::close(told);
      ::close(word);
      ::setenv("ATTUNE_TEST_CHILD", role.c_str(), 1);
      ::setenv("ATTUNE_TEST_DIRECTORY", directory.c_str(), 1);
      ::execl("/proc/self/exe", "contract_rocksdb_store", nullptr);
      ::_exit(127);
    }
    ::close(out[1]);
    ::close(in[0]);
    out_ = out[0];
    in_ = in[1];
  }
  ~Child()
  {
    kill();
    ::close(out_);
    ::close(in_);
  }
  void kill()
  {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  [[nodiscard]] pid_t pid() const { return pid_; }
  void give_word() const { BOOST_REQUIRE(::write(in_, "x", 1) == 1); }
  // Waits for the next number the child tells; nothing: it tells no more.
  std::optional<int> next() const
  {
    int number = 0;
    return ::read(out_, &number, sizeof number) == sizeof number ? std::optional(number) : std::nullopt;
  }

 private:
  pid_t pid_ = -1;
  int out_ = -1;
  int in_ = -1;
};

struct ActsAsChild {
  ActsAsChild()
  {
    const char* name = std::getenv("ATTUNE_TEST_CHILD");
    if (name == nullptr) return;
    for (const Role& role : kRoles) {
      if (std::string_view(role.name) == name) role.work(std::getenv("ATTUNE_TEST_DIRECTORY"));
    }
    ::_exit(0);
  }
};
BOOST_TEST_GLOBAL_FIXTURE(ActsAsChild);

} // namespace

// One handle keeps the database open from test to test.
std::unique_ptr<ProfileStore> open_store_under_test(const StoreOptions& options)
{
  static const TemporaryDirectory directory;
  static const std::unique_ptr<ProfileStore> keeps_it_open = need(open_rocksdb_store(directory.path, {}));
  return need(open_rocksdb_store(directory.path, options));
}

BOOST_AUTO_TEST_SUITE(rocksdb_store)

BOOST_AUTO_TEST_CASE(a_second_process_that_would_write_is_refused_and_told_who_holds_it)
{
  const TemporaryDirectory directory;
  const Child holder("hold", directory.path);
  BOOST_REQUIRE(holder.next().has_value());
  for (int round = 0; round < 2; ++round) {
    const auto refused = open_rocksdb_store(directory.path, {});
    BOOST_REQUIRE(!refused.ok());
    BOOST_TEST((refused.error().code == Code::busy));
    BOOST_TEST(refused.error().message.find("(process " + std::to_string(holder.pid()) + ")") != std::string::npos);
    BOOST_TEST(refused.error().message.find("contract_rocksdb_store") != std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(a_directory_may_be_opened_again_once_its_holder_is_gone)
{
  const TemporaryDirectory directory;
  Child holder("hold", directory.path);
  BOOST_REQUIRE(holder.next().has_value());
  holder.kill();
  BOOST_TEST(open_rocksdb_store(directory.path, {}).ok());
}

BOOST_AUTO_TEST_CASE(a_reader_in_another_process_sees_what_was_written_since_it_opened)
{
  const TemporaryDirectory directory;
  const Child writer("write-twice", directory.path);
  BOOST_REQUIRE(writer.next().has_value());
  StoreOptions reading;
  reading.read_only = true;
  const auto reader = need(open_rocksdb_store(directory.path, reading));
  BOOST_TEST(read_one(*reader, "ann").bytes == "one");
  BOOST_TEST(read_one(*reader, "bob").bytes.empty());
  writer.give_word();
  BOOST_REQUIRE(writer.next().has_value());
  BOOST_TEST(read_one(*reader, "ann").bytes == "two");
  BOOST_TEST(read_one(*reader, "bob").bytes == "new");
  BOOST_TEST(scan_all(*reader).size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_reader_learns_that_a_generation_was_published)
{
  const TemporaryDirectory directory;
  const auto store = need(open_rocksdb_store(directory.path, {}));
  write_one(*store, "ann", "", "old");
  StoreOptions reading;
  reading.read_only = true;
  const auto reader = need(open_rocksdb_store(directory.path, reading));
  BOOST_TEST(read_one(*reader, "ann").bytes == "old");
  const auto fresh = need(store->fresh_generation());
  write_one(*fresh, "ann", "", "new");
  need(fresh->publish_generation());
  std::vector<StoredProfile> out;
  const Status replaced = reader->get(std::vector{CustomerId("ann")}, out);
  BOOST_REQUIRE(!replaced.ok());
  BOOST_TEST((replaced.error().code == Code::replaced));
  BOOST_TEST((need(reader->incarnation()) == need(fresh->incarnation())));
  BOOST_TEST(read_one(*reader, "ann").bytes == "new");
}

BOOST_AUTO_TEST_CASE(there_is_nothing_to_read_where_no_store_is)
{
  StoreOptions reading;
  reading.read_only = true;
  const auto none = open_rocksdb_store("/nonexistent/attune", reading);
  BOOST_REQUIRE(!none.ok());
  BOOST_TEST((none.error().code == Code::unreachable));
  BOOST_TEST(none.error().message.find("rocksdb:///nonexistent/attune") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_was_acknowledged_survives_kill_9)
{
  const TemporaryDirectory directory;
  Child writer("write-for-ever", directory.path);
  int acknowledged = 0;
  while (acknowledged < 300) acknowledged = writer.next().value();
  writer.kill();
  while (const auto more = writer.next()) acknowledged = *more;

  const auto store = need(open_rocksdb_store(directory.path, {}));
  for (int i = acknowledged - 49; i <= acknowledged; ++i) {
    const std::string found = read_one(*store, "c" + std::to_string(i % 50)).bytes;
    // The write after the last acknowledged one may have been made too.
    BOOST_TEST((found == std::to_string(i) || (i == acknowledged - 49 && found == std::to_string(acknowledged + 1))));
  }
}

BOOST_AUTO_TEST_CASE(the_incarnation_and_the_profiles_survive_closing_and_opening)
{
  const TemporaryDirectory directory;
  auto store = need(open_rocksdb_store(directory.path, {}));
  const Incarnation before = need(store->incarnation());
  write_one(*store, "ann", "", "one");
  store.reset();
  store = need(open_rocksdb_store(directory.path, {}));
  BOOST_TEST((need(store->incarnation()) == before));
  BOOST_TEST(read_one(*store, "ann").bytes == "one");
}

BOOST_AUTO_TEST_CASE(a_store_begun_anew_in_the_same_place_is_another_incarnation)
{
  const TemporaryDirectory directory;
  auto store = need(open_rocksdb_store(directory.path, {}));
  const Incarnation before = need(store->incarnation());
  store.reset();
  std::filesystem::remove_all(directory.path);
  store = need(open_rocksdb_store(directory.path, {}));
  BOOST_TEST((need(store->incarnation()) != before));
}

BOOST_AUTO_TEST_CASE(a_generation_that_was_never_published_is_gone_at_the_next_opening)
{
  const TemporaryDirectory directory;
  auto store = need(open_rocksdb_store(directory.path, {}));
  write_one(*store, "ann", "", "kept");
  for (int i = 0; i < 16; ++i) write_one(*need(store->fresh_generation()), "ann", "", "left behind");
  auto published = need(store->fresh_generation());
  write_one(*published, "ann", "", "kept");
  need(published->publish_generation());
  for (int i = 0; i < 16; ++i) write_one(*need(published->fresh_generation()), "ann", "", "left behind");
  store.reset();
  published.reset();
  BOOST_TEST(customers_on_disk(directory.path).size() == 33u);
  store = need(open_rocksdb_store(directory.path, {}));
  const std::vector<std::pair<std::string, std::string>> expected{{"ann", "kept"}};
  BOOST_TEST((scan_all(*store) == expected));
  store.reset();
  BOOST_TEST((customers_on_disk(directory.path) == std::vector<std::string>{"ann"}));
}

BOOST_AUTO_TEST_CASE(two_ways_to_one_directory_lead_to_one_database)
{
  const TemporaryDirectory directory;
  const auto store = need(open_rocksdb_store(directory.path, {}));
  const auto same = need(open_rocksdb_store(directory.path / ".", {}));
  write_one(*store, "ann", "", "one");
  BOOST_TEST(read_one(*same, "ann").bytes == "one");
}

// Closing leaves the last writes in the log and opening makes a file of them; a few files are merged in the background.
BOOST_AUTO_TEST_CASE(merging_files_removes_expired_profiles_from_the_disk_and_no_others)
{
  const TemporaryDirectory directory;
  StoreOptions options;
  options.profile_ttl = Milliseconds(1);
  write_one(*need(open_rocksdb_store(directory.path, options)), "short", "", "x");
  options.profile_ttl.reset();
  write_one(*need(open_rocksdb_store(directory.path, options)), "for ever", "", "x");
  BOOST_TEST(customers_on_disk(directory.path).size() == 2u);
  for (std::string last = "x"; customers_on_disk(directory.path).size() > 2 || customers_on_disk(directory.path).back() != "last";
       last += "x") {
    const auto store = need(open_rocksdb_store(directory.path, options));
    write_one(*store, "last", last == "x" ? "" : last.substr(1), last);
  }
  BOOST_TEST((customers_on_disk(directory.path) == std::vector<std::string>{"for ever", "last"}));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace attune::test
