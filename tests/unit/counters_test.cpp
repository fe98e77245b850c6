// What an engine shows: blocks that are read while they change, gaps by their time, and the page of
// a server as watchers see it.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "ipc/counters_writer.h"
#include "ipc/observer.h"
#include "ipc/replica.h"
#include "ipc/versioned_block.h"
#include "tests/unit/test_server.h"

namespace shmatch {
namespace {

struct Pair {
  std::uint64_t version = 0;
  std::uint64_t one = 0;
  std::uint64_t other = 0;
};

TEST(VersionedBlock, IsNeverReadHalfChanged) {
  alignas(64) std::uint64_t shared[3] = {};
  constexpr std::uint64_t kChanges = 200'000;
  std::atomic<bool> started{false};
  std::thread writer([&] {
    while (!started) std::this_thread::yield();
    for (std::uint64_t i = 1; i <= kChanges; ++i) ipc::store_block(shared, Pair{0, i, ~i});
  });
  Pair seen{0, 0, ~std::uint64_t{0}};
  ipc::store_block(shared, seen);
  started = true;
  std::uint64_t last = 0;
  while (last < kChanges) {
    if (!ipc::load_block(shared, seen)) continue;
    ASSERT_EQ(seen.other, ~seen.one);
    ASSERT_GE(seen.one, last);
    last = seen.one;
  }
  writer.join();
}

TEST(VersionedBlock, AWriterThatStoppedInBetweenIsNotBelieved) {
  std::uint64_t shared[3] = {7, 1, 2};
  Pair seen{0, 5, 6};
  EXPECT_FALSE(ipc::load_block(shared, seen));
  EXPECT_EQ(seen.one, 5U);
}

class CountersWriterTest : public testing::Test {
 protected:
  CountersWriterTest() {
    options_.configuration = small_configuration();
    EXPECT_FALSE(page_.create(options_));
    EXPECT_FALSE(state_.create(options_.configuration));
    by_slot_.resize(options_.configuration.capacities.sessions);
    writer_.emplace(page_, state_.engine(), log_, by_slot_);
  }

  void look(core::TimeNs now, std::uint64_t gap_ns) { writer_->look(counts_, now, gap_ns); }
  std::uint64_t gap(std::uint64_t window) const {
    return page_.engine().window_gaps_ns[window % ipc::kGapWindows];
  }

  ipc::ServerOptions options_;
  ipc::CountersPage page_;
  ipc::Replica state_{{}};
  ipc::InputLog log_;
  std::vector<ipc::Session*> by_slot_;
  ipc::LoopCounts counts_;
  std::optional<ipc::CountersWriter> writer_;
};

TEST_F(CountersWriterTest, KeepsTheLargestGapOfEachStretchOfTime) {
  constexpr auto kWindow = static_cast<core::TimeNs>(ipc::kGapWindowNs);
  look(1000 * kWindow, 50);
  look(1000 * kWindow + 5, 70);
  look(1000 * kWindow + 6, 60);
  look(1001 * kWindow, 30);
  EXPECT_EQ(page_.engine().gap_window, 1001U);
  EXPECT_EQ(gap(1000), 70U);
  EXPECT_EQ(gap(1001), 30U);
  EXPECT_EQ(page_.engine().largest_gap_ns, 70U);
  // A stretch without a look has none, and what stood in its place is gone.
  look(1000 * kWindow + kWindow * static_cast<core::TimeNs>(ipc::kGapWindows) + 1, 10);
  EXPECT_EQ(gap(1000), 10U);
  EXPECT_EQ(gap(1001), 30U);
  look(5000 * kWindow, 20);
  EXPECT_EQ(gap(1001), 0U);
  EXPECT_EQ(page_.engine().largest_gap_ns, 70U);
}

TEST_F(CountersWriterTest, ShowsTheCountsOfTheLoopAndTheEnd) {
  counts_ = {.passes = 11, .idle_passes = 7, .requests = 5, .reports = 3};
  state_.engine().logon(2, {.user_id = kAliceUser, .resumable = true, .name = "desk"}, 1);
  look(10, 0);
  const ipc::EngineCounters engine = page_.engine();
  EXPECT_EQ(engine.passes, 11U);
  EXPECT_EQ(engine.idle_passes, 7U);
  EXPECT_EQ(engine.requests, 5U);
  EXPECT_EQ(engine.reports, 3U);
  EXPECT_EQ(engine.sequence, 1U);
  EXPECT_EQ(engine.status, 1U);
  writer_->finish(counts_, 20);
  EXPECT_EQ(page_.engine().status, 2U);
  EXPECT_EQ(page_.engine().updated_ns, 20U);
}

using ObserverTest = ServerTest;

TEST_F(ObserverTest, SeesSessionsComeAndGo) {
  start();
  ipc::Observer observer;
  const Failure failed = observer.connect(options_.socket_path);
  ASSERT_FALSE(failed) << failed.text;
  EXPECT_EQ(observer.reference().user_name(kAliceUser), "alice");
  EXPECT_EQ(observer.header().session_slots, 4U);
  ipc::CountersLook look;
  ASSERT_TRUE(observer.look(look));
  EXPECT_TRUE(look.sessions.empty());
  {
    Client alice = logged_on("alice");
    ASSERT_TRUE(answers(alice));
    ASSERT_TRUE(eventually([&] {
      return observer.look(look) && look.sessions.size() == 1 &&
             look.sessions[0].counters.requests == 1;
    }));
    EXPECT_EQ(look.sessions[0].counters.user_id, std::uint64_t{kAliceUser});
    EXPECT_EQ(look.sessions[0].counters.reports, 1U);
    EXPECT_EQ(look.sessions[0].counters.serial, alice.session().serial);
  }
  EXPECT_TRUE(eventually([&] { return observer.look(look) && look.sessions.empty(); }));
  EXPECT_FALSE(observer.ended());
  server_.request_stop();
  EXPECT_TRUE(eventually([&] { return observer.ended(); }));
  ASSERT_TRUE(observer.look(look));
  EXPECT_EQ(look.engine.status, 2U);
}

TEST_F(ObserverTest, ADetachedSessionIsShownWithoutAClient) {
  start();
  LogonOptions options = logon_as("bob");
  options.resumable = true;
  options.session_name = "desk";
  {
    Client bob;
    ASSERT_FALSE(bob.logon(options));
    ASSERT_TRUE(answers(bob));
  }
  ipc::Observer observer;
  ASSERT_FALSE(observer.connect(options_.socket_path));
  ipc::CountersLook look;
  ASSERT_TRUE(eventually([&] {
    return observer.look(look) && look.sessions.size() == 1 &&
           look.sessions[0].counters.state ==
               static_cast<std::uint64_t>(core::SessionState::kDetached);
  }));
  EXPECT_EQ(look.sessions[0].counters.ring_slots, 0U);
  EXPECT_EQ(look.sessions[0].counters.flags & ipc::kSessionResumable, ipc::kSessionResumable);
  EXPECT_STREQ(look.sessions[0].counters.name, "desk");
}

TEST_F(ObserverTest, WhoeverMayNotLogOnMayNotWatch) {
  options_.logon_rules = {{::geteuid() + 1, {kAliceUser}}};
  start();
  ipc::Observer observer;
  EXPECT_EQ(observer.connect(options_.socket_path).error, ClientError::kRefused);
}

}  // namespace
}  // namespace shmatch
