// What `shmatch replay` and `shmatch journal` refuse, how they say it, and that they count nothing
// that they did not look at.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/process/offline.h"

namespace shmatch::process_test {
namespace {

bool contains(const std::string& text, const std::string& words) {
  return text.find(words) != std::string::npos;
}

// The program says one sentence with `words` in it, prints nothing else, and ends with `status`.
void expect_refused(const Outcome& outcome, int status, const std::string& words) {
  EXPECT_EQ(outcome.status, status) << outcome.errors;
  EXPECT_EQ(outcome.output, "");
  EXPECT_EQ(std::count(outcome.errors.begin(), outcome.errors.end(), '\n'), 1) << outcome.errors;
  EXPECT_TRUE(contains(outcome.errors, words)) << "not '" << words << "' but " << outcome.errors;
}

std::string fixture(const char* name) {
  return std::string(SHMATCH_SOURCE) + "tests/unit/fixtures/" + name;
}

class Refusals : public ::testing::Test {
 protected:
  void SetUp() override { log_ = place_.add("log.jsonl", request_log(60, requests_)); }

  // With `ulimit -f 1`: a file must not become longer than a block.
  static Outcome with_small_files(const std::string& arguments) {
    return finish(Process::execute(
        {"/bin/sh", "-c", "ulimit -f 1; exec '" + shmatch_program() + "' " + arguments}));
  }

  TemporaryFolder place_;
  std::string log_;
  int requests_ = 0;
};

TEST_F(Refusals, WhatIsMissingIsNamed) {
  const auto expect_missing = [](const std::vector<std::string>& arguments,
                                 const std::string& words) {
    expect_refused(shmatch(arguments), 2, words);
  };
  expect_missing({}, "a command is needed: exec, send, ");
  expect_missing({"nix"}, "unknown command nix; the commands are: exec, send, ");
  expect_missing({"replay"}, "replay needs FILE-or-DIR, a log file, a journal's folder or");
  expect_missing({"journal"}, "a journal command is needed: stat, verify, dump, repair, snapshot");
  expect_missing({"journal", "nix"}, "unknown command journal nix; the journal commands are: stat");
  expect_missing({"journal", "nix", "x"}, "unknown command journal nix; the journal commands are");
  for (const char* command : {"stat", "verify", "dump", "snapshot"}) {
    expect_missing({"journal", command},
                   std::string("journal ") + command + " needs DIR, the journal's folder");
  }
  expect_missing({"journal", "repair"},
                 "needs DIR, the journal's folder; and --truncate-at, FILE:");
  expect_missing({"journal", "repair", "x"}, "journal repair needs --truncate-at, FILE:OFFSET");
}

TEST_F(Refusals, NumbersThatNoFieldHoldsAreNotRounded) {
  const std::string huge = "99999999999999999999";
  for (const std::string& id : {huge, std::string("9223372036854775808")}) {
    expect_refused(shmatch({"replay", log_, "--explain", id}), 2,
                   "--explain: takes a whole number from 0 to 9223372036854775807, not " + id);
  }
  expect_refused(shmatch({"replay", log_, "--until", huge}), 2, huge);
  expect_refused(shmatch({"replay", log_, "--book-at", huge}), 2, huge);
  expect_refused(shmatch({"replay", log_, "--explain", "one"}), 2, "not one");
  expect_refused(shmatch({"journal", "dump", place_.path(), "--from", huge}), 2, huge);
  expect_refused(shmatch({"journal", "dump", place_.path(), "--to", huge}), 2, huge);
  const Outcome nobody = shmatch({"replay", log_, "--explain", "9223372036854775807"});
  EXPECT_EQ(nobody.status, 1);
  EXPECT_EQ(nobody.output, "There was no order 9223372036854775807.\n");
}

TEST_F(Refusals, ABookWithoutLevelsOrInstrument) {
  expect_refused(shmatch({"replay", log_, "--book-at", "20", "--depth", "0"}), 2,
                 "--depth: takes a whole number from 1 to 4294967295, not 0");
  expect_refused(shmatch({"replay", log_, "--book-at", "20", "--instrument-id", "77"}), 1,
                 "there is no instrument 77");
}

TEST_F(Refusals, AFolderIsNoReportFile) {
  expect_refused(shmatch({"replay", log_, "--expect", place_.path()}), 3,
                 "cannot read " + place_.path() + ": Is a directory");
  expect_refused(shmatch({"replay", log_, "--expect", place_.path(), "--minimize",
                          place_.file("small.jsonl")}),
                 3, "cannot read " + place_.path() + ": Is a directory");
}

TEST_F(Refusals, AFileThatMayNotGrowIsAnErrorWithASentence) {
  expect_refused(with_small_files("replay " + log_ + " --out " + place_.file("out")), 2,
                 "File too large");
  expect_refused(with_small_files("replay " + log_ + " > " + place_.file("out") + " --out -"), 2,
                 "File too large");
  const std::string journal = place_.file("journal");
  write_journal(journal, request_log(60, requests_));
  expect_refused(with_small_files("journal snapshot " + journal), 1, "File too large");
  EXPECT_EQ(shmatch({"journal", "verify", journal}).status, 0) << "nothing remained of it";
}

TEST_F(Refusals, InputsThatTheJournalNoLongerHolds) {
  const std::string journal = place_.file("journal");
  write_journal(journal, request_log(20, requests_));
  write_journal(journal, request_log(7, requests_));
  ASSERT_EQ(shmatch({"journal", "snapshot", journal, "--remove-segments"}).status, 0);
  write_journal(journal, request_log(3, requests_));
  const std::string dumped = shmatch({"--json", "journal", "dump", journal}).output;
  const std::string first = json_member(dumped.substr(0, dumped.find('\n')), "sequence");
  ASSERT_GT(std::stoi(first), 10);
  const std::string start =
      json_member(shmatch({"--json", "replay", journal}).output, "start_sequence");
  const std::string replayed = std::to_string(std::stoi(start) + 1);

  for (const char* gone : {"1", "3"}) {
    const auto asks = [&](const std::string& flag, const std::string& begins) {
      return journal + " begins with input " + begins + ", and " + flag + " asks for input " + gone;
    };
    for (const char* flag : {"--until", "--book-at"}) {
      expect_refused(shmatch({"replay", journal, flag, gone}), 1, asks(flag, replayed));
      expect_refused(shmatch({"replay", journal, "--from-snapshot", flag, gone}), 1,
                     asks(flag, replayed));
    }
    for (const char* flag : {"--from", "--to"}) {
      expect_refused(shmatch({"journal", "dump", journal, flag, gone}), 1, asks(flag, first));
    }
  }
  // What the snapshot holds is known.
  EXPECT_EQ(shmatch({"replay", journal, "--book-at", start}).status, 0);
  EXPECT_EQ(shmatch({"replay", journal, "--until", replayed}).status, 0);
  EXPECT_EQ(shmatch({"journal", "dump", journal, "--from", first, "--to", first}).status, 0);
  expect_refused(shmatch({"journal", "dump", journal, "--from", "9", "--to", "8"}), 2,
                 "--from 9 is behind --to 8");
}

TEST_F(Refusals, FoldersWithoutAJournalAndFlagsWithoutAMeaning) {
  const std::string empty = place_.file("empty");
  std::filesystem::create_directory(empty);
  for (const char* command : {"stat", "verify", "dump", "snapshot"}) {
    expect_refused(shmatch({"journal", command, empty}), 1, empty + " holds no journal");
  }
  expect_refused(shmatch({"replay", empty}), 1, empty + " holds no journal");
  const std::string journal = place_.file("journal");
  write_journal(journal, request_log(7, requests_));
  expect_refused(shmatch({"replay", journal, "--config", place_.file("x.toml")}), 2,
                 journal + " is a journal, which brings its own configuration");
  // As a copy beside the journal it would stand for the whole of it.
  const std::string segment = journal + "/00000000000000000001.journal";
  const std::string copy = journal + "/copy.journal";
  ASSERT_EQ(shmatch({"replay", segment}).status, 0);
  std::filesystem::copy(segment, copy);
  expect_refused(shmatch({"replay", copy}), 1, copy + " is not named as a segment of a journal is");
}

// Of an order that had ended before the replay starts, nothing is known.
TEST_F(Refusals, AnUnknownOrderIsSaidToBeUnknownWhereItWasLookedFor) {
  const std::string journal = place_.file("journal");
  write_journal(journal, request_log(20, requests_));
  ASSERT_EQ(shmatch({"journal", "snapshot", journal}).status, 0);
  const std::string start = json_member(
      shmatch({"--json", "replay", journal, "--from-snapshot"}).output, "start_sequence");
  EXPECT_EQ(shmatch({"replay", journal, "--from-snapshot", "--explain", "999"}).output,
            "There was no order 999 behind input " + start + ", where this replay starts.\n");
  EXPECT_EQ(shmatch({"replay", log_, "--explain", "60", "--until", "9"}).output,
            "There was no order 60 up to input 9.\n");
}

TEST_F(Refusals, OnlyWhatWasLookedAtIsCounted) {
  const std::string all = shmatch({"--json", "replay", log_}).output;
  const int logons = std::stoi(json_member(all, "last_sequence")) - requests_;
  for (const int requests : {0, 1, 10, requests_}) {
    const std::string until = std::to_string(logons + requests);
    const Outcome part = shmatch({"--json", "replay", log_, "--until", until});
    ASSERT_EQ(part.status, 0) << part.errors;
    EXPECT_EQ(json_member(part.output, "last_sequence"), until);
    for (const char* member : {"records", "read", "converted", "requests"}) {
      EXPECT_EQ(json_member(part.output, member), std::to_string(requests)) << member;
    }
  }
  TestEngine engine(std::vector<std::string>{});
  const Outcome live = shmatch({"--json", "replay", log_, "--through", engine.socket(), "--until",
                                std::to_string(logons + 10)});
  ASSERT_EQ(live.status, 0) << live.errors;
  EXPECT_EQ(json_member(live.output, "sent"), "10");
  EXPECT_EQ(json_member(live.output, "read"), "10");
}

TEST_F(Refusals, AnEngineThatHasNotWhatTheLogNeeds) {
  const TestEngine engine(std::vector<std::string>{});
  const std::string itch = fixture("itch50_length_prefix.bin");
  expect_refused(shmatch({"replay", itch, "--through", engine.socket()}), 3,
                 "nothing was sent, because no user of the log can log on (unknown user maker): "
                 "this log needs an engine with the users maker, taker and the instrument");
  const Outcome lacking =
      shmatch({"replay", fixture("bitstamp_live_orders.jsonl"), "--through", engine.socket()});
  EXPECT_EQ(lacking.status, 1);
  EXPECT_TRUE(contains(lacking.output, "Invalid InstrumentId: 4")) << lacking.output;
  EXPECT_TRUE(contains(lacking.errors, "the engine lacks the instrument 4 ")) << lacking.errors;
}

TEST_F(Refusals, NothingToMakeSmallerSaysWhatWasCompared) {
  const std::string small = place_.file("small.jsonl");
  const auto expect_nothing = [&](std::vector<std::string> more, const std::string& words) {
    more.insert(more.begin(), {"replay", log_, "--minimize", small});
    expect_refused(shmatch(more), 1,
                   "nothing to make smaller: every record can be applied, and " + words);
  };
  const std::string reports = place_.file("reports.jsonl");
  ASSERT_EQ(shmatch({"replay", log_, "--out", reports}).status, 0);
  expect_nothing({}, "only --expect or --against could say what else is wrong");
  expect_nothing({"--expect", reports}, "the reports are those of " + reports);
  expect_nothing({"--expect", reports, "--until", "30"}, "the reports are those of " + reports);
  expect_nothing({"--against", shmatch_program()},
                 shmatch_program() + " comes to the same digests");
  const std::string journal = place_.file("journal");
  write_journal(journal, request_log(20, requests_));
  expect_refused(shmatch({"replay", journal, "--minimize", place_.file("small")}), 1,
                 "the digest marks of the log are equal");

  const auto expect_usage = [&](const std::vector<std::string>& more, const std::string& words) {
    std::vector<std::string> arguments = {"replay", log_};
    arguments.insert(arguments.end(), more.begin(), more.end());
    expect_refused(shmatch(arguments), 2, words);
  };
  expect_usage({"--minimize", small, "--against", "/bin/true"},
               "/bin/true does not replay journals as shmatch does: it ended with status 0");
  expect_usage({"--minimize", small, "--against", place_.file("no")}, "cannot run ");
  expect_usage({"--minimize", small, "--against", log_}, "cannot run ");
  expect_usage({"--minimize", ""}, "the value is empty");
  expect_usage({"--minimize", small, "--against", ""}, "the value is empty");
  expect_usage({"--minimize", small, "--against", log_, "--expect", log_}, "excludes");
}

}  // namespace
}  // namespace shmatch::process_test
