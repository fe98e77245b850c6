// shmatch replay, as people and scripts use it.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/process/offline.h"
#include "tests/unit/replay_log.h"
#include "tools/log_writer.h"

namespace shmatch::process_test {
namespace {

bool contains(const std::string& text, const std::string& words) {
  return text.find(words) != std::string::npos;
}

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

class Replay : public ::testing::Test {
 protected:
  void SetUp() override { log_ = folder_.add("log.jsonl", request_log(60, requests_)); }

  TemporaryFolder folder_;
  std::string log_;
  int requests_ = 0;
};

TEST_F(Replay, PrintsWhatItReadAndTheDigests) {
  const Outcome json = shmatch({"--json", "replay", log_});
  ASSERT_EQ(json.status, 0) << json.errors;
  EXPECT_EQ(json_member(json.output, "records"), std::to_string(requests_));
  EXPECT_EQ(json_member(json.output, "trades"), "1");
  EXPECT_EQ(json_member(json.output, "digest").size(), 16U);
  EXPECT_EQ(json_member(json.output, "reports_digest").size(), 16U);
  EXPECT_NE(json_member(json.output, "seconds"), "absent");

  const Outcome again = shmatch({"--json", "replay", log_, "--pace", "rate=100000"});
  for (const char* member : {"digest", "reports_digest", "last_sequence", "reports"}) {
    EXPECT_EQ(json_member(again.output, member), json_member(json.output, member)) << member;
  }
  const Outcome text = shmatch({"replay", log_});
  EXPECT_TRUE(contains(text.output, "Replayed " + std::to_string(requests_) + " records"))
      << text.output;
  EXPECT_TRUE(contains(text.output, json_member(json.output, "digest"))) << text.output;
  EXPECT_EQ(text.errors, "");
}

TEST_F(Replay, ReportsAreWrittenComparedAndTheFirstDifferenceShown) {
  const std::string reports = folder_.file("reports.jsonl");
  ASSERT_EQ(shmatch({"replay", log_, "--out", reports}).status, 0);
  const Outcome same = shmatch({"replay", log_, "--expect", reports});
  EXPECT_EQ(same.status, 0) << same.output;

  std::string text = read_file(reports);
  const std::size_t place = text.find(R"("OrderState":"Canceled")");
  ASSERT_NE(place, std::string::npos);
  text.replace(place, 23, R"("OrderState":"Rejected")");
  const std::string wrong = folder_.add("wrong.jsonl", text);
  const Outcome differs = shmatch({"replay", log_, "--expect", wrong});
  EXPECT_EQ(differs.status, 1);
  EXPECT_TRUE(contains(differs.output, "First difference")) << differs.output;
  EXPECT_TRUE(contains(differs.output, "o.OrderState: expected \"Rejected\", got \"Canceled\""))
      << differs.output;
  const Outcome json = shmatch({"--json", "replay", log_, "--expect", wrong});
  EXPECT_EQ(json.status, 1);
  EXPECT_NE(json_member(json.output, "difference.line"), "absent") << json.output;

  // A stream that goes on is another stream, unless the replay was told to end.
  std::ofstream(wrong, std::ios::trunc) << read_file(reports) << "{\"sequence\":9999}\n";
  EXPECT_EQ(shmatch({"replay", log_, "--expect", wrong}).status, 1);
  EXPECT_EQ(shmatch({"replay", log_, "--expect", wrong, "--until", "20"}).status, 0);
}

TEST_F(Replay, ExplainsAnOrderAndShowsTheBook) {
  const Outcome story = shmatch({"replay", log_, "--explain", "1"});
  EXPECT_EQ(story.status, 0) << story.errors;
  EXPECT_TRUE(contains(story.output, "Order 1: Buy 5 TEST at 100")) << story.output;
  EXPECT_TRUE(contains(story.output, "as maker, trade 1")) << story.output;
  EXPECT_EQ(json_member(shmatch({"--json", "replay", log_, "--explain", "1"}).output, "state"),
            "FullyExecuted");
  const Outcome nobody = shmatch({"replay", log_, "--explain", "99999"});
  EXPECT_EQ(nobody.status, 1);
  EXPECT_EQ(nobody.output, "There was no order 99999.\n");

  const Outcome book = shmatch({"replay", log_, "--book-at", "6", "--depth", "3"});
  EXPECT_EQ(book.status, 0) << book.errors;
  EXPECT_TRUE(contains(book.output, "After input 6\nTEST")) << book.output;
  EXPECT_EQ(shmatch({"replay", log_, "--book-at", "99999"}).status, 1);
}

TEST_F(Replay, FaultsAreOneSentence) {
  const auto expect_sentence = [&](const std::vector<std::string>& arguments, int status) {
    const Outcome outcome = shmatch(arguments);
    EXPECT_EQ(outcome.status, status) << outcome.errors;
    EXPECT_EQ(outcome.output, "") << arguments.back();
    EXPECT_EQ(std::count(outcome.errors.begin(), outcome.errors.end(), '\n'), 1) << outcome.errors;
  };
  expect_sentence({"replay", folder_.file("nothing")}, 2);
  expect_sentence({"replay", folder_.add("noise", "what is this\nI do not know\n")}, 2);
  expect_sentence({"replay", log_, "--format", "morse"}, 2);
  expect_sentence({"replay", log_, "--pace", "fast"}, 2);
  expect_sentence({"replay", log_, "--from-snapshot"}, 2);
  expect_sentence({"replay", log_, "--expect", folder_.file("nothing")}, 3);
  expect_sentence({"replay", log_, "--through", folder_.file("no.sock")}, 3);
  expect_sentence({"replay", log_, "--explain", "1", "--book-at", "3"}, 2);
}

TEST_F(Replay, AJournalReplaysToWhatTheLiveEngineHad) {
  const std::string journal = folder_.file("journal");
  std::string live_digest;
  {
    TestEngine engine({"--journal", journal});
    ASSERT_EQ(engine.run({"exec"}, read_file(log_)).status, 0);
    // Also while the engine serves.
    EXPECT_EQ(shmatch({"replay", journal}).status, 0);
    ASSERT_EQ(engine.stop(), 0);
  }
  const Outcome stat = shmatch({"--json", "journal", "stat", journal});
  ASSERT_EQ(stat.status, 0) << stat.errors;
  const Outcome first = shmatch({"--json", "replay", journal});
  const Outcome second = shmatch({"--json", "replay", journal});
  ASSERT_EQ(first.status, 0) << first.output << first.errors;
  for (const char* member : {"records", "last_sequence", "digest"}) {
    EXPECT_EQ(json_member(first.output, member), json_member(stat.output, member)) << member;
  }
  EXPECT_EQ(json_member(first.output, "reports_digest"),
            json_member(second.output, "reports_digest"));
  // The engine marked its own digest when it stopped: the replay has compared it.
  EXPECT_NE(json_member(first.output, "digest_marks"), "0");
}

TEST_F(Replay, StartsFromASnapshotAndComesToTheSameEnd) {
  const std::string journal = folder_.file("journal");
  write_journal(journal, read_file(log_));
  ASSERT_EQ(shmatch({"journal", "snapshot", journal}).status, 0);
  int more = 0;
  write_journal(journal, request_log(7, more));
  const Outcome whole = shmatch({"--json", "replay", journal});
  const Outcome rest = shmatch({"--json", "replay", journal, "--from-snapshot"});
  ASSERT_EQ(whole.status, 0) << whole.output << whole.errors;
  ASSERT_EQ(rest.status, 0) << rest.output << rest.errors;
  EXPECT_EQ(json_member(rest.output, "digest"), json_member(whole.output, "digest"));
  EXPECT_LT(std::stoi(json_member(rest.output, "records")),
            std::stoi(json_member(whole.output, "records")));
  EXPECT_NE(json_member(rest.output, "start_sequence"), "0");
}

TEST_F(Replay, SendsTheRequestsThroughALiveEngine) {
  for (const char* clients : {"1", "2"}) {
    TestEngine engine(std::vector<std::string>{});
    const Outcome outcome =
        shmatch({"--json", "replay", log_, "--through", engine.socket(), "--clients", clients});
    ASSERT_EQ(outcome.status, 0) << outcome.errors;
    EXPECT_EQ(json_member(outcome.output, "clients"), clients);
    EXPECT_EQ(json_member(outcome.output, "sent"), std::to_string(requests_));
    EXPECT_EQ(json_member(outcome.output, "orders.done"), "61");
    EXPECT_EQ(json_member(outcome.output, "cancels.done"), "20");
    EXPECT_EQ(json_member(outcome.output, "trades"), "1");
    EXPECT_EQ(engine.stop(), 0);
  }
}

TEST_F(Replay, UsersWhoCannotLogOnAreNamed) {
  ConfigText config = usual_config();
  config.user("trader2", ::getuid(), "Trading", "[3]");
  TestEngine engine(config);
  const Outcome outcome = shmatch({"replay", log_, "--through", engine.socket()});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_TRUE(contains(outcome.output, "Not sent: the requests of trader1")) << outcome.output;
  EXPECT_TRUE(contains(outcome.errors, "does not let the log's users trader1 log on"))
      << outcome.errors;
}

TEST_F(Replay, MakesADivergingLogSmall) {
  // Another build, as it were: its digest is wrong once a trade has happened.
  const std::string other =
      folder_.add("other-shmatch",
                  "#!/bin/sh\nout=$('" + shmatch_program() +
                      "' \"$@\") || exit 1\ncase \"$out\" in\n*'\"trades\":0'*) echo "
                      "\"$out\";;\n*) echo \"$out\" | sed "
                      "'s/\"digest\":\"[0-9a-f]*\"/\"digest\":\"0000000000000000\"/';;\nesac\n");
  ASSERT_EQ(::chmod(other.c_str(), 0755), 0);
  const std::string smallest = folder_.file("small.jsonl");
  const Outcome outcome =
      shmatch({"--json", "replay", log_, "--minimize", smallest, "--against", other});
  ASSERT_EQ(outcome.status, 0) << outcome.errors;
  EXPECT_EQ(json_member(outcome.output, "records"), "2") << outcome.output;
  const Outcome replayed = shmatch({"--json", "replay", smallest});
  EXPECT_EQ(json_member(replayed.output, "records"), "2");
  EXPECT_EQ(json_member(replayed.output, "trades"), "1");
  EXPECT_EQ(shmatch({"replay", log_, "--minimize", folder_.file("none")}).status, 1)
      << "nothing is wrong with it";
}

tools::LogBuilder diverging(core::Lots quantity) {
  tools::LogBuilder log;
  log.logons().order(0, 'B', 3, 90).order(0, 'B', quantity, 100).order(1, 'S', 2, 110);
  return log;
}

TEST_F(Replay, NamesTheFirstDivergenceAndDecodesWhatItCan) {
  // The journal's own engine had 5 where this one will have 6.
  const tools::LogBuilder written = diverging(5);
  tools::ReplaySettings up_to_3;
  up_to_3.until = 3;
  const tools::ReplayOutcome before = tools::replay(written.log(), up_to_3);
  const tools::ReplayOutcome after = tools::replay(written.log());
  tools::LogBuilder read = diverging(6);
  read.mark(3, before.digest).mark(5, after.digest);
  const std::string journal = folder_.file("diverging");
  ASSERT_FALSE(tools::write_journal(read.log(), journal));

  const Outcome json = shmatch({"--json", "replay", journal});
  EXPECT_EQ(json.status, 1);
  EXPECT_EQ(json_member(json.output, "divergence.agreed"), "3") << json.output;
  EXPECT_EQ(json_member(json.output, "divergence.sequence"), "5");
  EXPECT_NE(json_member(json.output, "divergence.expected"),
            json_member(json.output, "divergence.got"));
  const Outcome text = shmatch({"replay", journal});
  EXPECT_EQ(text.status, 1);
  EXPECT_TRUE(contains(text.output, "First divergence: the state after input 5")) << text.output;
  EXPECT_TRUE(contains(text.output, "Both agreed after input 3. Between: 2 inputs")) << text.output;
  EXPECT_TRUE(contains(text.output, "SendOrder Buy 6 TEST at 100")) << text.output;
  EXPECT_TRUE(contains(text.output, "No snapshot of a later state")) << text.output;
  EXPECT_EQ(shmatch({"journal", "verify", journal}).status, 1);

  // With the state that the other engine had, what is different can be said.
  const std::string right = folder_.file("right");
  ASSERT_FALSE(tools::write_journal(written.log(), right));
  const Outcome snapshot = shmatch({"--json", "journal", "snapshot", right});
  ASSERT_EQ(snapshot.status, 0) << snapshot.errors;
  const std::filesystem::path path = json_member(snapshot.output, "path");
  std::filesystem::copy(path, std::filesystem::path(journal) / path.filename());
  const Outcome decoded = shmatch({"replay", journal});
  EXPECT_TRUE(contains(decoded.output,
                       "TEST, bids at 100, order 2: expected 5 left of 5, account 1, got 6 left"))
      << decoded.output;
}

// Whatever compiler made this program, and with whatever flags: the same log leads to the same
// state and the same reports. A change of what is digested changes all of them, and core's
// kStateFormat.
struct KnownLog {
  const char* path;  // in the project
  const char* digest;
  const char* reports_digest;
};
constexpr KnownLog kKnownLogs[] = {
    {"tools/demo.jsonl", "d3bdb772ca6f1eaa", "5196debe1853364e"},
    {"tests/unit/fixtures/ACME_2024-03-01_34200000_57600000_message_5.csv", "627d37838341fe5f",
     "39a7c2f150fad2c3"},
    {"tests/unit/fixtures/bitstamp_live_orders.jsonl", "ab580df6bc75c31b", "6e0feddc5a37eb7c"},
    {"tests/unit/fixtures/bitstamp_orders.csv", "bda7115846f47518", "faedf09819576d17"},
    {"tests/unit/fixtures/fix42_screen.log", "754cfea71cbd8371", "d9fe815507b04653"},
    {"tests/unit/fixtures/frames.jsonl", "5b7093a494963618", "3e998987ef3f8147"},
    {"tests/unit/fixtures/itch50_length_prefix.bin", "b6d05a03096b6d87", "3ae569c5ba4c9d55"},
};

TEST(KnownDigests, AreTheSameInEveryBuild) {
  for (const KnownLog& log : kKnownLogs) {
    const Outcome replayed = shmatch({"--json", "replay", std::string(SHMATCH_SOURCE) + log.path});
    EXPECT_EQ(json_member(replayed.output, "digest"), log.digest) << log.path;
    EXPECT_EQ(json_member(replayed.output, "reports_digest"), log.reports_digest) << log.path;
  }
}

TEST(CapturedReplay, TwoReplaysAndTheLiveRunAgree) {
  const char* const data = std::getenv("SHMATCH_DATA");
  if (data == nullptr) GTEST_SKIP() << "SHMATCH_DATA does not say where captured data is";
  const std::string log = std::string(data) + "/bitstamp-btcusd-l3/2015-05-01.requests.jsonl.xz";
  const Outcome first = shmatch({"--json", "replay", log});
  const Outcome second = shmatch({"--json", "replay", log});
  ASSERT_EQ(first.status, 0) << first.errors;
  EXPECT_EQ(json_member(first.output, "records"), "49232");
  EXPECT_EQ(json_member(first.output, "unknown_ids"), "164");
  EXPECT_EQ(json_member(first.output, "trades"), "557");
  EXPECT_EQ(json_member(first.output, "digest"), "c027d52204d72861");
  for (const char* member : {"digest", "reports_digest"}) {
    EXPECT_EQ(json_member(first.output, member), json_member(second.output, member));
  }

  TemporaryFolder folder;
  const std::string journal = folder.file("journal");
  TestEngine engine({"--journal", journal});
  const Outcome live = shmatch({"--json", "replay", log, "--through", engine.socket()});
  ASSERT_EQ(live.status, 0) << live.errors;
  EXPECT_EQ(json_member(live.output, "trades"), "557");
  EXPECT_EQ(json_member(live.output, "cancels.done"), "24133");
  EXPECT_EQ(json_member(live.output, "cancels.refused"), "205");
  ASSERT_EQ(engine.stop(), 0);
  const Outcome replayed = shmatch({"--json", "replay", journal});
  EXPECT_EQ(replayed.status, 0) << replayed.output;
  EXPECT_EQ(json_member(replayed.output, "trades"), "557");
  EXPECT_NE(json_member(replayed.output, "digest_marks"), "0")
      << "the live engine's own digest was compared";
}

}  // namespace
}  // namespace shmatch::process_test
