// The matching engine that one writes with what the libraries have: price levels in a std::map, a
// level's orders in a std::list, boost::unordered_flat_map to find orders by OrderId and by
// (account, client order id). What core::MatchingEngine is measured against.
//
// It has the core's duties: the same checks in the same order with the same refusals, both keys,
// orders that have ended stay known up to the configured number, and the same reports, word for
// word but for the order ids, which are 1, 2, 3 ... here (tests/reference/baseline_test.cpp tells
// both engines the same streams). It leaves out what no benchmark asks for: sessions that end,
// whole-object reports, the rate limit, queries, journal, digest. An order moves between its level
// and the ended ones by splicing, so each costs one allocation.
//
// Thread: one at a time.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <list>
#include <map>
#include <utility>
#include <vector>

#include "core/configuration.h"
#include "core/matching_engine.h"
#include "core/message.h"

namespace shmatch::bench {

class BaselineEngine {
 public:
  // Reports go to `port`. Room in the hash tables is made for all configured orders.
  BaselineEngine(const core::Configuration& configuration, core::ReportPort& port);
  BaselineEngine(const BaselineEngine&) = delete;
  BaselineEngine& operator=(const BaselineEngine&) = delete;

  // As the calls of core::MatchingEngine. The user must be configured; of `logon` only user_id and
  // all_accounts count. Requests: CancelOrder and NewOrder, other types are ignored.
  void logon(core::SessionSlot slot, const core::Logon& logon, core::TimeNs now);
  void request(core::SessionSlot slot, core::Sequence request_sequence,
               const std::uint64_t* message, core::TimeNs now);
  void cancel_replace(core::SessionSlot slot, core::Sequence request_sequence,
                      const core::CancelOrder& cancel, const core::NewOrder& order,
                      core::TimeNs now);

  std::uint32_t working_orders() const noexcept;
  std::uint64_t trade_count() const noexcept { return static_cast<std::uint64_t>(last_trade_); }
  core::Touch best(core::InstrumentId instrument, core::Side side) const;
  core::Wide quantity_at(core::InstrumentId instrument, core::Side side, core::Ticks price) const;

 private:
  struct Level;
  // Best first on either side: bids by falling price (see rank), asks by rising.
  using Levels = std::map<core::Ticks, Level>;
  struct Order {
    core::OrderId order_id = 0;
    core::ClOrdId cl_ord_id = 0;
    core::Ticks price = 0;
    core::Lots leaves = 0;
    core::Lots orig_quantity = 0;
    core::Wide gross = 0;
    core::TradeId last_trade = 0;
    core::Sequence end_sequence = 0;
    Levels::iterator level;  // while it rests
    std::uint32_t account = 0;
    std::uint32_t instrument = 0;
    std::uint32_t entered_by = 0;
    std::uint32_t ended_by = 0;
    core::Side side = core::Side::kBuy;
    core::OrderType order_type = core::OrderType::kLimit;
    core::TimeInForce time_in_force = core::TimeInForce::kGtc;
    core::OrderState state = core::OrderState::kWorking;
    core::ChangeReason change_reason = core::ChangeReason::kNewInputAccepted;
    core::CancelReason cancel_reason = core::CancelReason::kNone;
    std::uint8_t flags = 0;
  };
  using Orders = std::list<Order>;
  using Place = Orders::iterator;
  struct Level {
    Orders orders;
    core::Wide quantity = 0;
    core::TimeNs changed = 0;
  };
  struct Book {
    core::Instrument instrument;
    Levels sides[2];
    core::Ticks last_trade_price = 0;
    std::uint64_t updates = 0;
  };
  struct UserEntry {
    core::UserId id = 0;
    std::uint8_t permissions = 0;
    std::vector<bool> accounts;
  };
  struct SessionEntry {
    std::uint32_t user = 0;
    core::Sequence last_request = 0;
  };
  struct Call {
    core::SessionSlot slot;
    core::Sequence request;
    std::uint32_t user;
    core::TimeNs now;
  };
  struct JudgedCancel {
    core::Refusal refusal;
    Place order{};
  };
  struct JudgedOrder {
    core::Refusal refusal;
    std::uint32_t account = 0;
    std::uint32_t instrument = 0;
    core::Lots quantity = 0;
    core::Ticks price = 0;
  };
  struct Pair {
    std::uint32_t account;
    core::ClOrdId cl_ord_id;
    friend bool operator==(const Pair&, const Pair&) = default;
  };
  struct PairHash {
    std::size_t operator()(const Pair& pair) const noexcept;
  };

  Call begin(core::SessionSlot slot, core::Sequence request_sequence, core::TimeNs now);
  // Rules: baseline_rules.cpp. `replaced` is the order that goes before the new one comes, or null.
  JudgedCancel judge_cancel(const Call& call, const core::CancelOrder& request);
  JudgedOrder judge_order(const Call& call, const core::NewOrder& request, const Order* replaced);
  core::Refusal judge_limits(const core::NewOrder& request, const JudgedOrder& judged,
                             core::DecimalError quantity, core::DecimalError price,
                             const Order* replaced);
  core::Refusal how_it_ended(const Order& order) const;
  std::uint32_t account_of(core::AccountId id) const;
  bool reaches(std::uint32_t user, std::uint32_t account) const;

  void cancel(const Call& call, Place order);
  void enter(const Call& call, const core::NewOrder& request, const JudgedOrder& judged);
  void match(const Call& call, Order& taker);
  void execute(const Call& call, Order& taker, Level& level);
  bool can_fill(const Order& taker, core::Ticks limit) const;
  void rest(const Call& call, Orders& from, Place order);
  void end_order(Order& order, core::OrderState state, core::ChangeReason reason,
                 core::CancelReason cancel_reason);
  // The order has ended: it moves from `from` to those that stay known.
  void remember(Orders& from, Place order);

  template <class Message>
  void reply(core::SessionSlot to, Message message);
  template <class Message>
  void event(std::uint32_t account, core::SessionSlot also, Message message);
  void receipt(const Call& call, core::RequestType type, const core::Refusal& refusal);
  void changed(const Order& order, core::SessionSlot also, core::TimeNs now);
  void entered(const Order& order, core::SessionSlot also, core::TimeNs now);
  void trade(const core::Trade& both, const Order& order, core::Direction direction, bool maker,
             core::SessionSlot also);

  static core::Ticks rank(core::Side side, core::Ticks price) noexcept {
    return side == core::Side::kBuy ? -price : price;
  }

  core::Configuration configuration_;
  core::ReportPort* port_;
  boost::unordered_flat_map<core::AccountId, std::uint32_t> accounts_;
  boost::unordered_flat_map<core::InstrumentId, std::uint32_t> instruments_;
  std::vector<UserEntry> users_;
  std::vector<SessionEntry> sessions_;
  std::vector<std::vector<core::SessionSlot>> listeners_;  // by account, ascending
  std::vector<Book> books_;
  boost::unordered_flat_map<core::OrderId, Place> by_id_;
  boost::unordered_flat_map<Pair, Place, PairHash> by_pair_;
  Orders finished_;  // oldest first
  Orders entering_;  // the order that is being matched
  core::Sequence sequence_ = 0;
  core::TradeId last_trade_ = 0;
  core::OrderId last_order_id_ = 0;
  std::uint32_t ordinal_ = 0;
};

}  // namespace shmatch::bench
