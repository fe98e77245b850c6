// The thread that tells others what clients sent: everything, in order, and nothing after the stop.
#include "ipc/capture.h"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <vector>

#include "tests/unit/random.h"
#include "tests/unit/test_server.h"

namespace shmatch::ipc {
namespace {

class CaptureTest : public testing::Test {
 protected:
  Capture::Tell collect() {
    return [this](const CapturedRequest* captured) {
      const std::lock_guard lock(mutex_);
      if (captured == nullptr) {
        told_at_null_ = told_.size();
        ++nulls_;
      } else {
        told_.push_back(*captured);
      }
    };
  }
  std::size_t told() {
    const std::lock_guard lock(mutex_);
    return told_.size();
  }

  static core::Request cancel(core::OrderId order) {
    core::CancelOrder message;
    message.order_id = order;
    core::Request request;
    request.assign(message);
    return request;
  }
  static core::Request new_order(core::ClOrdId id) {
    core::NewOrder message;
    message.cl_ord_id = id;
    core::Request request;
    request.assign(message);
    return request;
  }

  std::mutex mutex_;
  std::vector<CapturedRequest> told_;
  std::size_t told_at_null_ = 0;
  std::size_t nulls_ = 0;
};

TEST_F(CaptureTest, TellsUserTimeAndEveryWord) {
  Capture capture(collect());
  capture.start();
  capture.take(7, cancel(42), 1'000);
  capture.take(8, new_order(43), 2'000);
  capture.stop();
  ASSERT_EQ(told_.size(), 2U);
  EXPECT_EQ(told_[0].user_id, 7);
  EXPECT_EQ(told_[0].time, 1'000);
  ASSERT_TRUE(told_[0].request.is<core::CancelOrder>());
  EXPECT_EQ(told_[0].request.as<core::CancelOrder>().order_id, 42);
  EXPECT_EQ(told_[1].user_id, 8);
  EXPECT_EQ(told_[1].time, 2'000);
  ASSERT_TRUE(told_[1].request.is<core::NewOrder>());
  EXPECT_EQ(told_[1].request.as<core::NewOrder>().cl_ord_id, 43);
  EXPECT_EQ(told_[1].request.slots(), new_order(43).slots());
}

TEST_F(CaptureTest, SaysWhenNothingWaits) {
  Capture capture(collect());
  capture.start();
  capture.take(1, cancel(1), 1);
  EXPECT_TRUE(eventually([&] {
    const std::lock_guard lock(mutex_);
    return told_at_null_ == 1;
  }));
  capture.stop();
}

TEST_F(CaptureTest, OrderHoldsOverManyLaps) {
  Capture capture(collect());
  capture.start();
  constexpr core::OrderId kRequests = 400'000;  // more than two queues full
  tests::Random random(1);
  for (core::OrderId i = 1; i <= kRequests; ++i) {
    ASSERT_TRUE(eventually([&] { return capture.room(1); }));
    capture.take(i % 5, random.one_in(2) ? cancel(i) : new_order(i), i);
  }
  capture.stop();
  ASSERT_EQ(told_.size(), static_cast<std::size_t>(kRequests));
  for (core::OrderId i = 1; i <= kRequests; ++i) {
    const CapturedRequest& each = told_[static_cast<std::size_t>(i - 1)];
    const core::OrderId number = each.request.is<core::CancelOrder>()
                                     ? each.request.as<core::CancelOrder>().order_id
                                     : each.request.as<core::NewOrder>().cl_ord_id;
    ASSERT_EQ(number, i);
    ASSERT_EQ(each.time, i);
    ASSERT_EQ(each.user_id, i % 5);
  }
  // The last word is that everything was told.
  EXPECT_EQ(told_at_null_, told_.size());
}

TEST_F(CaptureTest, ASlowWriterStopsTheTakingAndLosesNothing) {
  std::atomic<bool> slow{true};
  std::atomic<std::uint64_t> count{0};
  Capture capture([&](const CapturedRequest* captured) {
    while (slow.load()) ::sched_yield();
    if (captured != nullptr) ++count;
  });
  capture.start();
  std::uint64_t taken = 0;
  while (capture.room(1)) {
    capture.take(1, cancel(1), 1);
    ++taken;
  }
  EXPECT_GT(taken, 1'000U);
  slow = false;
  EXPECT_TRUE(eventually([&] { return capture.room(1); }));
  capture.stop();
  EXPECT_EQ(count.load(), taken);
}

using CapturingServer = ServerTest;

// What a server tells: in the engine's order, whether or not the engine accepts it.
TEST_F(CapturingServer, TellsWhatSessionsSend) {
  std::vector<CapturedRequest> told;
  options_.capture = [&told](const CapturedRequest* captured) {
    if (captured != nullptr) told.push_back(*captured);
  };
  start();
  Client alice = logged_on("alice");
  Client bob = logged_on("bob");
  enter(alice, limit_order(1, core::Side::kBuy, 10, 1, 71));
  Report reply;
  ASSERT_FALSE(bob.call(core::CancelOrder{.oms_id = 1, .order_id = 5}, reply, kPatience));
  ASSERT_TRUE(answers(alice));
  server_.request_stop();
  server_.wait();
  ASSERT_EQ(told.size(), 3U);
  EXPECT_EQ(told[0].user_id, kAliceUser);
  EXPECT_EQ(told[0].request.as<core::NewOrder>().cl_ord_id, 71);
  EXPECT_EQ(told[1].user_id, kBobUser);
  EXPECT_EQ(told[1].request.as<core::CancelOrder>().order_id, 5);
  EXPECT_TRUE(told[2].request.is<core::Ping>());
  EXPECT_LE(told[0].time, told[1].time);
}

}  // namespace
}  // namespace shmatch::ipc
