#include "tools/replay_output.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/unit/replay_log.h"
#include "tools/record_text.h"

namespace shmatch::tools {
namespace {

class Lines final : public LineTaker {
 public:
  bool take(std::string_view line) override {
    lines.emplace_back(line);
    return true;
  }
  std::vector<std::string> lines;
};

std::vector<std::string> lines_of(const LoadedLog& log) {
  Lines taker;
  ReportStream stream(taker);
  replay(log, {}, {&stream});
  EXPECT_FALSE(stream.fault()) << stream.fault().text;
  return taker.lines;
}

class ScratchFile {
 public:
  ScratchFile() {
    char name[] = "/tmp/shmatch-replay-test-XXXXXX";
    const int handle = ::mkstemp(name);
    if (handle >= 0) ::close(handle);
    path_ = name;
  }
  explicit ScratchFile(const std::vector<std::string>& lines) : ScratchFile() {
    std::ofstream file(path_);
    for (const std::string& line : lines) file << line << '\n';
  }
  ~ScratchFile() { std::filesystem::remove(path_); }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

LogBuilder two_trades() {
  LogBuilder log;
  log.logons().order(0, 'B', 5, 100, 7).order(1, 'S', 2, 100).cancel(0, 1);
  return log;
}

TEST(ReportStream, WritesRepliesAndWholeEvents) {
  const std::vector<std::string> lines = lines_of(two_trades().log());
  ASSERT_EQ(lines.size(), 9U);
  EXPECT_EQ(lines[0],
            R"({"sequence":3,"ordinal":0,"session":0,"user":"alice","i":1,"n":"SendOrder",)"
            R"("o":{"status":"Accepted","errormsg":"","OrderId":1}})");
  EXPECT_TRUE(lines[1].starts_with(
      R"({"sequence":3,"ordinal":1,"session":0,"user":"alice","n":"OrderStateEvent","o":{"Side")"))
      << lines[1];
  // The compact events of the log's sessions do not hold these.
  EXPECT_NE(lines[1].find(R"("InsideBid":100)"), std::string::npos) << lines[1];
  EXPECT_NE(lines[3].find(R"("n":"OrderTradeEvent")"), std::string::npos) << lines[3];
  EXPECT_NE(lines[3].find(R"("ContraAcctId":1)"), std::string::npos) << lines[3];
  EXPECT_NE(lines[7].find(R"("o":{"result":true)"), std::string::npos) << lines[7];
}

TEST(ReportStream, LeavesTheReplaysDigestsAlone) {
  const LogBuilder log = two_trades();
  Lines taker;
  ReportStream stream(taker);
  const ReplayOutcome watched = replay(log.log(), {}, {&stream});
  const ReplayOutcome plain = replay(log.log());
  EXPECT_EQ(watched.digest, plain.digest);
  EXPECT_EQ(watched.reports_digest, plain.reports_digest);
}

TEST(ReportStream, FollowsAChangedConfiguration) {
  core::Configuration larger = small_configuration();
  larger.accounts.push_back(3);
  LogBuilder log;
  log.logons().order(0, 'B', 5, 100).configure(larger).restart().logon(2, 10).cancel(2, 1);
  const std::vector<std::string> lines = lines_of(log.log());
  ASSERT_FALSE(lines.empty());
  EXPECT_NE(lines.back().find(R"("OrderState":"Canceled")"), std::string::npos) << lines.back();
}

TEST(LineComparison, EqualStreamsDoNotDiffer) {
  const std::vector<std::string> lines = lines_of(two_trades().log());
  const ScratchFile file(lines);
  LineComparison comparison;
  ASSERT_FALSE(comparison.open(file.path()));
  for (const std::string& line : lines) EXPECT_TRUE(comparison.take(line));
  comparison.finish(true);
  EXPECT_FALSE(comparison.differs());
  EXPECT_EQ(comparison.lines(), lines.size());
}

TEST(LineComparison, ShowsTheFirstDifferenceWithWhatCameBefore) {
  const ScratchFile file({"{\"a\":1}", "{\"a\":2}", "{\"a\":3}", "{\"a\":4}",
                          "{\"a\":5,\"o\":{\"b\":\"x\"}}", "{\"a\":6}"});
  LineComparison comparison;
  ASSERT_FALSE(comparison.open(file.path()));
  for (const char* line : {"{\"a\":1}", "{\"a\":2}", "{\"a\":3}", "{\"a\":4}"}) {
    EXPECT_TRUE(comparison.take(line));
  }
  EXPECT_FALSE(comparison.take("{\"a\":5,\"o\":{\"b\":\"y\"}}"));
  comparison.finish(true);
  ASSERT_TRUE(comparison.differs());
  const std::string text = comparison.describe();
  EXPECT_NE(text.find("at line 5\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("{\"a\":1}"), std::string::npos) << text;
  EXPECT_NE(text.find("  2           {\"a\":2}\n"), std::string::npos) << text;
  EXPECT_NE(text.find("  5 expected  {\"a\":5,\"o\":{\"b\":\"x\"}}\n"), std::string::npos) << text;
  EXPECT_NE(text.find("  5 got       {\"a\":5,\"o\":{\"b\":\"y\"}}\n"), std::string::npos) << text;
  EXPECT_NE(text.find("o.b: expected \"x\", got \"y\""), std::string::npos) << text;
}

TEST(LineComparison, MissingAndSurplusLinesDiffer) {
  const ScratchFile file({"one", "two"});
  LineComparison shorter;
  ASSERT_FALSE(shorter.open(file.path()));
  EXPECT_TRUE(shorter.take("one"));
  shorter.finish(true);
  EXPECT_TRUE(shorter.differs());
  EXPECT_NE(shorter.describe().find("2 got       the end"), std::string::npos);

  LineComparison cut;
  ASSERT_FALSE(cut.open(file.path()));
  EXPECT_TRUE(cut.take("one"));
  cut.finish(false);
  EXPECT_FALSE(cut.differs()) << "the replay was told to end early";

  LineComparison longer;
  ASSERT_FALSE(longer.open(file.path()));
  EXPECT_TRUE(longer.take("one"));
  EXPECT_TRUE(longer.take("two"));
  EXPECT_FALSE(longer.take("three"));
  EXPECT_NE(longer.describe().find("3 expected  the end"), std::string::npos);
}

TEST(LineFile, SaysWhenWhatIsWrittenDoesNotArrive) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "this system has no /dev/full";
  LineFile file;
  ASSERT_FALSE(file.open("/dev/full"));
  for (int i = 0; i < 10'000; ++i) file.take("a line that will not arrive");
  EXPECT_TRUE(file.close());
  LineFile nowhere;
  EXPECT_TRUE(nowhere.open("/nowhere/at/all"));
}

TEST(RecordText, TellsPeopleAndProgramsWhatARecordHolds) {
  const LogBuilder log = two_trades();
  RecordText text(log.log().configuration);
  std::vector<std::string> lines;
  std::vector<std::string> objects;
  for (std::size_t place = 0; place < log.log().size(); ++place) {
    const InputRecord record{place + 1, log.log().record(place)};
    text.see(record);
    lines.push_back(text.line(record));
    objects.push_back(text.json(record));
  }
  EXPECT_EQ(lines[0], "1  2023-11-14 22:13:20.000000 UTC  session 0 (alice)  logon");
  EXPECT_EQ(lines[2],
            "3  2023-11-14 22:13:22.000000 UTC  session 0 (alice)  request 1: SendOrder Buy 5 TEST "
            "at 100, GTC, account 1, ClOrderId 7");
  EXPECT_EQ(lines[4],
            "5  2023-11-14 22:13:24.000000 UTC  session 0 (alice)  request 2: CancelOrder order 1");
  EXPECT_EQ(objects[4],
            R"({"sequence":5,"time_ns":1700000004000000000,"kind":"request","session":0,)"
            R"("user":"alice","i":2,"n":"CancelOrder","o":{"OMSId":1,"OrderId":1}})");
}

}  // namespace
}  // namespace shmatch::tools
