#include <gtest/gtest.h>

#include "core/state_view.h"
#include "tests/unit/random.h"
#include "tests/unit/replay_log.h"
#include "tools/pacer.h"
#include "tools/read_ahead.h"
#include "tools/replay_input.h"
#include "tools/state_difference.h"

namespace shmatch::tools {
namespace {

LogBuilder trading_day() {
  LogBuilder log;
  log.logons().order(0, 'B', 5, 100).order(0, 'B', 2, 99).order(1, 'S', 7, 100).cancel(0, 2);
  return log.cancel(0, 2).order(1, 'B', 1, 90, 77).end_session(1), log;
}

TEST(Replay, AppliesEveryRecordAndNamesTheOutcome) {
  const LogBuilder log = trading_day();
  const ReplayOutcome outcome = replay(log.log());
  EXPECT_FALSE(outcome.failed());
  EXPECT_EQ(outcome.records, 9U);
  EXPECT_EQ(outcome.last_sequence, 9U);
  EXPECT_GT(outcome.reports, 0U);
  EXPECT_NE(outcome.digest, 0U);
}

TEST(Replay, DigestsDependOnNothingButTheRecords) {
  const LogBuilder log = trading_day();
  const ReplayOutcome first = replay(log.log());
  ReplaySettings salted;
  salted.engine.hash_salt = 0x1234'5678'9ABC'DEF0;
  salted.engine.keep_digest = false;
  LogInput one_by_one(log.log(), 1);
  Replay run(one_by_one, salted);
  const ReplayOutcome second = run.run();
  EXPECT_EQ(first.digest, second.digest);
  EXPECT_EQ(first.reports_digest, second.reports_digest);

  LogBuilder other = trading_day();
  other.order(0, 'B', 1, 50);
  EXPECT_NE(replay(other.log()).digest, first.digest);
  EXPECT_NE(replay(other.log()).reports_digest, first.reports_digest);
}

std::uint64_t digest_of(const std::vector<std::pair<core::SessionSlot, core::Sequence>>& receipts) {
  tools::ReportDigest digest;
  for (const auto& [to, request] : receipts) {
    core::Receipt receipt;
    receipt.request_sequence = request;
    core::Report report;
    report.assign(receipt);
    digest.add(to, report);
  }
  return digest.value();
}

TEST(ReportDigest, CoversReceiverOrderAndContent) {
  const std::uint64_t digest = digest_of({{1, 4}, {2, 5}});
  EXPECT_EQ(digest, digest_of({{1, 4}, {2, 5}}));
  EXPECT_NE(digest, digest_of({{2, 4}, {1, 5}}));
  EXPECT_NE(digest, digest_of({{2, 5}, {1, 4}}));
  EXPECT_NE(digest, digest_of({{1, 4}, {2, 6}}));
  EXPECT_NE(digest, digest_of({{1, 4}}));
}

TEST(ReportDigest, MayBeAskedAtAnyTime) {
  tools::ReportDigest asked;
  tools::ReportDigest not_asked;
  for (core::Sequence i = 1; i < 1'000; ++i) {
    core::Receipt receipt;
    receipt.request_sequence = i;
    core::Report report;
    report.assign(receipt);
    asked.add(1, report);
    not_asked.add(1, report);
    if (i % 7 == 0) asked.value();
  }
  EXPECT_EQ(asked.value(), not_asked.value());
}

TEST(ReportDigest, TakesReportsWhereTheyWereBuilt) {
  tools::ReportDigest built;
  tools::ReportDigest whole;
  std::uint64_t word = 0;
  for (std::uint32_t i = 0; i < 1'000; ++i) {
    const std::uint32_t slots = 1 + i % core::kSlotsPerMessageMax;
    core::Report report;
    for (std::size_t place = 0; place < slots * core::kSlotWords; ++place) {
      report.words[place] = ++word << 16 | slots << 8;
    }
    core::build(report, built.room());
    built.add_built(i % 3, slots);
    whole.add(i % 3, report);
    core::Report other = report;
    other.words[slots * core::kSlotWords - 1] ^= std::uint64_t{1} << 63;
    tools::ReportDigest alone;
    tools::ReportDigest different;
    alone.add(0, report);
    different.add(0, other);
    ASSERT_NE(alone.value(), different.value());
  }
  EXPECT_EQ(built.value(), whole.value());
}

TEST(Replay, StopsAfterTheInputItWasToldTo) {
  const LogBuilder log = trading_day();
  ReplaySettings settings;
  settings.until = 4;
  const ReplayOutcome outcome = replay(log.log(), settings);
  EXPECT_EQ(outcome.records, 4U);
  EXPECT_EQ(outcome.last_sequence, 4U);
}

TEST(Replay, ComparesMarksAndNamesTheFirstThatDiffers) {
  const LogBuilder plain = trading_day();
  ReplaySettings settings;
  settings.until = 5;
  const std::uint64_t after_5 = replay(plain.log(), settings).digest;

  LogBuilder right = trading_day();
  right.mark(5, after_5);
  EXPECT_EQ(replay(right.log()).marks, 1U);
  EXPECT_FALSE(replay(right.log()).failed());

  LogBuilder wrong = trading_day();
  wrong.mark(5, after_5).mark(7, after_5);
  const ReplayOutcome outcome = replay(wrong.log());
  ASSERT_TRUE(outcome.divergence.has_value());
  EXPECT_EQ(outcome.divergence->agreed, 5U);
  EXPECT_EQ(outcome.divergence->sequence, 7U);
  EXPECT_EQ(outcome.divergence->expected, after_5);
  EXPECT_NE(outcome.divergence->got, after_5);
  EXPECT_EQ(outcome.last_sequence, 7U) << "the replay ends where it went wrong";
}

TEST(Replay, StopsBeforeARecordThatCannotBeApplied) {
  LogBuilder log;
  log.logons().order(0, 'B', 1, 10).end_session(5).order(0, 'B', 1, 11);
  const ReplayOutcome outcome = replay(log.log());
  ASSERT_TRUE(outcome.bad_record.has_value());
  EXPECT_EQ(outcome.bad_record->sequence, 4U);
  EXPECT_STRNE(outcome.bad_record->reason, "");
  EXPECT_EQ(outcome.records, 3U);
}

// Records that were read ahead take the short way, which must stop at the same ones.
TEST(Replay, StopsBeforeAnyRecordThatCannotBeAppliedWhereverItWasRead) {
  const auto spoilt = [](auto spoil) {
    LogBuilder log;
    log.logons().order(0, 'B', 1, 10);
    spoil(log);
    log.order(0, 'B', 1, 11);
    return log.log();
  };
  const LoadedLog logs[] = {
      spoilt([](LogBuilder& log) { log.end_session(0); }),  // the next request has no session
      spoilt([](LogBuilder& log) { log.end_session(5); }),
      spoilt([](LogBuilder& log) { log.logons(); }),  // into slots that are taken
  };
  for (const LoadedLog& log : logs) {
    const ReplayOutcome expected = replay(log);
    ASSERT_TRUE(expected.bad_record.has_value());
    LogInput input(log);
    ReadAhead ahead(input);
    Replay run(ahead, {});
    const ReplayOutcome outcome = run.run();
    ASSERT_TRUE(outcome.bad_record.has_value());
    EXPECT_EQ(outcome.bad_record->sequence, expected.bad_record->sequence);
    EXPECT_STREQ(outcome.bad_record->reason, expected.bad_record->reason);
    EXPECT_EQ(outcome.records, expected.records);
    EXPECT_EQ(outcome.digest, expected.digest);
  }
}

// A number that is not above the last one is the commonest fault: a record twice.
TEST(Replay, StopsBeforeARecordThatWasReadAheadTwice) {
  LogBuilder log;
  log.logons().order(0, 'B', 1, 10).order(0, 'B', 1, 11);
  LoadedLog twice = log.log();
  std::ranges::copy(twice.record(2),
                    twice.words.begin() + static_cast<std::ptrdiff_t>(twice.offsets[3]));
  LogInput input(twice);
  ReadAhead ahead(input);
  Replay run(ahead, {});
  const ReplayOutcome outcome = run.run();
  ASSERT_TRUE(outcome.bad_record.has_value());
  EXPECT_EQ(outcome.bad_record->sequence, 4U);
  EXPECT_EQ(outcome.records, 3U);
}

TEST(Replay, RecordsOfImpossibleLengthEndIt) {
  LoadedLog log = trading_day().log();
  log.words[log.offsets[3]] |= 0xFF00;  // longer than any record
  EXPECT_TRUE(replay(log).bad_record.has_value());
}

TEST(Replay, ConfigurationChangesMoveTheState) {
  core::Configuration larger = small_configuration();
  larger.instruments.push_back({4, "MORE", {1, 0}, {1, 0}});
  LogBuilder log;
  log.logons().order(0, 'B', 5, 100).configure(larger).restart();
  const ReplayOutcome outcome = replay(log.log());
  ASSERT_FALSE(outcome.failed()) << outcome.fault.text;

  core::Configuration contradicting = small_configuration();
  contradicting.instruments[0].tick = {2, 0};
  LogBuilder refused;
  refused.logons().order(0, 'B', 5, 100).configure(contradicting).restart();
  EXPECT_TRUE(replay(refused.log()).fault);
}

// So many orders and levels that all hints are given. Random words, half of them with what leads
// further: ids that are known, and prices with a level. Memory that is not the engine's would show
// under a sanitizer.
TEST(Replay, HintsAreHarmlessWhateverARecordHolds) {
  core::Configuration configuration = small_configuration();
  configuration.capacities.working_orders = 10'000;
  LogBuilder log(configuration);
  log.logons();
  for (int i = 0; i < 9'000; ++i) {
    const bool buys = i % 2 == 0;
    const int away = i / 2 % 2'500;
    log.order(in_turn(i), buys ? 'B' : 'S', 1, buys ? 2'500 - away : 2'501 + away, 1 + i);
  }
  LogInput input(log.log());
  Replay run(input, {});
  run.run();
  core::LookAhead hints(run.engine());
  ASSERT_TRUE(hints.worthwhile());
  ASSERT_EQ(run.engine().price_levels(), 5'000U);
  tests::Random random(7);
  const std::uint64_t before = run.engine().digest();
  for (int round = 0; round < 20'000; ++round) {
    std::uint64_t words[core::kInputRecordWordsMax];
    for (std::uint64_t& word : words) word = random.next();
    const auto length = static_cast<std::uint32_t>(2 + random.below(12));
    words[0] = core::input_first_word(core::InputKind::kRequest, length, 0);
    std::uint64_t* const message = words + core::kInputRequestWords;
    const bool cancels = random.one_in(2);
    if (random.one_in(2)) {
      core::NewOrder order;
      order.account_id = 1 + static_cast<core::AccountId>(random.below(3));
      order.instrument_id = 3;
      order.cl_ord_id = static_cast<core::ClOrdId>(random.below(10'000));
      order.side = random.one_in(2) ? core::Side::kBuy : core::Side::kSell;
      order.set_limit_price(core::in_increments(static_cast<core::Ticks>(random.below(5'100))));
      core::Request request;
      request.assign(order);
      std::copy_n(request.words, sizeof order / 8, message);
      // Of a cancel, its OrderId.
      if (cancels) message[offsetof(core::CancelOrder, order_id) / 8] = random.below(20'000);
    }
    message[0] = static_cast<std::uint64_t>(cancels ? core::RequestType::kCancelOrder
                                                    : core::RequestType::kNewOrder);
    hints.far_record(words);
    hints.near_record(words);
  }
  EXPECT_EQ(run.engine().digest(), before);
}

TEST(StateView, ShowsOrdersWithTheirNeighboursInTheQueue) {
  LogBuilder log;
  log.logons().order(0, 'B', 5, 100).order(1, 'B', 6, 100).order(0, 'B', 7, 100);
  LogInput input(log.log());
  Replay run(input, {});
  run.run();
  const core::StateView state(run.engine());
  core::OrderView order;
  ASSERT_TRUE(state.find(2, order));
  EXPECT_EQ(order.ahead, 1);
  EXPECT_EQ(order.behind, 3);
  EXPECT_EQ(order.account_id, 2);
  EXPECT_EQ(order.leaves, 6);
  EXPECT_EQ(order.state, core::OrderState::kWorking);
  core::LevelView level;
  ASSERT_TRUE(state.next_level(3, core::Side::kBuy, 0, level));
  EXPECT_EQ(level.order_count, 3U);
  EXPECT_EQ(level.first, 1);
  EXPECT_FALSE(state.next_level(3, core::Side::kBuy, 100, level));
  EXPECT_FALSE(state.next_level(9, core::Side::kBuy, 0, level));
  EXPECT_FALSE(state.find(4, order));
  EXPECT_FALSE(state.find(-1, order));
}

TEST(ReadAhead, GivesTheSameBatchesInOrder) {
  core::Configuration larger = small_configuration();
  larger.accounts.push_back(3);
  LogBuilder log;
  log.logons();
  for (int i = 0; i < 50; ++i) log.order(in_turn(i), 'B', 1, 10 + i);
  log.configure(larger).restart().logon(2, 10).cancel(2, 1);
  ReplaySettings settings;
  settings.until = 52;
  log.mark(52, replay(log.log(), settings).digest);
  const ReplayOutcome direct = replay(log.log());
  ASSERT_FALSE(direct.failed()) << direct.fault.text;

  LogInput input(log.log(), 2);
  ReadAhead ahead(input);
  const ReplayOutcome outcome = Replay(ahead, {}).run();
  EXPECT_FALSE(outcome.failed());
  EXPECT_EQ(outcome.digest, direct.digest);
  EXPECT_EQ(outcome.reports_digest, direct.reports_digest);
  EXPECT_EQ(outcome.marks, 1U);
  InputBatch batch;
  EXPECT_EQ(ahead.next(batch), InputStream::Next::kEnd) << "the end may be asked for again";
}

TEST(ReadAhead, MayBeLeftAtAnyTime) {
  LogBuilder log;
  log.logons();
  for (int i = 0; i < 50; ++i) log.order(in_turn(i), 'B', 1, 10 + i);
  for (core::Sequence until = 1; until < 50; until += 7) {
    LogInput input(log.log(), 1);
    ReadAhead ahead(input);
    ReplaySettings settings;
    settings.until = until;
    EXPECT_EQ(Replay(ahead, settings).run().records, until);
  }
  LogInput input(log.log(), 1);
  const ReadAhead never_asked(input);
}

TEST(StateDifferences, NamesWhatIsNotEqual) {
  LogBuilder one;
  one.logons().order(0, 'B', 5, 100).order(1, 'B', 6, 100).order(1, 'S', 2, 110);
  LogBuilder other;
  other.logons().order(0, 'B', 5, 100).order(1, 'B', 7, 100).order(1, 'S', 2, 111);
  LogInput one_input(one.log());
  LogInput other_input(other.log());
  Replay one_run(one_input, {});
  Replay other_run(other_input, {});
  one_run.run();
  other_run.run();
  const auto differences =
      state_differences(one_run.engine(), other_run.engine(), one_run.configuration(), 10);
  ASSERT_EQ(differences.size(), 2U);
  EXPECT_EQ(differences[0],
            "TEST, bids at 100, order 2: expected 6 left of 6, account 2, got 7 left of 7, "
            "account 2");
  EXPECT_EQ(differences[1], "TEST, asks, next price: expected 110, got 111");
  EXPECT_TRUE(
      state_differences(one_run.engine(), one_run.engine(), one_run.configuration(), 10).empty());
}

// A source of requests made by hand.
class HandMadeSource final : public RequestSource {
 public:
  explicit HandMadeSource(std::vector<SourcedRequest> requests)
      : configuration_(small_configuration()), requests_(std::move(requests)) {}
  Next next(SourcedRequest& request) override {
    if (place_ == requests_.size()) return Next::kEnd;
    request = requests_[place_++];
    return Next::kRequest;
  }
  const ipc::Fault& fault() const override { return fault_; }
  const SourceCounts& counts() const override { return counts_; }
  const core::Configuration& configuration() const override { return configuration_; }
  const char* format_name() const override { return "test"; }
  bool derived() const override { return false; }
  double progress() const override { return 1; }

 private:
  core::Configuration configuration_;
  std::vector<SourcedRequest> requests_;
  std::size_t place_ = 0;
  SourceCounts counts_;
  ipc::Fault fault_;
};

TEST(SourceInput, LogsEverybodyOnAndKeepsTimeFromGoingBack) {
  core::CancelOrder cancel;
  cancel.oms_id = 1;
  cancel.order_id = 1;
  SourcedRequest request;
  request.request.assign(cancel);
  std::vector<SourcedRequest> requests(3, request);
  requests[0].time = 500;
  requests[0].user = "bob";
  requests[1].time = 400;
  requests[1].user = "alice";
  requests[2].time = 900;
  requests[2].user = "bob";
  HandMadeSource source(requests);
  SourceInput input(source);
  InputBatch batch;
  ASSERT_EQ(input.next(batch), InputStream::Next::kBatch);
  EXPECT_EQ(batch.record_count, 6U);
  EXPECT_EQ(input.preparing_records(), 3U);
  std::span<const std::uint64_t> rest = batch.words;
  std::vector<std::vector<std::uint64_t>> records;
  while (!rest.empty()) {
    const auto record = rest.first(core::input_words(rest[0]));
    records.emplace_back(record.begin(), record.end());
    rest = rest.subspan(record.size());
  }
  ASSERT_EQ(records.size(), 6U);
  for (core::SessionSlot slot = 0; slot < 3; ++slot) {
    EXPECT_EQ(core::input_kind(records[slot][0]), core::InputKind::kLogon);
    EXPECT_EQ(core::input_slot(records[slot][0]), slot);
    EXPECT_EQ(core::decode_logon(records[slot].data()).user_id,
              source.configuration().users[slot].id);
  }
  const auto time = [&](std::size_t i) { return records[i][1]; };
  EXPECT_EQ(time(3), 500U);
  EXPECT_EQ(time(4), 500U) << "a step back is held still";
  EXPECT_EQ(time(5), 900U);
  EXPECT_EQ(core::input_slot(records[3][0]), 1U);
  EXPECT_EQ(core::input_slot(records[4][0]), 0U);
  EXPECT_EQ(core::request_number(records[3].data()), 1U);
  EXPECT_EQ(core::request_number(records[5].data()), 2U);
  EXPECT_EQ(input.next(batch), InputStream::Next::kEnd);
}

TEST(Pacer, TakesTheFourForms) {
  EXPECT_TRUE(Pacer::parse("asap")->asap());
  EXPECT_FALSE(Pacer::parse("original")->asap());
  for (const char* wrong : {"", "fast", "x", "x0", "x-1", "xinf", "rate=", "rate=0", "rate=1k"}) {
    EXPECT_FALSE(Pacer::parse(wrong).has_value()) << wrong;
  }
}

TEST(Pacer, MomentsAreCountedFromTheFirst) {
  using std::chrono::milliseconds;
  std::optional<Pacer> twice = Pacer::parse("x2");
  ASSERT_TRUE(twice);
  const auto first = twice->next(1'000'000'000);
  EXPECT_EQ(twice->next(1'010'000'000) - first, milliseconds(5));
  EXPECT_EQ(twice->next(1'020'000'000) - first, milliseconds(10));
  std::optional<Pacer> rate = Pacer::parse("rate=100");
  ASSERT_TRUE(rate);
  const auto start = rate->next(5);
  EXPECT_EQ(rate->next(5) - start, milliseconds(10));
  EXPECT_EQ(rate->next(5) - start, milliseconds(20));
}

}  // namespace
}  // namespace shmatch::tools
