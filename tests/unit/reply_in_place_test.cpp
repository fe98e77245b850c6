// Replies in place, through a Server and its Clients in one process.
#include "ipc/reply_in_place.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/test_server.h"

namespace shmatch {
namespace {

using core::Side;
using ReplyInPlace = ServerTest;

TEST_F(ReplyInPlace, EarlyRepliesAreThoseOfTheRing) {
  start();
  LogonOptions options = logon_as("alice");
  options.reply_in_place = true;
  options.request_slots = 64;  // so that lines are used many times
  Client alice;
  ASSERT_FALSE(alice.logon(options));
  Report early;
  EXPECT_FALSE(alice.early_reply(early));
  for (int round = 0; round < 300; ++round) {
    const RequestId entry = alice.send(limit_order(1, Side::kBuy, 100, 5, 77));
    ASSERT_TRUE(eventually([&] { return alice.early_reply(early); }));
    ASSERT_TRUE(early.is<core::OrderAccepted>());
    EXPECT_EQ(replied_request(early), entry);
    EXPECT_FALSE(alice.early_reply(early));
    Report report = next(alice);
    ASSERT_EQ(report.slots(), early.slots());
    EXPECT_TRUE(std::equal(report.words, report.words + core::kSlotWords, early.words));
    EXPECT_TRUE(next(alice).is<core::OrderEntered>());

    const RequestId cancel = alice.cancel({.oms_id = 1, .account_id = 1, .cl_ord_id = 77});
    ASSERT_TRUE(eventually([&] { return alice.early_reply(early); }));
    EXPECT_EQ(replied_request(early), cancel);
    EXPECT_EQ(early.as<core::Receipt>().code, core::ErrorCode::kOk);
    report = next(alice);
    EXPECT_TRUE(std::equal(report.words, report.words + core::kSlotWords, early.words));
    EXPECT_TRUE(next(alice).is<core::OrderChanged>());
  }
  // Answers of more than one slot come by the ring alone.
  const RequestId query = alice.submit(core::OrderStatusQuery{.oms_id = 1, .order_id = 1});
  Report report = next(alice);
  EXPECT_EQ(replied_request(report), query);
}

// Lines whose replies are under way must not be written over each other.
TEST_F(ReplyInPlace, RepliesInPlaceSpoilNoRequest) {
  start();
  LogonOptions options = logon_as("alice");
  options.reply_in_place = true;
  options.request_slots = 64;
  Client alice;
  ASSERT_FALSE(alice.logon(options));
  RequestId sent = 0;
  RequestId answered = 0;
  Report report;
  const bool all = eventually([&] {
    for (RequestId burst = 0; burst < 1 + sent % 5 && answered + 200 > sent; ++burst) {
      const bool cancels = sent % 2 == 0;
      sent += (cancels ? alice.cancel({.oms_id = 1, .order_id = 9'999})
                       : alice.send(limit_order(1, Side::kBuy, 0, 1))) != 0;
    }
    if (alice.early_reply(report) && replied_request(report) != sent) return true;
    while (alice.poll(report)) {
      if (replied_request(report) != answered + 1 || !report.is<core::Receipt>()) return true;
      ++answered;
    }
    return answered >= 20'000;
  });
  EXPECT_TRUE(all);
  EXPECT_GE(answered, 20'000U);
}

TEST_F(ReplyInPlace, WithoutTheOptionNoReplyComesEarly) {
  start();
  Client alice = logged_on("alice");
  ASSERT_NE(alice.ping(), 0U);
  ASSERT_TRUE(next(alice).is<core::Pong>());
  Report early;
  EXPECT_FALSE(alice.early_reply(early));
}

}  // namespace
}  // namespace shmatch
