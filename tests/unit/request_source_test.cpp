// Logs of every format: told by their content, compressed or not, and never a crash.
#include "tools/request_source.h"

#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "tests/unit/random.h"
#include "tests/unit/source_harness.h"

namespace shmatch::tests {
namespace {

constexpr const char* kFixtures[] = {"frames.jsonl",
                                     "fix44_soh.log",
                                     "fix42_screen.log",
                                     "itch50_length_prefix.bin",
                                     "ACME_2024-03-01_34200000_57600000_message_5.csv",
                                     "bitstamp_orders.csv",
                                     "bitstamp_live_orders.jsonl"};

std::string format_of(const ReadLog& log) {
  return log.source == nullptr ? log.fault : log.source->format_name();
}

TEST(RequestSource, TellsFormatsByContentNotByName) {
  const char* expected[] = {"jsonl", "fix", "fix", "itch", "lobster", "bitstamp", "bitstamp"};
  for (std::size_t i = 0; i < std::size(kFixtures); ++i) {
    const ScratchFile misnamed(bytes_of(fixture(kFixtures[i])), "log.gz");
    EXPECT_EQ(format_of(read_log(misnamed.path())), expected[i]) << kFixtures[i];
  }
}

TEST(RequestSource, NoiseBeforeTheFirstRecordDoesNotHideTheFormat) {
  for (const char* name : kFixtures) {
    if (std::string_view(name).ends_with(".bin")) continue;
    const std::string bytes = bytes_of(fixture(name));
    EXPECT_EQ(format_of(read_text("# captured in the lab\n\n" + bytes)),
              format_of(read_text(bytes)));
  }
}

TEST(RequestSource, WhatHasNoKnownFormatIsRefusedWithTheListOfThem) {
  for (const std::string& content :
       {std::string(), std::string("hello\nworld\n"), std::string(100'000, '\0'),
        std::string("Sxxxxxxxxxxx"), std::string("{\"event\":\"login\"}\n"),
        std::string("1,2,3,4,5,6\n")}) {
    const ScratchFile file(content);
    const ReadLog log = read_log(file.path());
    EXPECT_EQ(log.source, nullptr);
    EXPECT_EQ(log.fault,
              file.path() +
                  " has no format that is known: name one with --format, of jsonl (AlphaPoint "
                  "frames, one JSON object a line), bitstamp (Bitstamp order events, CSV or JSON), "
                  "fix (FIX 4.x log), lobster (LOBSTER message file), itch (Nasdaq ITCH 5.0 file)");
  }
  EXPECT_EQ(tools::source_format_names(), "jsonl, bitstamp, fix, lobster, itch");
}

TEST(RequestSource, ANamedFormatIsNotQuestioned) {
  const ReadLog log = read_text("hello\n", "lobster");
  expect_sound(log);
  EXPECT_EQ(log.counts().skipped, (Counts{{"line that is no message", 1}}));
  // An engine can be built for it all the same.
  EXPECT_EQ(core::find_fault(log.source->configuration()), "");
  const ReadLog empty_fix = read_text("", "fix");
  expect_sound(empty_fix);
  EXPECT_EQ(empty_fix.counts().read, 0U);

  const ScratchFile file("hello\n");
  tools::SourceOptions options;
  options.format = "itch";
  EXPECT_EQ(read_log(file.path(), options).fault,
            file.path() + " does not begin with ITCH 5.0 messages");
  options.format = "pcap";
  EXPECT_EQ(read_log(file.path(), options).fault.substr(0, 36),
            "--format pcap is none of jsonl (Alph");
}

TEST(RequestSource, FilesThatCannotBeReadAreOneSentence) {
  EXPECT_EQ(read_log("/nonexistent/log").fault,
            "cannot read /nonexistent/log: No such file or directory");
  EXPECT_EQ(read_log("/proc").fault, "cannot read /proc: Is a directory");
}

// A pipe that holds `content` and has no writer any more.
class Pipe {
 public:
  explicit Pipe(const std::string& content) {
    EXPECT_EQ(::pipe(ends_), 0);
    EXPECT_EQ(::write(ends_[1], content.data(), content.size()),
              static_cast<ssize_t>(content.size()));
    ::close(ends_[1]);
  }
  ~Pipe() { ::close(ends_[0]); }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  std::string path() const { return "/dev/fd/" + std::to_string(ends_[0]); }

 private:
  int ends_[2] = {-1, -1};
};

TEST(RequestSource, FramesMayComeThroughAPipeAndWhatIsReadTwiceMayNot) {
  const Pipe frames(bytes_of(fixture("frames.jsonl")));
  EXPECT_EQ(read_log(frames.path()).requests, read_log(fixture("frames.jsonl")).requests);
  const Pipe events(bytes_of(fixture("bitstamp_orders.csv")));
  EXPECT_EQ(read_log(events.path()).fault,
            "cannot read " + events.path() + " twice, as its format needs: Illegal seek");
}

TEST(RequestSource, TwoReadingsOfAFileAreEqual) {
  for (const char* name : kFixtures) {
    const ReadLog first = read_log(fixture(name));
    const ReadLog second = read_log(fixture(name));
    EXPECT_EQ(first.requests, second.requests);
    EXPECT_EQ(first.source->configuration(), second.source->configuration());
  }
}

// One random change of `bytes`, of the kinds that damaged and hostile files have.
void mutate(std::string& bytes, Random& random) {
  const std::size_t at = random.below(bytes.size() + 1);
  const std::size_t size = random.below(std::min<std::size_t>(bytes.size() - at, 64) + 1);
  switch (random.below(6)) {
    case 0:
      if (at < bytes.size()) bytes[at] = static_cast<char>(random.next());
      break;
    case 1:
      bytes.erase(at, size);
      break;
    case 2:
      bytes.insert(at, bytes.substr(at, size));
      break;
    case 3:
      bytes.insert(at, std::string(random.below(40), "\n|,\"{9=\x01-\xFF"[random.below(10)]));
      break;
    case 4:
      if (random.one_in(8)) bytes.resize(at);
      break;
    default:
      // Digits become other digits: the record stays one, with other values.
      for (std::size_t i = at; i < at + size; ++i) {
        if (bytes[i] >= '0' && bytes[i] <= '9') {
          bytes[i] = static_cast<char>('0' + random.below(10));
        }
      }
      break;
  }
}

TEST(RequestSource, NoBytesCrashIt) {
  constexpr int kRounds = 400;
  Random random(20261122);
  for (const char* name : kFixtures) {
    const std::string original = bytes_of(fixture(name));
    tools::SourceOptions options;
    options.format = read_log(fixture(name)).source->format_name();
    const ScratchFile file("", name);
    for (int round = 0; round < kRounds; ++round) {
      std::string bytes = original;
      for (std::uint64_t n = 1 + random.below(8); n > 0; --n) mutate(bytes, random);
      file.write(bytes);
      const ReadLog forced = read_log(file.path(), options);
      if (forced.source != nullptr) expect_sound(forced);
      const ReadLog detected = read_log(file.path());
      if (detected.source != nullptr) expect_sound(detected);
      ASSERT_FALSE(HasFailure()) << name << ", round " << round;
    }
  }
}

TEST(RequestSource, EachFormatCanBeForcedOnEveryFile) {
  for (const char* name : kFixtures) {
    for (const char* format : {"jsonl", "bitstamp", "fix", "lobster", "itch"}) {
      const ReadLog log = read_text(bytes_of(fixture(name)), format);
      if (log.source != nullptr) expect_sound(log);
    }
  }
}

}  // namespace
}  // namespace shmatch::tests
