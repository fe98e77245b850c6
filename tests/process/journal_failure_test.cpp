// A disk that is full under the real shmatchd: refusals with the reason, and an engine that goes on
// once there is space again.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "ipc/file_layer.h"
#include "ipc/journal_reader.h"
#include "tests/process/engine.h"
#include "tests/process/exec_session.h"
#include "tests/process/trading.h"

namespace shmatch::process_test {
namespace {

constexpr const char* kSend =
    R"({"OMSId":1,"AccountId":1,"InstrumentId":3,"Side":0,"OrderType":2,"Quantity":1,)"
    R"("LimitPrice":7})";

constexpr int kSafeOrders = 20;  // so many are on disk before anything fails

std::string journal_config(const std::string& journal, const char* durability) {
  return "[journal]\nfolder = \"" + journal + "\"\ndurability = \"" + durability +
         "\"\nsegment_bytes = 65536\n";
}

// Orders entered through `shmatch exec`, until one is answered 102.
class Entering {
 public:
  explicit Entering(TestEngine& engine) : exec_(engine, "alice") {}

  // False when the journal did not fail within a generous number of orders.
  bool until_refused() {
    for (int i = 0; i < 20'000; ++i) {
      const ExecSession::Answer answer = exec_.call("alice", "SendOrder", kSend);
      if (member(answer.reply.payload, "errorcode") == "102") {
        detail_ = member(answer.reply.payload, "detail");
        events_behind_ += answer.events.size();
        return true;
      }
      accepted_.push_back(answer.order_id());
      EXPECT_EQ(answer.events.size(), 1U);
    }
    return false;
  }

  void enter(int count) {
    for (int i = 0; i < count; ++i) accepted_.push_back(exec_.place("alice", 1, 'B', 1, 7));
  }

  ExecSession& exec() { return exec_; }
  const std::string& detail() const { return detail_; }
  std::size_t events_behind() const { return events_behind_; }
  const std::vector<core::OrderId>& accepted() const { return accepted_; }

 private:
  ExecSession exec_;
  std::string detail_;
  std::size_t events_behind_ = 0;
  std::vector<core::OrderId> accepted_;
};

// Whether so many inputs come to be in the journal's files.
bool written(const std::string& journal, core::Sequence inputs) {
  return eventually([&] {
    ipc::PosixFileLayer files;
    ipc::JournalReader reader(files, journal, ipc::ReadMode::kFollow);
    if (reader.open()) return false;
    for (ipc::JournalGroup group; reader.next_group(group) == ipc::JournalNext::kGiven;) {
    }
    return reader.last_sequence() >= inputs;
  });
}

// From the failure on, as long as the engine runs.
void check_refusing(TestEngine& engine, Entering& entering, bool sync, const std::string& reason) {
  EXPECT_NE(entering.detail().find(reason), std::string::npos) << entering.detail();
  EXPECT_EQ(entering.events_behind(), 0U);
  ExecSession& exec = entering.exec();
  const std::string cancel =
      R"({"OMSId":1,"OrderId":)" + std::to_string(entering.accepted().front()) + "}";
  const ExecSession::Answer receipt = exec.call("alice", "CancelOrder", cancel);
  EXPECT_EQ(receipt["result"], "false");
  EXPECT_EQ(receipt["errorcode"], "102");
  EXPECT_EQ(receipt["errormsg"], "Server Error");
  EXPECT_NE(receipt["detail"].find(reason), std::string::npos) << receipt.reply.line;
  EXPECT_TRUE(receipt.events.empty());
  const ExecSession::Answer status = exec.call("alice", "GetOrderStatus", cancel);
  EXPECT_EQ(status["errorcode"], sync ? "102" : "absent") << status.reply.line;
  if (!sync) {
    EXPECT_EQ(status["OrderState"], "Working");
  }
  const Outcome late = engine.run({"--user", "bob", "exec"});
  EXPECT_EQ(late.status, 3);
  EXPECT_EQ(late.output, "");
  EXPECT_NE(late.errors.find(reason), std::string::npos) << late.errors;
  // Once in the log as an error, with the file.
  const std::string log = engine.log();
  const std::size_t error = log.find(" error ");
  ASSERT_NE(error, std::string::npos) << log;
  const std::string line = log.substr(error, log.find('\n', error) - error);
  EXPECT_NE(line.find(reason), std::string::npos) << line;
  EXPECT_NE(line.find(".journal"), std::string::npos) << line;
  EXPECT_EQ(log.find(" error ", error + 1), std::string::npos) << log;
}

// The same orders, and business as usual. With async the last ones may be gone.
void check_recovered(TestEngine& engine, const std::vector<core::OrderId>& accepted, bool sync) {
  ExecSession exec(engine, "alice");
  const ExecSession::Answer open =
      exec.call("alice", "GetOpenOrders", R"({"OMSId":1,"AccountId":1})");
  std::vector<core::OrderId> found;
  for (const tools::JsonValue& order : open.reply.payload.items) {
    found.push_back(std::stoll(member(order, "OrderId")));
  }
  const auto same = std::ranges::mismatch(found, accepted);
  if (sync) {
    // What was answered 102 may have come through or not: nobody was told that it had.
    EXPECT_EQ(same.in2, accepted.end());
  } else {
    EXPECT_EQ(same.in1, found.end());
    ASSERT_GE(found.size(), std::size_t{kSafeOrders});
  }
  const ExecSession::Answer next = exec.call("alice", "SendOrder", kSend);
  EXPECT_GT(next.order_id(), found.back());
  const ExecSession::Answer gone = exec.call(
      "alice", "CancelOrder", R"({"OMSId":1,"OrderId":)" + std::to_string(accepted.front()) + "}");
  EXPECT_EQ(gone["result"], "true");
  EXPECT_EQ(gone.events.size(), 1U);
}

ConfigText roomy_config(const std::string& journal, const char* durability) {
  ConfigText config = usual_config();
  config.add(journal_config(journal, durability));
  return config;
}

// ---- a file system without space

// A mount of this process and its children only, which goes with them.
class SmallDisk {
 public:
  // Empty when it stands, else why it cannot be made.
  std::string mount(const std::string& path, const char* size) {
    std::filesystem::create_directory(path);
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", path.c_str(), "tmpfs", 0, (std::string("size=") + size).c_str()) != 0) {
      return "mounting a small file system needs rights that this test has not";
    }
    path_ = path;
    return "";
  }
  ~SmallDisk() {
    if (!path_.empty()) ::umount2(path_.c_str(), MNT_DETACH);
  }

 private:
  std::string path_;
};

class FullDisk : public testing::TestWithParam<const char*> {};

TEST_P(FullDisk, RefusesWithTheReasonAndGoesOnWhenThereIsSpace) {
  const bool sync = std::string_view(GetParam()) == "sync";
  const TemporaryFolder folder;
  SmallDisk disk;
  const std::string path = folder.file("disk");
  if (const std::string why = disk.mount(path, "512k"); !why.empty()) GTEST_SKIP() << why;
  // Something else takes half of the space.
  const std::string ballast = path + "/ballast";
  folder.add("disk/ballast", std::string(256 << 10, 'x'));
  const std::string journal = path + "/journal";
  TestEngine engine(roomy_config(journal, GetParam()));
  std::vector<core::OrderId> accepted;
  {
    Entering entering(engine);
    entering.enter(kSafeOrders);
    ASSERT_TRUE(written(journal, 1 + kSafeOrders));
    ASSERT_TRUE(entering.until_refused());
    check_refusing(engine, entering, sync, "No space left on device");
    accepted = entering.accepted();
    ASSERT_GT(accepted.size(), 100U);
    EXPECT_EQ(entering.exec().close(), 0);
  }
  EXPECT_EQ(engine.stop(), 0);

  // Still full: a start says so, and harms nothing.
  const Outcome full = finish(Process::execute(engine.command()));
  EXPECT_EQ(full.status, 1);
  EXPECT_NE(full.errors.find("No space left on device"), std::string::npos) << full.errors;

  std::filesystem::remove(ballast);
  engine.start();
  check_recovered(engine, accepted, sync);
  EXPECT_EQ(engine.stop(), 0);
}

INSTANTIATE_TEST_SUITE_P(Durabilities, FullDisk, testing::Values("sync", "async"));

// ---- a limit of the process: no rights needed

class LowLimit : public testing::TestWithParam<const char*> {};

TEST_P(LowLimit, IsAnErrorLikeAnother) {
  const bool sync = std::string_view(GetParam()) == "sync";
  const TemporaryFolder folder;
  const std::string journal = folder.file("journal");
  TestEngine engine(roomy_config(journal, GetParam()));
  std::vector<core::OrderId> accepted;
  {
    Entering entering(engine);
    entering.enter(kSafeOrders);
    ASSERT_TRUE(written(journal, 1 + kSafeOrders));
    // Less than what is reserved for the segment: the next group that reaches it fails.
    constexpr rlimit kLimit{16'384, 16'384};
    ASSERT_EQ(::prlimit(engine.process().id(), RLIMIT_FSIZE, &kLimit, nullptr), 0);
    ASSERT_TRUE(entering.until_refused());
    check_refusing(engine, entering, sync, "File too large");
    accepted = entering.accepted();
  }
  EXPECT_EQ(engine.stop(), 0);
  engine.start();
  check_recovered(engine, accepted, sync);
}

TEST(FileSizeLimit, AtTheStartIsASentence) {
  const TemporaryFolder folder;
  const std::string command = "ulimit -f 8; exec \"" + shmatchd_program() + "\" --socket \"" +
                              folder.file("engine.sock") + "\" --journal \"" +
                              folder.file("journal") + "\"";
  const Outcome outcome = finish(Process::execute({"/bin/sh", "-c", command}));
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.output, "");
  EXPECT_NE(outcome.errors.find("File too large"), std::string::npos) << outcome.errors;
}

INSTANTIATE_TEST_SUITE_P(Durabilities, LowLimit, testing::Values("sync", "async"));

}  // namespace
}  // namespace shmatch::process_test
