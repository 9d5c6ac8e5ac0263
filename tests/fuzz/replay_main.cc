// The main of a fuzz target in the normal test build: gives it every file of its corpus, then mutations of them.
//
//   fuzz_NAME CORPUS…    ATTUNE_FUZZ_RUNS mutations (100000), drawn from ATTUNE_FUZZ_SEED (1); both are printed, and on a crash so is
//                        the number of the run it happened in. The same seed gives the same inputs everywhere.
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr std::size_t kMaxInput = 256 * 1024;

volatile std::sig_atomic_t run_now = -1; // -1: the corpus itself

extern "C" void on_crash(int signal)
{
  char text[64];
  const int length = std::snprintf(text, sizeof text, "crashed in run %d\n", static_cast<int>(run_now));
  [[maybe_unused]] const auto written = write(STDERR_FILENO, text, static_cast<std::size_t>(length));
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

// splitmix64: one state, the same everywhere.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}
  std::uint64_t below(std::uint64_t limit)
  {
    state_ += 0x9E3779B97F4A7C15;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return (z ^ (z >> 31)) % limit;
  }

 private:
  std::uint64_t state_;
};

std::uint64_t number_from(const char* variable, std::uint64_t otherwise)
{
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

std::string contents(const std::filesystem::path& path)
{
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> read_corpus(int argc, char** argv)
{
  std::vector<std::filesystem::path> paths;
  for (int i = 1; i < argc; ++i) {
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
      paths.push_back(entry.path());
    }
  }
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> corpus;
  for (const auto& path : paths) {
    corpus.push_back(contents(path));
  }
  return corpus;
}

void give(const std::string& input)
{
  // A copy of exactly this size, so that a sanitizer sees a read beyond it.
  const std::vector<std::uint8_t> bytes(input.begin(), input.end());
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

void mutate(std::string& input, const std::vector<std::string>& corpus, Dice& dice)
{
  static constexpr char kTellingBytes[] = "\0\x01\n\r\t \"\\{}[]:,-+.0eE19u\x7f\x80\xc0\xe2\xf0\xff";
  static constexpr std::string_view kTelling(kTellingBytes, sizeof kTellingBytes - 1);
  const std::size_t at = dice.below(input.size() + 1);
  const std::size_t length = dice.below(std::min<std::size_t>(input.size() - at, 16) + 1);
  switch (dice.below(7)) {
    case 0:
      input.insert(at, 1, kTelling[dice.below(kTelling.size())]);
      break;
    case 1:
      input.erase(at, length);
      break;
    case 2:
      input.insert(at, input.substr(at, length));
      break;
    case 3:
      input.insert(at, std::string(dice.below(3) == 0 ? dice.below(2000) : dice.below(8), kTelling[dice.below(kTelling.size())]));
      break;
    case 4: {
      const std::string& other = corpus[dice.below(corpus.size())];
      const std::size_t from = dice.below(other.size() + 1);
      input.insert(at, other, from, dice.below(64));
      break;
    }
    default:
      if (at < input.size()) {
        input[at] =
            dice.below(2) == 0 ? static_cast<char>(input[at] ^ (1 << dice.below(8))) : kTelling[dice.below(kTelling.size())];
      }
  }
  if (input.size() > kMaxInput) {
    input.resize(kMaxInput);
  }
}

} // namespace

int main(int argc, char** argv)
{
  const std::uint64_t seed = number_from("ATTUNE_FUZZ_SEED", 1);
  const std::uint64_t runs = number_from("ATTUNE_FUZZ_RUNS", 100'000);
  const std::vector<std::string> corpus = read_corpus(argc, argv);
  if (corpus.empty()) {
    std::fprintf(stderr, "%s: no corpus\n", argv[0]);
    return 1;
  }
  std::printf("%zu inputs, ATTUNE_FUZZ_SEED=%llu ATTUNE_FUZZ_RUNS=%llu\n", corpus.size(), static_cast<unsigned long long>(seed),
              static_cast<unsigned long long>(runs));
  std::fflush(stdout);
  for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) {
    std::signal(signal, on_crash);
  }
  give({});
  for (const std::string& input : corpus) {
    give(input);
  }
  Dice dice(seed);
  for (std::uint64_t run = 0; run < runs; ++run) {
    run_now = static_cast<std::sig_atomic_t>(run);
    std::string input = corpus[dice.below(corpus.size())];
    for (std::uint64_t edits = dice.below(6) + 1; edits > 0; --edits) {
      mutate(input, corpus, dice);
    }
    give(input);
  }
  return 0;
}
