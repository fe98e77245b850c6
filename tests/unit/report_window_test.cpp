// What is kept for a client that may come back: which reports, how many, and what is said when some
// have gone.
#include "ipc/report_window.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "tests/reference/engine_under_test.h"
#include "tests/reference/twin_engine.h"
#include "tests/unit/random.h"
#include "tests/unit/test_server.h"

namespace shmatch::ipc {
namespace {

using core::Report;
using reference::WordBuffer;

constexpr std::uint32_t kSlots = 64;
constexpr core::SessionSlot kAlice = 1;  // resumable
constexpr core::SessionSlot kBob = 2;    // resumable
constexpr core::SessionSlot kOther = 3;  // not

template <class Message>
Report made(Message message, core::Sequence sequence, std::uint32_t ordinal) {
  message.header.engine_sequence = sequence;
  message.header.ordinal = ordinal;
  Report report;
  report.assign(message);
  return report;
}

Report trade(core::Sequence sequence, std::uint32_t ordinal = 0) {
  core::Trade message;
  message.order_id = static_cast<core::OrderId>(sequence);
  return made(message, sequence, ordinal);
}

Report receipt(core::RequestType asked, core::Sequence sequence) {
  core::Receipt message;
  message.request_sequence = 1;
  message.request_type = static_cast<std::uint32_t>(asked);
  return made(message, sequence, 0);
}

std::vector<Mark> marks_from(const ReportWindows& windows, core::SessionSlot slot, Mark from) {
  std::vector<Mark> marks;
  windows.for_each_from(slot, from,
                        [&](const Report& report) { marks.push_back(mark_of(report)); });
  return marks;
}

class ReportWindowTest : public testing::Test {
 protected:
  ReportWindowTest() : engine_(small_configuration(), 1) {
    log_on(kAlice, kAliceUser, true);
    log_on(kBob, kBobUser, true);
    log_on(kOther, kBobUser, false);
  }

  void SetUp() override {
    const Fault fault = windows_.create(4, kSlots);
    ASSERT_FALSE(fault) << fault.text;
    windows_.begin(kAlice, true);
    windows_.begin(kBob, true);
    windows_.begin(kOther, false);
  }

  void log_on(core::SessionSlot slot, core::UserId user, bool resumable) {
    core::Logon logon{.user_id = user, .resumable = resumable};
    logon.name[0] = 'a';
    engine_->logon(slot, logon, 0);
  }

  WordBuffer exported() const {
    WordBuffer words;
    EXPECT_TRUE(windows_.export_words(*engine_, words));
    return words;
  }

  reference::EngineInMemory engine_;
  ReportWindows windows_;
};

TEST_F(ReportWindowTest, KeepsWhatInputsCauseAndNothingElse) {
  const std::vector<Report> kept = {
      receipt(core::RequestType::kCancelOrder, 1),
      receipt(core::RequestType::kNewOrder, 2),
      made(core::OrderAccepted{}, 3, 0),
      made(core::OrderEntered{}, 3, 1),
      made(core::OrderChanged{}, 4, 0),
      trade(5),
      made(core::OrderStateWhole{}, 6, 0),
      made(core::TradeWhole{}, 7, 0),
  };
  const std::vector<Report> answers = {
      receipt(core::RequestType::kOrderStatus, 8),
      receipt(core::RequestType::kOpenOrders, 8),
      receipt(core::RequestType::kL2Snapshot, 8),
      made(core::OrderStatusReply{}, 8, 0),
      made(core::OpenOrderRow{}, 8, 0),
      made(core::L2Rows{}, 8, 0),
      made(core::PageEnd{}, 8, 0),
      made(core::Pong{}, 8, 0),
      made(core::Resumed{}, 8, 0),
  };
  for (const Report& report : kept) {
    EXPECT_TRUE(caused_by_input(report)) << int{report.type()};
    windows_.keep(kAlice, report);
  }
  for (const Report& report : answers) {
    EXPECT_FALSE(caused_by_input(report)) << int{report.type()};
    windows_.keep(kAlice, report);
  }
  std::vector<Report> found;
  windows_.for_each_from(kAlice, {}, [&](const Report& report) { found.push_back(report); });
  ASSERT_EQ(found.size(), kept.size());
  for (std::size_t i = 0; i < kept.size(); ++i) {
    EXPECT_TRUE(reference::same_words(found[i], kept[i])) << i;
  }
}

TEST_F(ReportWindowTest, SessionsThatCannotReturnKeepNothing) {
  windows_.keep(kOther, trade(1));
  EXPECT_TRUE(marks_from(windows_, kOther, {}).empty());
}

TEST_F(ReportWindowTest, GivesWhatIsAtOrBehindAMark) {
  for (std::uint32_t ordinal = 0; ordinal < 3; ++ordinal) windows_.keep(kAlice, trade(5, ordinal));
  windows_.keep(kAlice, trade(9));
  EXPECT_EQ(marks_from(windows_, kAlice, {5, 0}).size(), 4U);
  EXPECT_EQ(marks_from(windows_, kAlice, mark_behind(trade(5, 1))).size(), 2U);
  EXPECT_EQ(marks_from(windows_, kAlice, {6, 0}).size(), 1U);
  EXPECT_TRUE(marks_from(windows_, kAlice, mark_behind(trade(9))).empty());
  EXPECT_TRUE(marks_from(windows_, kAlice, {~core::Sequence{0}, 0}).empty());
}

TEST_F(ReportWindowTest, SaysWhenSomethingHasGone) {
  for (core::Sequence i = 1; i <= kSlots; ++i) windows_.keep(kAlice, trade(i));
  EXPECT_TRUE(windows_.covers(kAlice, {}));
  EXPECT_EQ(marks_from(windows_, kAlice, {}).size(), kSlots);

  windows_.keep(kAlice, trade(kSlots + 1));
  EXPECT_FALSE(windows_.covers(kAlice, {}));
  EXPECT_FALSE(windows_.covers(kAlice, {1, 0}));
  EXPECT_TRUE(windows_.covers(kAlice, mark_behind(trade(1))));
  EXPECT_TRUE(windows_.covers(kAlice, {2, 0}));
  const Mark from = windows_.kept_from(kAlice);
  EXPECT_FALSE(from < mark_behind(trade(1)));
  EXPECT_FALSE(mark_of(trade(2)) < from);
  EXPECT_EQ(marks_from(windows_, kAlice, {}).front().sequence, 2U);
  EXPECT_TRUE(windows_.covers(kBob, {}));
}

TEST_F(ReportWindowTest, AWideReportPushesOutAsManyAsItNeeds) {
  for (core::Sequence i = 1; i <= kSlots; ++i) windows_.keep(kAlice, trade(i));
  windows_.keep(kAlice, made(core::OrderStateWhole{}, kSlots + 1, 0));
  EXPECT_FALSE(windows_.covers(kAlice, mark_of(trade(4))));
  EXPECT_TRUE(windows_.covers(kAlice, mark_behind(trade(4))));
  EXPECT_EQ(marks_from(windows_, kAlice, {}).size(), kSlots - 4 + 1);
}

TEST_F(ReportWindowTest, ANewSessionInTheSlotMissesNothing) {
  for (core::Sequence i = 1; i <= 2 * kSlots; ++i) windows_.keep(kAlice, trade(i));
  windows_.begin(kAlice, true);
  EXPECT_TRUE(windows_.covers(kAlice, {}));
  EXPECT_TRUE(marks_from(windows_, kAlice, {}).empty());
}

// ---- as words, and back

TEST_F(ReportWindowTest, ComesBackFromItsWords) {
  for (core::Sequence i = 1; i <= kSlots + 10; ++i) windows_.keep(kAlice, trade(i));
  windows_.keep(kBob, made(core::OrderStateWhole{}, 70, 3));
  WordBuffer words = exported();

  ReportWindows again;
  ASSERT_FALSE(again.create(4, kSlots));
  ASSERT_TRUE(again.import_words(*engine_, words));
  EXPECT_EQ(words.words_left(), 0U);
  for (const core::SessionSlot slot : {kAlice, kBob}) {
    const auto expected = marks_from(windows_, slot, {});
    const auto found = marks_from(again, slot, {});
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_FALSE(found[i] < expected[i] || expected[i] < found[i]);
    }
    EXPECT_EQ(again.covers(slot, {}), windows_.covers(slot, {}));
    EXPECT_EQ(again.kept_from(slot).sequence, windows_.kept_from(slot).sequence);
    EXPECT_EQ(again.kept_from(slot).ordinal, windows_.kept_from(slot).ordinal);
  }
  WordBuffer twice;
  ASSERT_TRUE(again.export_words(*engine_, twice));
  EXPECT_EQ(twice.words(), exported().words());
  // And goes on from there.
  again.keep(kAlice, trade(kSlots + 11));
  EXPECT_EQ(marks_from(again, kAlice, {}).back().sequence, kSlots + 11U);
}

TEST_F(ReportWindowTest, ASmallerWindowKeepsTheNewestAndSaysSo) {
  for (core::Sequence i = 1; i <= kSlots; ++i) windows_.keep(kAlice, trade(i));
  WordBuffer words = exported();
  ReportWindows smaller;
  ASSERT_FALSE(smaller.create(4, kSlots / 4));
  ASSERT_TRUE(smaller.import_words(*engine_, words));
  const auto found = marks_from(smaller, kAlice, {});
  ASSERT_EQ(found.size(), kSlots / 4);
  EXPECT_EQ(found.back().sequence, kSlots);
  EXPECT_FALSE(smaller.covers(kAlice, {}));
}

TEST_F(ReportWindowTest, FreeSlotsAreNotExported) {
  windows_.keep(kAlice, trade(1));
  engine_->end_session(kAlice, 1);
  engine_->forget_session(kAlice, 2);
  WordBuffer words = exported();
  ReportWindows again;
  ASSERT_FALSE(again.create(4, kSlots));
  ASSERT_TRUE(again.import_words(*engine_, words));
  EXPECT_TRUE(marks_from(again, kAlice, {}).empty());
}

// Whatever the words are, importing them ends, stays within its memory, and never believes more
// than it can hold.
class HostileWindowWords : public ReportWindowTest {
 protected:
  void SetUp() override {
    ReportWindowTest::SetUp();
    for (core::Sequence i = 1; i <= 6; ++i) windows_.keep(kAlice, trade(i));
    windows_.keep(kAlice, made(core::OrderStateWhole{}, 7, 0));
    windows_.keep(kBob, trade(8));
    good_ = exported().words();
  }

  bool accepted(std::vector<std::uint64_t> words) const {
    ReportWindows windows;
    EXPECT_FALSE(windows.create(4, kSlots));
    WordBuffer source(std::move(words));
    const bool done = windows.import_words(*engine_, source);
    // What came in can be used, whatever it is.
    for (core::SessionSlot slot = 0; slot < 4; ++slot) {
      windows.keep(slot, trade(100));
      marks_from(windows, slot, {});
    }
    return done;
  }

  std::vector<std::uint64_t> good_;
};

TEST_F(HostileWindowWords, CutAnywhere) {
  ASSERT_TRUE(accepted(good_));
  for (std::size_t size = 0; size < good_.size(); ++size) {
    EXPECT_FALSE(accepted({good_.begin(), good_.begin() + static_cast<std::ptrdiff_t>(size)}))
        << size;
  }
}

TEST_F(HostileWindowWords, AnyWordIsAnother) {
  tests::Random random(3);
  for (std::size_t at = 0; at < good_.size(); ++at) {
    for (const std::uint64_t value :
         {std::uint64_t{0}, ~std::uint64_t{0}, random.next(), good_[at] ^ 0xFF00, good_[at] + 1}) {
      std::vector<std::uint64_t> words = good_;
      words[at] = value;
      accepted(std::move(words));
    }
  }
}

TEST_F(HostileWindowWords, SlotsThatHaveNoWindow) {
  for (const std::uint64_t slot : {std::uint64_t{0}, std::uint64_t{kOther}, std::uint64_t{4},
                                   std::uint64_t{1} << 32 | kAlice}) {
    std::vector<std::uint64_t> words = good_;
    words[0] = slot;
    EXPECT_FALSE(accepted(std::move(words))) << slot;
  }
}

TEST_F(HostileWindowWords, TheSameWindowTwice) {
  std::vector<std::uint64_t> words = good_;
  words.insert(words.begin(), {kAlice, 0, 0, 0});
  EXPECT_FALSE(accepted(std::move(words)));
}

TEST_F(HostileWindowWords, ReportsThatNoWindowHolds) {
  constexpr std::size_t kFirst = 4;  // behind the head
  for (const std::uint64_t word :
       {std::uint64_t{0}, std::uint64_t{0xFF05}, std::uint64_t{0x0005},
        static_cast<std::uint64_t>(core::ReportType::kPong) | 1 << 8, std::uint64_t{0x01FF}}) {
    std::vector<std::uint64_t> words = good_;
    words[kFirst] = word;
    EXPECT_FALSE(accepted(std::move(words))) << word;
  }
}

TEST_F(HostileWindowWords, MoreSlotsThanThereAre) {
  for (const std::uint64_t slots : {std::uint64_t{3}, std::uint64_t{11}, ~std::uint64_t{0}}) {
    std::vector<std::uint64_t> words = good_;
    words[3] = slots;
    EXPECT_FALSE(accepted(std::move(words))) << slots;
  }
}

}  // namespace
}  // namespace shmatch::ipc
