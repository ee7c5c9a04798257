// Runs a fuzz target without libFuzzer: replays its corpus, then plays mutations that a seed determines.
//
//     segment_fuzz [--corpus DIR] [--runs N] [--seconds S] [--seed S] [FILE...]
//
// With FILEs, runs only these.  Ends after N mutations or S seconds, whichever comes first, and says how many
// it did; run K of a seed is the same input every time.  An input that crashes, is caught by a sanitizer,
// throws, or takes over kHangSeconds is printed in hexadecimal and left in a file that FILE takes.
//
// Compared with libFuzzer it is blind: no coverage steers it.  It needs nothing but a compiler, so every
// build can run it; configure with clang and -DIPOP_FUZZ=ON for the real one.
#include <fcntl.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "overlay/base/bytes.h"
#include "overlay/base/random.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
// Present under AddressSanitizer and its kin: called before they end the process.
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());
// Read by UndefinedBehaviorSanitizer, which would otherwise print a complaint and go on.
extern "C" const char* __ubsan_default_options();
extern "C" const char* __ubsan_default_options() {
  return "halt_on_error=1:abort_on_error=1:print_stacktrace=1";
}

namespace {

using ipop::Bytes;
using ipop::ByteView;
using ipop::SeededRandom;

constexpr size_t kMaxSize =
    4096;  // Inputs do not grow beyond it, except that a corpus file is taken as it is.
constexpr int kHangSeconds = 20;  // Far beyond any honest run, also under sanitizers on a busy machine.

// The input under way, where a signal handler finds it.
Bytes* current = nullptr;
volatile uint64_t current_run = 0;  // 0 while the corpus is replayed.
uint64_t seed = 1;
char failure_file[256];

// Only what POSIX allows in a signal handler: write() and arithmetic.
void say(std::string_view text) { (void)!write(STDERR_FILENO, text.data(), text.size()); }

void say(uint64_t number) {
  char digits[20];
  size_t at = sizeof digits;
  do {
    digits[--at] = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number != 0);
  say({digits + at, sizeof digits - at});
}

void report(std::string_view why) {
  static volatile sig_atomic_t reported = 0;
  if (reported || current == nullptr) return;  // A sanitizer's abort() would come here twice.
  reported = 1;
  say("\nFAILED: ");
  say(why);
  say(" in run ");
  say(current_run);
  say(" of seed ");
  say(seed);
  say(", input of ");
  say(current->size());
  say(" octets: ");
  for (const uint8_t octet : *current) {
    const char hex[2] = {"0123456789abcdef"[octet >> 4], "0123456789abcdef"[octet & 15]};
    say({hex, 2});
  }
  const int file = open(failure_file, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (file >= 0 && write(file, current->data(), current->size()) == static_cast<ssize_t>(current->size())) {
    say("\nIt is in ");
    say(failure_file);
  }
  say("\n");
}

void on_signal(int number) {
  report(number == SIGABRT   ? "aborted"
         : number == SIGSEGV ? "segmentation fault"
         : number == SIGBUS  ? "bus error"
         : number == SIGFPE  ? "arithmetic fault"
                             : "illegal instruction");
  raise(number);  // SA_RESETHAND: now by its default action.
}

/// Comes every second of wall time; the same run seen too often is a hang.
void on_tick(int) {
  static uint64_t seen_run = 0;
  static int ticks = 0;
  ticks = current_run == seen_run ? ticks + 1 : 0;
  seen_run = current_run;
  if (ticks < kHangSeconds) return;
  report("no end");
  _exit(1);
}

void install_handlers() {
  static char stack[1 << 16];  // Of its own, for a target that overflowed the usual one.
  stack_t alternate{};
  alternate.ss_sp = stack;
  alternate.ss_size = sizeof stack;
  sigaltstack(&alternate, nullptr);

  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_ONSTACK | static_cast<int>(SA_RESETHAND);
  sigaction(SIGABRT, &action, nullptr);
  if (__sanitizer_set_death_callback != nullptr) {
    __sanitizer_set_death_callback([] { report("sanitizer"); });  // It takes the other signals itself.
  } else {
    for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) sigaction(number, &action, nullptr);
  }
  action.sa_handler = on_tick;
  action.sa_flags = SA_ONSTACK | SA_RESTART;
  sigaction(SIGALRM, &action, nullptr);
  const itimerval second{.it_interval = {.tv_sec = 1, .tv_usec = 0}, .it_value = {.tv_sec = 1, .tv_usec = 0}};
  setitimer(ITIMER_REAL, &second, nullptr);
}

void run(Bytes& input) {
  current = &input;
  const Bytes exact(input);  // Of exactly its size on the heap: a read past the end is a sanitizer's to find.
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

/// One small change.
void mutate_once(SeededRandom& random, Bytes& input, const std::vector<Bytes>& corpus) {
  const auto at = [&](size_t i) { return input.begin() + static_cast<ptrdiff_t>(i); };
  const auto octet = [&] { return static_cast<uint8_t>(random.u32()); };
  const size_t size = input.size();
  const size_t where = random.below(size + 1);
  switch (random.below(9)) {
    case 0:  // Flip a bit.
      if (where < size) input[where] = static_cast<uint8_t>(input[where] ^ 1u << random.below(8));
      break;
    case 1:  // Replace an octet.
      if (where < size) input[where] = octet();
      break;
    case 2: {  // Write a number that programs trip over, in either byte order and any width.
      constexpr uint64_t kInteresting[] = {0,
                                           1,
                                           0x7f,
                                           0x80,
                                           0xff,
                                           0x100,
                                           0x7fff,
                                           0x8000,
                                           0xfffe,
                                           0xffff,
                                           0x10000,
                                           0x7fffffff,
                                           0x80000000,
                                           0xffffffff,
                                           0x7fffffffffffffff,
                                           0xffffffffffffffff,
                                           20,
                                           64,
                                           255,
                                           1500,
                                           4095,
                                           65535 - 14};
      const uint64_t value = kInteresting[random.below(std::size(kInteresting))];
      const size_t width = std::min<size_t>(size_t{1} << random.below(4), size - where);
      const bool big_endian = random.below(2) == 0;
      for (size_t i = 0; i < width; ++i) {
        input[where + i] = static_cast<uint8_t>(value >> 8 * (big_endian ? width - 1 - i : i));
      }
      break;
    }
    case 3:  // Add a little: lengths and counts that are off by one.
      if (where < size) input[where] = static_cast<uint8_t>(input[where] + random.below(9) - 4);
      break;
    case 4:  // Truncate.
      input.resize(where);
      break;
    case 5: {  // Insert: new octets, or zeros.
      const bool zeros = random.below(4) == 0;
      Bytes fresh(1 + random.below(random.below(8) == 0 ? 256 : 8));
      if (!zeros) random.fill(fresh);
      input.insert(at(where), fresh.begin(), fresh.end());
      break;
    }
    case 6:  // Remove.
      input.erase(at(where), at(where + random.below(std::min<size_t>(size - where, 16) + 1)));
      break;
    case 7: {  // Copy a stretch to another place of the same input.
      if (size == 0) break;
      const size_t from = random.below(size);
      const size_t n = std::min(size - from, size - where);
      const Bytes stretch(at(from), at(from + (n == 0 ? 0 : random.below(n + 1))));
      std::copy(stretch.begin(), stretch.end(), at(where));
      break;
    }
    case 8: {  // Splice: this beginning, another's end.
      const Bytes& other = corpus[random.below(corpus.size())];
      const size_t from = random.below(other.size() + 1);
      input.resize(where);
      input.insert(input.end(), other.begin() + static_cast<ptrdiff_t>(from), other.end());
      break;
    }
  }
}

void mutate(SeededRandom& random, Bytes& input, const std::vector<Bytes>& corpus) {
  const size_t limit = std::max(kMaxSize, input.size());
  for (uint64_t n = uint64_t{1} << random.below(5); n > 0; --n) mutate_once(random, input, corpus);
  if (input.size() > limit) input.resize(limit);
}

Bytes read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    std::fprintf(stderr, "%s: cannot be read\n", path.c_str());
    std::exit(2);
  }
  return Bytes(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
}

/// In order of their names, so that a seed means the same everywhere.
std::vector<Bytes> read_corpus(const std::string& directory) {
  std::vector<std::filesystem::path> paths;
  if (std::filesystem::is_directory(directory)) {
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
      if (entry.is_regular_file()) paths.push_back(entry.path());
    }
  }
  std::sort(paths.begin(), paths.end());
  std::vector<Bytes> corpus;
  for (const auto& path : paths) corpus.push_back(read_file(path));
  return corpus;
}

int usage(const char* program) {
  std::fprintf(stderr, "usage: %s [--corpus DIR] [--runs N] [--seconds S] [--seed S] [FILE...]\n", program);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  uint64_t runs = 1'000'000;
  uint64_t seconds = 2;
  std::string corpus_directory;
  std::vector<std::string> files;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (!word.starts_with("--")) {
      files.emplace_back(word);
      continue;
    }
    if (i + 1 == argc) return usage(argv[0]);
    const char* const value = argv[++i];
    if (word == "--corpus") {
      corpus_directory = value;
      continue;
    }
    char* end = nullptr;
    const uint64_t number = std::strtoull(value, &end, 10);
    if (end == value || *end != '\0') return usage(argv[0]);
    if (word == "--runs") {
      runs = number;
    } else if (word == "--seconds") {
      seconds = number;
    } else if (word == "--seed") {
      seed = number;
    } else {
      return usage(argv[0]);
    }
  }
  const std::string name = std::filesystem::path(argv[0]).filename();
  std::snprintf(failure_file, sizeof failure_file, "%s.failed", name.c_str());
  install_handlers();

  if (!files.empty()) {
    for (const auto& path : files) {
      Bytes input = read_file(path);
      run(input);
    }
    std::printf("%s: %zu files\n", name.c_str(), files.size());
    return 0;
  }

  std::vector<Bytes> corpus = read_corpus(corpus_directory);
  const size_t replayed = corpus.size();
  for (Bytes& input : corpus) run(input);
  if (corpus.empty()) corpus.emplace_back();

  SeededRandom random(seed);
  Bytes input;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  while (current_run < runs && std::chrono::steady_clock::now() < deadline) {
    // Now and then a mutant is mutated further; else we start from the corpus again.
    if (random.below(4) != 0) input = corpus[random.below(corpus.size())];
    mutate(random, input, corpus);
    current_run = current_run + 1;
    run(input);
  }
  current = nullptr;
  std::printf("%s: %zu inputs of the corpus and %llu mutations of seed %llu\n", name.c_str(), replayed,
              static_cast<unsigned long long>(current_run), static_cast<unsigned long long>(seed));
  return 0;
}
