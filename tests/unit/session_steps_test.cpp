// Session by itself, step by step: no engine, no other process.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "ipc/ring.h"
#include "ipc/session.h"

namespace shmatch {
namespace {

using core::Report;

// A Session without an engine, and a reader of its reports.
class SessionSteps : public testing::Test {
 protected:
  void SetUp() override { make({}); }

  void make(const ipc::Entry& entry) {
    ipc::SessionMemory memory;
    const ipc::Fault fault =
        memory.create(0, {.request_slots = 64, .report_slots = 256, .backlog_slots = 256});
    ASSERT_FALSE(fault) << fault.text;
    ASSERT_FALSE(
        requests_.map(memory.requests_handle(), memory.requests_size(), ipc::Access::kReadWrite));
    ASSERT_FALSE(
        reports_.map(memory.reports_handle(), memory.reports_size(), ipc::Access::kReadOnly));
    const std::uint32_t offset = memory.first_slot_offset();
    session_ = std::make_unique<ipc::Session>(std::move(memory), 0, 1, core::Logon{}, entry);
    reader_ = std::make_unique<ipc::RingReader>(
        reinterpret_cast<const ipc::Slot*>(reports_.data() + offset), 256,
        &reinterpret_cast<ipc::RequestsHeader*>(requests_.data())->reports_consumed);
  }

  // Of an input that has the same number.
  static Report pong(core::Sequence number) {
    core::Pong message;
    message.header.engine_sequence = number;
    message.request_sequence = number;
    Report report;
    report.assign(message);
    return report;
  }

  // Reads what the ring holds; each report must be the one after the last.
  void read_all() {
    Report report;
    while (reader_->read(report.words) == ipc::RingResult::kDone) {
      ASSERT_EQ(report.as<core::Pong>().request_sequence, ++read_);
    }
  }

  ipc::Slot& request_line(core::Sequence number = 1) {
    return reinterpret_cast<ipc::Slot*>(requests_.data() + ipc::first_slot_offset(0))[number - 1];
  }
  // A request of one slot that asks for its reply in place, and is taken.
  void ask(core::Sequence number) {
    ipc::Slot& slot = request_line(number);
    slot.payload[0] =
        static_cast<std::uint64_t>(core::RequestType::kPing) | 1U << 8 | ipc::kReplyInPlaceBit;
    slot.sequence = number;
    core::Request request;
    ASSERT_EQ(session_->take(request), ipc::RingResult::kDone);
    session_->expect_reply_in_place();
  }

  static constexpr core::Sequence kAll = ~core::Sequence{0};  // released: every input

  core::Sequence read_ = 0;
  std::uint64_t* room_ = nullptr;
  ipc::Mapping requests_;
  ipc::Mapping reports_;
  std::unique_ptr<ipc::Session> session_;
  std::unique_ptr<ipc::RingReader> reader_;
};

TEST_F(SessionSteps, NewReportsQueueBehindTheBacklog) {
  core::Sequence delivered = 0;
  while (delivered < 300) ASSERT_TRUE(session_->deliver(pong(++delivered)));
  read_all();
  EXPECT_EQ(read_, 256U);
  // The ring has room again, but 44 older reports wait.
  ASSERT_TRUE(session_->deliver(pong(++delivered)));
  read_all();
  EXPECT_EQ(read_, 256U);
  ASSERT_TRUE(session_->flush(kAll));
  read_all();
  EXPECT_EQ(read_, 301U);
}

TEST_F(SessionSteps, AFullBacklogDoomsOnceAndThenTakesNothing) {
  for (core::Sequence i = 1; i <= 512; ++i) ASSERT_TRUE(session_->deliver(pong(i)));
  EXPECT_FALSE(session_->deliver(pong(513)));
  EXPECT_EQ(session_->doomed(), ipc::EndReason::kSlowReader);
  EXPECT_TRUE(session_->deliver(pong(514)));
  EXPECT_FALSE(session_->doom(ipc::EndReason::kBreach));
  core::Request request;
  EXPECT_EQ(session_->take(request), ipc::RingResult::kBreach);
}

// One input may cause more reports than ring and backlog hold; a client that reads meanwhile is no
// slow reader.
TEST_F(SessionSteps, AFullBacklogMovesOnWhenTheReaderHasMadeRoom) {
  core::Sequence delivered = 0;
  while (delivered < 512) ASSERT_TRUE(session_->deliver(pong(++delivered)));
  read_all();
  EXPECT_EQ(read_, 256U);
  while (delivered < 768) ASSERT_TRUE(session_->deliver(pong(++delivered)));
  EXPECT_EQ(session_->doomed(), ipc::EndReason::kNone);
  read_all();
  ASSERT_TRUE(session_->flush(kAll));
  read_all();
  EXPECT_EQ(read_, 768U);
}

TEST_F(SessionSteps, AGatedSessionsReportsWaitForTheirInputs) {
  make({.gated = true, .seen = {}});
  for (core::Sequence i = 1; i <= 10; ++i) ASSERT_TRUE(session_->deliver(pong(i)));
  read_all();
  EXPECT_EQ(read_, 0U);
  ASSERT_TRUE(session_->flush(4));
  read_all();
  EXPECT_EQ(read_, 4U);
  // An empty backlog opens no way past it.
  ASSERT_TRUE(session_->flush(10));
  ASSERT_TRUE(session_->deliver(pong(11)));
  read_all();
  EXPECT_EQ(read_, 10U);
  ASSERT_TRUE(session_->flush(11));
  read_all();
  EXPECT_EQ(read_, 11U);
}

TEST_F(SessionSteps, RepliesInPlaceWaitForNobody) {
  ask(1);
  ASSERT_TRUE(session_->deliver(pong(1)));
  EXPECT_EQ(request_line().payload[0], pong(1).words[0]);
  EXPECT_EQ(request_line().payload[2], 1U);  // the request it answers
  EXPECT_EQ(request_line().sequence, 1U);
  ASSERT_TRUE(session_->deliver(pong(2)));
  EXPECT_EQ(request_line().payload[2], 1U);  // only the reply

  // One whose input is not on the disk yet must not be seen anywhere.
  make({.gated = true, .seen = {}});
  ask(1);
  const ipc::Slot before = request_line();
  ASSERT_TRUE(session_->deliver(pong(1)));
  EXPECT_EQ(std::memcmp(&before, &request_line(), sizeof before), 0);
}

TEST_F(SessionSteps, RoomsAreLentWhileNothingIsOutOfTheOrdinary) {
  EXPECT_EQ(room_, nullptr);
  session_->lend_rooms(&room_);
  core::Sequence delivered = 0;
  // Built in the ring, or delivered, as it comes; in one order in any case.
  const auto report = [&] {
    const Report built = pong(++delivered);
    std::uint64_t* room = room_;
    if (room == nullptr) room = session_->ask_room();
    if (room == nullptr) {
      ASSERT_TRUE(session_->deliver(built));
      return;
    }
    std::copy(built.words, built.words + core::kSlotWords, room);
    session_->send_built(1);
  };
  // As long as the longest report fits into the 256 slots.
  for (int i = 0; i < 253; ++i) {
    EXPECT_NE(room_, nullptr);
    report();
  }
  EXPECT_EQ(room_, nullptr);
  EXPECT_EQ(session_->ask_room(), nullptr);
  for (int i = 0; i < 13; ++i) report();
  read_all();
  EXPECT_EQ(read_, 256U);
  // There is room in the ring, but the backlog comes first.
  EXPECT_EQ(room_, nullptr);
  EXPECT_EQ(session_->ask_room(), nullptr);
  ASSERT_TRUE(session_->flush(kAll));
  report();
  read_all();
  EXPECT_EQ(read_, 267U);
  EXPECT_NE(session_->ask_room(), nullptr);
  report();
  EXPECT_NE(room_, nullptr);
  session_->start_draining();
  EXPECT_EQ(room_, nullptr);
  EXPECT_EQ(session_->ask_room(), nullptr);

  make({.gated = true, .seen = {}});
  session_->lend_rooms(&room_);
  EXPECT_EQ(room_, nullptr);
  EXPECT_EQ(session_->ask_room(), nullptr);
  make({});
  session_->lend_rooms(&room_);
  EXPECT_NE(room_, nullptr);
  EXPECT_TRUE(session_->doom(ipc::EndReason::kBreach));
  EXPECT_EQ(room_, nullptr);
  EXPECT_EQ(session_->ask_room(), nullptr);
}

TEST_F(SessionSteps, AReplyInPlaceIsBuiltElsewhereAndTheEventBehindItInTheRing) {
  session_->lend_rooms(&room_);
  const Report built = pong(1);
  EXPECT_FALSE(session_->reply_in_place(built.words, 1));
  for (const std::uint32_t slots : {1U, 2U}) {
    ask(slots);
    EXPECT_EQ(room_, nullptr);
    EXPECT_EQ(session_->reply_in_place(built.words, slots), slots == 1);
    EXPECT_EQ(request_line(slots).payload[0] == built.words[0], slots == 1);
    session_->forget_reply_in_place();
    EXPECT_NE(room_, nullptr);
  }
  EXPECT_EQ(session_->reports_written(), 1U);
  read_all();
  EXPECT_EQ(read_, 1U);
}

TEST_F(SessionSteps, WhatTheJournalLostIsRefused) {
  make({.gated = true, .seen = {}});
  core::Receipt kept;
  kept.header.engine_sequence = 1;
  kept.request_sequence = 1;
  core::OrderAccepted lost;
  lost.header.engine_sequence = 2;
  lost.request_sequence = 2;
  core::Trade event;
  event.header.engine_sequence = 2;
  Report report;
  report.assign(kept);
  ASSERT_TRUE(session_->deliver(report));
  report.assign(lost);
  ASSERT_TRUE(session_->deliver(report));
  report.assign(event);
  ASSERT_TRUE(session_->deliver(report));
  session_->refuse_unreleased(1, ENOSPC, 77);
  ASSERT_TRUE(session_->flush(1));

  ASSERT_EQ(reader_->read(report.words), ipc::RingResult::kDone);
  EXPECT_EQ(report.as<core::Receipt>().code, core::ErrorCode::kOk);
  ASSERT_EQ(reader_->read(report.words), ipc::RingResult::kDone);
  ASSERT_TRUE(report.is<core::Receipt>());
  const auto refusal = report.as<core::Receipt>();
  EXPECT_EQ(refusal.request_sequence, 2U);
  EXPECT_EQ(refusal.code, core::ErrorCode::kServerError);
  EXPECT_EQ(refusal.detail, core::Detail::kJournalFailed);
  EXPECT_EQ(refusal.argument0, ENOSPC);
  EXPECT_EQ(reader_->read(report.words), ipc::RingResult::kEmpty);
}

TEST_F(SessionSteps, RequestsWaitUntilTheirRepliesHaveRoom) {
  core::Request request;
  EXPECT_EQ(session_->take(request), ipc::RingResult::kEmpty);
  for (core::Sequence i = 1; i <= 256 - ipc::kReplySlotsFree; ++i) {
    ASSERT_TRUE(session_->deliver(pong(i)));
  }
  EXPECT_EQ(session_->take(request), ipc::RingResult::kEmpty);
  ASSERT_TRUE(session_->deliver(pong(1000)));
  EXPECT_EQ(session_->take(request), ipc::RingResult::kFull);
}

// ---- hostile neighbours

}  // namespace
}  // namespace shmatch
