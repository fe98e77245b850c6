// Records of inputs: their words, what is a record and what is none, and which record an engine can
// take in which state.
#include "core/input_record.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "tests/reference/engine_under_test.h"
#include "tests/unit/random.h"

namespace shmatch::core {
namespace {

using Words = std::array<std::uint64_t, kInputRecordWordsMax>;

constexpr TimeNs kNow = 1'700'000'000'000'000'000;
constexpr UserId kUser = 7;

struct Record {
  Words words{};
  std::uint32_t count = 0;

  const char* form_fault() const { return find_form_fault(words.data(), count); }
};

Logon logon_as(std::string_view name, bool resumable = true) {
  Logon logon;
  logon.user_id = kUser;
  logon.resumable = resumable;
  name.copy(logon.name, kSessionNameBytes - 1);
  return logon;
}

Request cancel_of(OrderId order_id) {
  CancelOrder cancel;
  cancel.oms_id = 1;
  cancel.order_id = order_id;
  Request request;
  request.assign(cancel);
  return request;
}

Request any_order() {
  NewOrder order;
  order.oms_id = 1;
  order.account_id = 1;
  order.instrument_id = 1;
  order.side = Side::kBuy;
  order.order_type = OrderType::kLimit;
  order.set_quantity(in_increments(5));
  order.set_limit_price(in_increments(100));
  Request request;
  request.assign(order);
  return request;
}

Record logon_record(SessionSlot slot, const Logon& logon) {
  Record record;
  record.count = encode_logon(record.words.data(), slot, logon, kNow);
  return record;
}

Record request_record(SessionSlot slot, Sequence number, const Request& request) {
  Record record;
  record.count = encode_request(record.words.data(), slot, number, request, kNow);
  return record;
}

// One record of each kind for a session in `slot`.
std::vector<Record> one_of_each(SessionSlot slot) {
  std::vector<Record> records;
  records.push_back(logon_record(slot, logon_as("new")));
  records.push_back(request_record(slot, 1000, any_order()));
  const auto add = [&records](auto encode) {
    Record record;
    record.count = encode(record.words.data());
    records.push_back(record);
  };
  add([&](std::uint64_t* words) { return encode_end_session(words, slot, kNow); });
  add([&](std::uint64_t* words) { return encode_sweep(words, kNow); });
  add([&](std::uint64_t* words) { return encode_stop_accepting(words, Detail::kStopping, kNow); });
  add([&](std::uint64_t* words) { return encode_restart(words, kNow); });
  add([&](std::uint64_t* words) { return encode_resume(words, slot, Logon{}, kNow); });
  add([&](std::uint64_t* words) { return encode_forget_session(words, slot, kNow); });
  return records;
}

// ------------------------------------------------------------------------------------------ layout

void expect_words(const Record& record, const std::vector<std::uint64_t>& expected) {
  EXPECT_EQ(std::vector(record.words.begin(), record.words.begin() + record.count), expected);
  EXPECT_EQ(input_words(record.words[0]), expected.size());
  EXPECT_EQ(record.form_fault(), nullptr);
}

TEST(InputRecord, EveryKindHasItsWords) {
  const std::uint64_t now = static_cast<std::uint64_t>(kNow);
  const std::uint64_t slot = std::uint64_t{3} << 32;
  const std::vector<Record> records = one_of_each(3);
  expect_words(records[0], {slot | 8 << 8 | 1, now, 7, 8, 0x77'656e, 0, 0, 0});
  const std::vector<std::uint64_t> words{slot | 11 << 8 | 2, now, 1000, 0x202, 1, 1, 1, 0, 5, 100};
  std::vector<std::uint64_t> order = words;
  order.push_back(0x0000'0001'0200'7d7d);
  expect_words(records[1], order);
  expect_words(request_record(3, 9, cancel_of(44)),
               {slot | 8 << 8 | 2, now, 9, 0x101, 1, 0, 44, 0});
  expect_words(records[2], {slot | 2 << 8 | 3, now});
  expect_words(records[3], {2 << 8 | 4, now});
  expect_words(records[4], {3 << 8 | 5, now, 1});
  expect_words(records[5], {2 << 8 | 6, now});
  expect_words(records[6], {slot | 3 << 8 | 7, now, 0});
  expect_words(records[7], {slot | 2 << 8 | 8, now});
}

TEST(InputRecord, SaysWhatWasPutIntoIt) {
  Logon logon = logon_as("desk");
  logon.cancel_on_disconnect = true;
  logon.all_accounts = true;
  const Record record = logon_record(5, logon);
  EXPECT_EQ(input_kind(record.words[0]), InputKind::kLogon);
  EXPECT_EQ(input_slot(record.words[0]), 5U);
  const Logon back = decode_logon(record.words.data());
  EXPECT_EQ(back.user_id, kUser);
  EXPECT_EQ(logon_flags(back), logon_flags(logon));
  EXPECT_STREQ(back.name, "desk");

  Record resume;
  logon.whole_objects = true;
  resume.count = encode_resume(resume.words.data(), 5, logon, kNow);
  EXPECT_EQ(logon_flags(decode_logon(resume.words.data())), 7U) << "never resumable: it is";

  const Record request = request_record(5, 12, cancel_of(44));
  EXPECT_EQ(request_number(request.words.data()), 12U);
  EXPECT_EQ(decode_request(request.words.data()).as<CancelOrder>().order_id, 44);
  EXPECT_EQ(stop_reason(one_of_each(0)[4].words.data()), Detail::kStopping);
}

TEST(InputRecord, LeavesOutWhatAClientPutBehindItsMessage) {
  Request request = cancel_of(44);
  for (std::size_t i = 5; i < 7; ++i) request.words[i] = ~std::uint64_t{0};
  EXPECT_EQ(request_record(1, 1, request).words, request_record(1, 1, cancel_of(44)).words);
}

TEST(InputRecord, OnlyOrdersAndCancelsAreInputs) {
  EXPECT_TRUE(is_input(cancel_of(1)));
  EXPECT_TRUE(is_input(any_order()));
  Request query;
  query.assign(OrderStatusQuery{});
  EXPECT_FALSE(is_input(query));
  query.assign(Ping{});
  EXPECT_FALSE(is_input(query));
}

// -------------------------------------------------------------------------------------------- form

TEST(InputRecord, MustHaveTheLengthThatItSays) {
  for (const Record& record : one_of_each(1)) {
    for (std::uint32_t count = 0; count <= kInputRecordWordsMax; ++count) {
      EXPECT_EQ(find_form_fault(record.words.data(), count) == nullptr, count == record.count);
      Record other = record;
      other.words[0] =
          input_first_word(input_kind(record.words[0]), count, input_slot(record.words[0]));
      other.count = count;
      EXPECT_EQ(other.form_fault() == nullptr, count == record.count);
    }
  }
}

TEST(InputRecord, MustNotSetWhatIsZero) {
  for (const Record& record : one_of_each(0)) {
    const InputKind kind = input_kind(record.words[0]);
    const bool any_slot = kind != InputKind::kSweep && kind != InputKind::kStopAccepting &&
                          kind != InputKind::kRestart;
    for (unsigned bit = 16; bit < 64; ++bit) {
      Record other = record;
      other.words[0] |= std::uint64_t{1} << bit;
      EXPECT_EQ(other.form_fault() == nullptr, bit >= 32 && any_slot) << "bit " << bit;
    }
  }
}

TEST(InputRecord, MustBeOfAKnownKind) {
  for (std::uint32_t kind = 0; kind < 256; ++kind) {
    Record record;
    record.words[0] = input_first_word(static_cast<InputKind>(kind), 2, 0);
    record.count = 2;
    const bool known = kind == 3 || kind == 4 || kind == 6 || kind == 8;
    EXPECT_EQ(record.form_fault() == nullptr, known) << "kind " << kind;
  }
}

TEST(InputRecord, MustHaveATimeThatIntervalsCanBeAddedTo) {
  for (Record record : one_of_each(1)) {
    record.words[1] = static_cast<std::uint64_t>(kTimeEnd) - 1;
    EXPECT_EQ(record.form_fault(), nullptr);
    record.words[1] = static_cast<std::uint64_t>(kTimeEnd);
    EXPECT_NE(record.form_fault(), nullptr);
    record.words[1] = ~std::uint64_t{0};
    EXPECT_NE(record.form_fault(), nullptr);
  }
}

TEST(InputRecord, MustHaveValuesThatExist) {
  const std::vector<Record> records = one_of_each(1);
  const auto fault_with = [&](std::size_t kind, std::size_t word, std::uint64_t value) {
    Record record = records[kind];
    record.words[word] = value;
    return record.form_fault();
  };
  EXPECT_STREQ(fault_with(0, 3, 16), "a logon has unknown flags");
  EXPECT_STREQ(fault_with(0, 4, 0), "a logon has a session name that is none") << "resumable";
  EXPECT_STREQ(fault_with(0, 6, 0x61), "a logon has a session name that is none") << "a hole";
  Record full = records[0];
  std::fill_n(full.words.begin() + 4, 4, 0x6161'6161'6161'6161);
  EXPECT_STREQ(full.form_fault(), "a logon has a session name that is none") << "no end";
  EXPECT_STREQ(fault_with(4, 2, 0), "the engine stops for an unknown reason");
  EXPECT_STREQ(fault_with(4, 2, 3), "the engine stops for an unknown reason");
  EXPECT_STREQ(fault_with(6, 2, 8), "a resume has unknown flags");
  EXPECT_STREQ(fault_with(1, 3, 0x01'0202), "a request is malformed") << "a reserved bit";
  EXPECT_STREQ(fault_with(1, 3, 0x302), "a request is malformed") << "slots";
  EXPECT_STREQ(fault_with(1, 3, 0x101), "a record is of an unknown kind or length");
  EXPECT_STREQ(fault_with(1, 3, 0x106), "a record is of an unknown kind or length") << "a query";
}

// ------------------------------------------------------------------------------------------- state

// An engine with a session in each state.
class Engine {
 public:
  enum Slot : SessionSlot { kFree, kOpen, kSweeping, kOrphan, kLostOrphan, kDetached, kEnd };

  Engine() : engine_(configuration(), 1) {
    for (const SessionSlot slot : {kSweeping, kOrphan, kLostOrphan, kDetached}) {
      Logon logon = logon_as("s" + std::to_string(slot), slot != kLostOrphan);
      logon.cancel_on_disconnect = slot == kSweeping;
      engine_->logon(slot, logon, kNow);
      engine_->request(slot, 1, any_order(), kNow);
    }
    engine_->end_session(kSweeping, kNow);
    engine_->end_session(kDetached, kNow);
    engine_->restart(kNow);
    engine_->logon(kOpen, logon_as("s1"), kNow);
    engine_->request(kOpen, 999, cancel_of(4711), kNow);
  }

  static Configuration configuration() {
    Configuration configuration;
    configuration.instruments = {{1, "TEST", {1, 0}, {1, 0}}};
    configuration.accounts = {1};
    configuration.users = {{kUser, "user", kPermissionTrading, {1}}};
    configuration.capacities = {16, 16, kEnd};
    return configuration;
  }

  const char* fault(const Record& record) const {
    return find_fault(*engine_, record.words.data(), record.count);
  }
  MatchingEngine& operator*() { return *engine_; }
  MatchingEngine* operator->() { return &*engine_; }

 private:
  reference::EngineInMemory engine_;
};

TEST(InputRecord, OfASessionMustFitItsState) {
  const Engine engine;
  for (SessionSlot slot = 0; slot <= Engine::kEnd; ++slot) {
    const bool open = slot == Engine::kOpen;
    const bool orphan = slot == Engine::kOrphan || slot == Engine::kLostOrphan;
    const std::vector<Record> records = one_of_each(slot);
    const std::array<bool, 8> expected{slot == Engine::kFree,
                                       open,
                                       open || orphan,
                                       true,
                                       true,
                                       true,
                                       slot == Engine::kOrphan || slot == Engine::kDetached,
                                       slot == Engine::kDetached};
    for (std::size_t kind = 0; kind < records.size(); ++kind) {
      EXPECT_EQ(engine.fault(records[kind]) == nullptr, expected[kind])
          << "slot " << slot << " record " << kind;
    }
  }
}

TEST(InputRecord, WithoutFaultCanBeApplied) {
  for (SessionSlot slot = 0; slot <= Engine::kEnd; ++slot) {
    for (const Record& record : one_of_each(slot)) {
      Engine engine;
      if (engine.fault(record) != nullptr) continue;
      const Sequence before = engine->last_sequence();
      apply(*engine, record.words.data());
      EXPECT_EQ(engine->last_sequence(), before + 1);
      engine->check_invariants();
    }
  }
}

TEST(InputRecord, OfALogonMustNameAUserAndNobodyElsesSession) {
  const Engine engine;
  Logon logon = logon_as("s3");
  EXPECT_STREQ(engine.fault(logon_record(Engine::kFree, logon)),
               "a resumable session logs on with the name of another one");
  logon.resumable = false;
  EXPECT_EQ(engine.fault(logon_record(Engine::kFree, logon)), nullptr);
  logon.user_id = 8;
  EXPECT_STREQ(engine.fault(logon_record(Engine::kFree, logon)),
               "a session logs on for an unknown user");
}

TEST(InputRecord, OfARequestMustHaveAGrowingNumber) {
  const Engine engine;
  EXPECT_STREQ(engine.fault(request_record(Engine::kOpen, 999, any_order())),
               "a request has a number that is not above the one before");
  EXPECT_EQ(engine.fault(request_record(Engine::kOpen, 1000, any_order())), nullptr);
}

TEST(InputRecord, OfASweepMustHaveSomethingToDo) {
  Engine engine;
  while (engine->sweep(kNow)) {
  }
  EXPECT_STREQ(engine.fault(one_of_each(0)[3]), "a sweep finds nothing to do");
}

// Damaged and random records: whatever passes can be applied, and the engine stays whole.
TEST(InputRecord, NoWordsHarmTheEngine) {
  tests::Random random(1);
  for (int round = 0; round < 40; ++round) {
    Engine engine;
    std::uint64_t applied = 0;
    for (int i = 0; i < 2000; ++i) {
      const auto slot = static_cast<SessionSlot>(random.below(Engine::kEnd + 1));
      const std::vector<Record> records = one_of_each(slot);
      Record record = records[random.below(records.size())];
      for (std::uint64_t flips = random.below(3); flips > 0; --flips) {
        record.words[random.below(record.count)] ^= std::uint64_t{1} << random.below(64);
      }
      if (input_kind(record.words[0]) == InputKind::kRequest && !random.one_in(4)) {
        record.words[2] = 1000 + static_cast<std::uint64_t>(i);
      }
      if (engine.fault(record) != nullptr) continue;
      apply(*engine, record.words.data());
      ++applied;
      if (i % 100 == 0) engine->check_invariants();
    }
    EXPECT_GT(applied, 100U);
    engine->check_invariants();
  }
}

}  // namespace
}  // namespace shmatch::core
