#include "tools/state_difference.h"

#include <algorithm>
#include <string_view>

#include "core/state_view.h"
#include "ipc/reference_data.h"
#include "tools/amounts.h"

namespace shmatch::tools {

namespace {

std::string_view state_name(core::SessionState state) noexcept {
  switch (state) {
    case core::SessionState::kFree:
      return "free";
    case core::SessionState::kOpen:
      return "open";
    case core::SessionState::kSweeping:
      return "sweeping";
    case core::SessionState::kOrphaned:
      return "orphaned";
    case core::SessionState::kDetached:
      return "detached";
  }
  return "in no known state";
}

class Comparison {
 public:
  Comparison(const core::MatchingEngine& expected, const core::MatchingEngine& got,
             const core::Configuration& configuration, std::size_t most)
      : expected_(expected), got_(got), configuration_(configuration), most_(most) {}

  std::vector<std::string> run() {
    number("last input", expected_.last_sequence(), got_.last_sequence());
    number("trades", expected_.trade_count(), got_.trade_count());
    number("working orders", expected_.working_orders(), got_.working_orders());
    number("ended orders that are known", expected_.finished_orders(), got_.finished_orders());
    for (core::SessionSlot slot = 0; slot < expected_.session_capacity(); ++slot) session(slot);
    for (const core::Instrument& instrument : configuration_.instruments) {
      const Amounts amounts(reference_, instrument.id);
      text(instrument.symbol + ", last trade",
           amounts.price(expected_.last_trade_price(instrument.id)),
           amounts.price(got_.last_trade_price(instrument.id)));
      for (const core::Side side : {core::Side::kBuy, core::Side::kSell}) book(instrument, side);
    }
    return std::move(sentences_);
  }

 private:
  void text(const std::string& what, const std::string& expected, const std::string& got) {
    if (expected == got || sentences_.size() >= most_) return;
    sentences_.push_back(what + ": expected " + expected + ", got " + got);
  }

  void number(const std::string& what, std::uint64_t expected, std::uint64_t got) {
    text(what, std::to_string(expected), std::to_string(got));
  }

  void session(core::SessionSlot slot) {
    const core::SessionView expected = expected_.session(slot);
    const core::SessionView got = got_.session(slot);
    const std::string name = "session " + std::to_string(slot);
    text(name, std::string(state_name(expected.state)), std::string(state_name(got.state)));
    number(name + ", user", static_cast<std::uint64_t>(expected.logon.user_id),
           static_cast<std::uint64_t>(got.logon.user_id));
    number(name + ", last request", expected.last_request, got.last_request);
  }

  // Level by level from the best price, order by order from the front of each queue.
  void book(const core::Instrument& instrument, core::Side side) {
    const std::string where = instrument.symbol + (side == core::Side::kBuy ? ", bids" : ", asks");
    core::Ticks price = 0;
    for (;;) {
      core::LevelView expected;
      core::LevelView got;
      const bool has = core::StateView(expected_).next_level(instrument.id, side, price, expected);
      const bool have = core::StateView(got_).next_level(instrument.id, side, price, got);
      if (!has && !have) return;
      const Amounts amounts(reference_, instrument.id);
      const auto level = [&](bool there, const core::LevelView& view) {
        return there ? amounts.price(view.price) : std::string("none");
      };
      text(where + ", next price", level(has, expected), level(have, got));
      // Behind a level that only one of them has, nothing can be compared.
      if (has != have || expected.price != got.price || sentences_.size() >= most_) return;
      queue(where + " at " + amounts.price(expected.price), amounts, expected.first, got.first);
      price = expected.price;
    }
  }

  void queue(const std::string& where, const Amounts& amounts, core::OrderId expected,
             core::OrderId got) {
    while (expected != 0 || got != 0) {
      const auto name = [](core::OrderId id) {
        return id == 0 ? std::string("no order") : "order " + std::to_string(id);
      };
      text(where + ", next in the queue", name(expected), name(got));
      if (expected != got || sentences_.size() >= most_) return;
      core::OrderView one;
      core::OrderView other;
      core::StateView(expected_).find(expected, one);
      core::StateView(got_).find(got, other);
      const auto left = [&](const core::OrderView& order) {
        return amounts.quantity(static_cast<std::uint64_t>(order.leaves), 0) + " left of " +
               amounts.quantity(static_cast<std::uint64_t>(order.orig_quantity), 0) + ", account " +
               std::to_string(order.account_id);
      };
      text(where + ", order " + std::to_string(expected), left(one), left(other));
      expected = one.behind;
      got = other.behind;
    }
  }

  const core::MatchingEngine& expected_;
  const core::MatchingEngine& got_;
  const core::Configuration& configuration_;
  ReferenceData reference_{configuration_};
  std::size_t most_;
  std::vector<std::string> sentences_;
};

}  // namespace

std::vector<std::string> state_differences(const core::MatchingEngine& expected,
                                           const core::MatchingEngine& got,
                                           const core::Configuration& configuration,
                                           std::size_t most) {
  return Comparison(expected, got, configuration, most).run();
}

}  // namespace shmatch::tools
