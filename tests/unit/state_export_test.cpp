// Exported states: they come back whole, into engines that may take them, and nothing else does.
#include "core/state_export.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <string>

#include "core/check.h"
#include "tests/reference/twin_engine.h"
#include "tests/unit/busy_engine.h"
#include "tests/unit/random.h"

namespace shmatch::core {
namespace {

using namespace tests;
using reference::EngineInMemory;
using reference::exported;
using reference::WordBuffer;

std::vector<std::uint64_t> busy_words() {
  EngineInMemory engine(busy_configuration(), 1);
  make_busy(*engine);
  return exported(*engine).words();
}

std::string fault_of(std::vector<std::uint64_t> words,
                     const Configuration& configuration = busy_configuration()) {
  EngineInMemory engine(configuration, 2);
  WordBuffer source(std::move(words));
  const char* fault = import_state(*engine, source);
  return fault == nullptr ? "" : fault;
}

TEST(StateExport, ComesBackWhole) {
  EngineInMemory engine(busy_configuration(), 1);
  make_busy(*engine);
  WordBuffer state = exported(*engine);
  EngineInMemory other(busy_configuration(), 99);
  ASSERT_EQ(import_state(*other, state), nullptr);
  EXPECT_EQ(state.words_left(), 0U);
  other->check_invariants();
  EXPECT_EQ(other->digest(), engine->digest());
  EXPECT_EQ(other->digest(), state.words().back());
  EXPECT_EQ(exported(*other).words(), state.words());
  for (SessionSlot slot = 0; slot < engine->session_capacity(); ++slot) {
    EXPECT_EQ(other->session(slot).state, engine->session(slot).state);
    EXPECT_STREQ(other->session(slot).logon.name, engine->session(slot).logon.name);
  }
  EXPECT_EQ(other->session(kOpen).last_request, 8U);
}

TEST(StateExport, OfAFreshEngineComesBackToo) {
  EngineInMemory engine(busy_configuration(), 1);
  EXPECT_EQ(fault_of(exported(*engine).words()), "");
}

// The books, the finished orders and their keys, and the sweep go on as if nothing had been.
TEST(StateExport, GoesOnWithEqualReports) {
  EngineInMemory one(busy_configuration(), 1);
  make_busy(*one);
  WordBuffer state = exported(*one);
  EngineInMemory two(reference::enlarged(busy_configuration()), 99);
  ASSERT_EQ(import_state(*two, state), nullptr);
  one.take_received();
  const auto both = [&](const std::function<void(MatchingEngine&)>& input) {
    input(*one);
    input(*two);
    const reference::Received received = one.take_received();
    const reference::Received other = two.take_received();
    ASSERT_EQ(received.size(), other.size());
    for (const auto& [slot, reports] : received) {
      ASSERT_TRUE(std::equal(reports.begin(), reports.end(), other.at(slot).begin(),
                             other.at(slot).end(), reference::same_words));
    }
    ASSERT_EQ(one->digest(), two->digest());
  };
  TimeNs now = kBusyTime + 1'000'000;
  Sequence number = 8;
  for (OrderId id = 1; id < 14; ++id) {
    both([&](MatchingEngine& engine) {
      engine.request(kOpen, number + 1, cancel_request(id), now + 1);
    });
    ++number;
    ++now;
  }
  both([&](MatchingEngine& engine) {
    engine.request(kOpen, number + 1, order_request({.quantity = 50, .price = 200}), now + 1);
  });
  for (int step = 0; step < 2; ++step) {
    both([&](MatchingEngine& engine) { engine.sweep(now + 2); });
  }
  EXPECT_FALSE(one->sweeping());
  both([&](MatchingEngine& engine) { engine.resume(kDetached, Logon{}, now + 3); });
  both([&](MatchingEngine& engine) {
    engine.request(kDetached, 2, order_request({.side = Side::kSell, .price = 200}), now + 4);
  });
}

// ----------------------------------------------------------------------------- other
// configurations

TEST(StateExport, FitsALargerConfiguration) {
  EXPECT_EQ(fault_of(busy_words(), reference::enlarged(busy_configuration())), "");
}

TEST(StateExport, DoesNotFitAConfigurationThatContradictsIt) {
  const auto fault_with = [](const std::function<void(Configuration&)>& change) {
    Configuration configuration = busy_configuration();
    change(configuration);
    EXPECT_EQ(find_fault(configuration), "");
    return fault_of(busy_words(), configuration);
  };
  EXPECT_EQ(fault_with([](Configuration& c) { c.oms_id = 2; }),
            "the exported state is of another OMS");
  EXPECT_EQ(fault_with([](Configuration& c) { c.capacities.working_orders = 17; }),
            "the exported state is of an engine with other capacities for orders");
  EXPECT_EQ(fault_with([](Configuration& c) { c.capacities.finished_orders = 100; }),
            "the exported state is of an engine with other capacities for orders");
  EXPECT_EQ(fault_with([](Configuration& c) { c.capacities.price_levels = 1; }),
            "there are more price levels than the capacity allows");
  EXPECT_EQ(fault_with([](Configuration& c) { c.capacities.sessions = 4; }),
            "there are more sessions than the capacity allows");
  EXPECT_EQ(fault_with([](Configuration& c) { c.instruments.pop_back(); }),
            "a price level is of an unknown instrument");
  EXPECT_EQ(fault_with([](Configuration& c) { c.users.pop_back(); }),
            "an order is of an unknown account, instrument or user");
  EXPECT_EQ(fault_with([](Configuration& c) {
              c.accounts.pop_back();
              c.users[0].accounts.pop_back();
            }),
            "an order is of an unknown account, instrument or user");
}

TEST(StateExport, NeedsAFreshEngine) {
  EngineInMemory engine(busy_configuration(), 2);
  make_busy(*engine);
  WordBuffer state = exported(*engine);
  EXPECT_STREQ(import_state(*engine, state),
               "a state can only be put into an engine without inputs");
}

// ------------------------------------------------------------------------------------------ damage

TEST(StateExport, IsRefusedWhereverItEnds) {
  const std::vector<std::uint64_t> words = busy_words();
  for (std::size_t size = 0; size < words.size(); ++size) {
    EXPECT_EQ(fault_of({words.begin(), words.begin() + static_cast<std::ptrdiff_t>(size)}),
              "the exported state ends too early");
  }
}

TEST(StateExport, IsRefusedWithAnyBitChanged) {
  const std::vector<std::uint64_t> words = busy_words();
  for (std::size_t i = 0; i < words.size(); ++i) {
    for (unsigned bit = 0; bit < 64; ++bit) {
      std::vector<std::uint64_t> damaged = words;
      damaged[i] ^= std::uint64_t{1} << bit;
      ASSERT_NE(fault_of(damaged), "") << "word " << i << " bit " << bit;
    }
  }
}

TEST(StateExport, OfAnotherFormatSaysWhatToDo) {
  std::vector<std::uint64_t> words = busy_words();
  ++words[1];
  EXPECT_EQ(fault_of(words),
            "the exported state is of another format version: use the shmatch that wrote it");
  words[0] = 0;
  EXPECT_EQ(fault_of(words), "this is no exported state");
}

constexpr SessionSlot kLast = 7;

void print_broken_invariant(const char* condition, const char* file, int line) noexcept {
  std::fprintf(stderr, "%s:%d: broken invariant %s\n", file, line, condition);
}

// Values from elsewhere in the stream, small numbers and extremes in random places. Where only the
// digest stops the import, the state that it has put together must be one that could be.
TEST(StateExport, NoWordsMakeAnImpossibleState) {
  check_handler = print_broken_invariant;
  const std::vector<std::uint64_t> words = busy_words();
  Random random(5);
  int whole = 0;
  for (int round = 0; round < 60'000; ++round) {
    std::vector<std::uint64_t> damaged = words;
    for (std::uint64_t changes = 1 + random.below(3); changes > 0; --changes) {
      std::uint64_t& word = damaged[random.below(words.size() - 1)];
      switch (random.below(5)) {
        case 0:
          word = words[random.below(words.size())];
          break;
        case 1:
          word += random.below(3) - 1;
          break;
        case 2:
          word = random.below(20);
          break;
        case 3:
          word = random.next() >> random.below(64);
          break;
        default:
          word ^= std::uint64_t{1} << random.below(64);
      }
    }
    EngineInMemory engine(busy_configuration(), 2);
    WordBuffer source(damaged);
    const char* fault = import_state(*engine, source);
    if (fault == nullptr) {
      ASSERT_EQ(damaged, words);
      continue;
    }
    if (std::string_view(fault) != "the state's digest is not the one that was exported") continue;
    ++whole;
    engine->check_invariants();
    for (int step = 0; step < 10 && engine->sweep(kBusyTime); ++step) {
    }
    engine->restart(kBusyTime);
    if (!engine->slot_free(kLast)) continue;
    engine->logon(kLast, resumable_logon(kBusyTrader, "fuzz"), kBusyTime);
    engine->request(kLast, 1, order_request({.quantity = 9, .price = 130}), kBusyTime);
    engine->check_invariants();
  }
  EXPECT_GT(whole, 1000) << "the changes are too wild to get past the first checks";
}

// ------------------------------------------------------------------------------------------- sinks

class LimitedSink final : public WordSink {
 public:
  explicit LimitedSink(std::size_t room) : room_(room) {}
  bool put(std::span<const std::uint64_t> words) noexcept override {
    EXPECT_FALSE(full_) << "nothing comes after a refusal";
    full_ = words.size() > room_;
    if (!full_) room_ -= words.size();
    return !full_;
  }

 private:
  std::size_t room_;
  bool full_ = false;
};

TEST(StateExport, StopsWhenTheSinkTakesNoMore) {
  EngineInMemory engine(busy_configuration(), 1);
  make_busy(*engine);
  const std::size_t size = exported(*engine).words().size();
  for (std::size_t room = 0; room <= size; ++room) {
    LimitedSink sink(room);
    EXPECT_EQ(export_state(*engine, sink), room == size);
  }
}

}  // namespace
}  // namespace shmatch::core
