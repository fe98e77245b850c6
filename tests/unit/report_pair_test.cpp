#include "ipc/report_pair.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace shmatch::ipc {
namespace {

using core::Report;

std::vector<std::uint64_t> words_of(const Report& report) {
  return {report.words, report.words + report.slots() * core::kSlotWords};
}

template <class Message>
Report report_of(const Message& message) {
  Report report;
  report.assign(message);
  return report;
}

core::Receipt receipt() {
  core::Receipt message;
  message.header.ordinal = 7;
  message.header.engine_sequence = 1234;
  message.request_sequence = 55;
  message.request_type = static_cast<std::uint32_t>(core::RequestType::kCancelOrder);
  message.time_ns = 99;
  return message;
}

core::OrderChanged canceled() {
  core::OrderChanged message;
  message.header = {.a = 0x31, .b = 4, .ordinal = 8, .engine_sequence = 1234};
  message.order_id = 42;
  message.cl_ord_id = 43;
  message.executed = 17;
  message.time_ns = 99;
  return message;
}

core::OrderAccepted accepted() {
  core::OrderAccepted message;
  message.header.ordinal = 0;
  message.header.engine_sequence = 77;
  message.request_sequence = 5;
  message.order_id = 42;
  message.cl_ord_id = 43;
  message.time_ns = 99;
  return message;
}

core::OrderEntered entered() {
  core::OrderEntered message;
  message.header = {.a = 1, .b = 2, .ordinal = 1, .engine_sequence = 77};
  message.order_id = 42;
  message.cl_ord_id = 43;
  message.account_id = 3;
  message.price = 100;
  message.orig_quantity = 6;
  message.executed = 1;
  message.time_ns = 99;
  message.instrument_id = 9;
  message.entered_by = 8;
  message.side = core::Side::kSell;
  message.order_type = core::OrderType::kLimit;
  message.order_flags = 2;
  message.gross_low = 100;
  message.gross_high = 1;
  return message;
}

TEST(ReportPair, PartsAreWhatWasJoined) {
  const std::vector<std::pair<Report, Report>> pairs = {
      {report_of(receipt()), report_of(canceled())}, {report_of(accepted()), report_of(entered())}};
  for (const auto& [first, second] : pairs) {
    ASSERT_TRUE(opens_pair(first));
    Report pair;
    ASSERT_TRUE(join(first, second, pair));
    EXPECT_TRUE(is_pair(pair));
    EXPECT_EQ(pair.slots(), second.slots());
    Report reply;
    Report event;
    part(pair, reply, event);
    EXPECT_EQ(words_of(reply), words_of(first));
    EXPECT_EQ(words_of(event), words_of(second));
  }
}

TEST(ReportPair, OnlySuccessfulCancelsAndEntriesOpenOne) {
  core::Receipt refused = receipt();
  refused.code = core::ErrorCode::kNotFound;
  EXPECT_FALSE(opens_pair(report_of(refused)));
  core::Receipt explained = receipt();
  explained.argument1 = 1;
  EXPECT_FALSE(opens_pair(report_of(explained)));
  core::Receipt of_order = receipt();
  of_order.request_type = static_cast<std::uint32_t>(core::RequestType::kNewOrder);
  EXPECT_FALSE(opens_pair(report_of(of_order)));
  EXPECT_FALSE(opens_pair(report_of(core::Pong{})));
  EXPECT_FALSE(opens_pair(report_of(canceled())));
  EXPECT_FALSE(opens_pair(report_of(entered())));
}

TEST(ReportPair, NothingElseJoins) {
  const Report reply = report_of(receipt());
  const auto refuses = [&](auto change) {
    core::OrderChanged event = canceled();
    change(event);
    Report pair;
    return !join(reply, report_of(event), pair);
  };
  EXPECT_TRUE(refuses([](core::OrderChanged& event) { event.header.ordinal = 9; }));
  EXPECT_TRUE(refuses([](core::OrderChanged& event) { event.header.engine_sequence = 1235; }));
  EXPECT_TRUE(refuses([](core::OrderChanged& event) { event.leaves = 1; }));
  EXPECT_TRUE(refuses([](core::OrderChanged& event) { event.time_ns = 98; }));
  Report pair;
  EXPECT_FALSE(join(reply, report_of(core::OrderStateWhole{}), pair));
  EXPECT_FALSE(join(reply, report_of(entered()), pair));
}

TEST(ReportPair, AnotherOrdersEntryDoesNotJoin) {
  const Report reply = report_of(accepted());
  const auto refuses = [&](auto change) {
    core::OrderEntered event = entered();
    change(event);
    Report pair;
    return !join(reply, report_of(event), pair);
  };
  EXPECT_TRUE(refuses([](core::OrderEntered& event) { event.order_id = 1; }));
  EXPECT_TRUE(refuses([](core::OrderEntered& event) { event.cl_ord_id = 1; }));
  EXPECT_TRUE(refuses([](core::OrderEntered& event) { event.time_ns = 1; }));
  EXPECT_TRUE(refuses([](core::OrderEntered& event) { event.header.ordinal = 2; }));
  Report pair;
  EXPECT_FALSE(join(reply, report_of(canceled()), pair));
  EXPECT_FALSE(join(reply, report_of(core::Trade{}), pair));
}

}  // namespace
}  // namespace shmatch::ipc
