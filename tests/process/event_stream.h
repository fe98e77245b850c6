// One session's events, judged as they arrive: nothing foreign, nothing twice, every fill and
// every end accounted for. Compact and whole reports of the same event read the same here, so
// that the streams of different sessions can be compared.
//
// Errors are thrown as sentences. Thread: one.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "core/message.h"
#include "ipc/client.h"

namespace shmatch::process_test {

// What both forms of an event report say.
struct Event {
  bool trade = false;
  core::Sequence sequence = 0;
  std::uint32_t ordinal = 0;
  core::OrderId order = 0;
  std::uint8_t a = 0;  // of the report's header
  std::uint8_t b = 0;
  core::AccountId account = 0;  // 0 where the report does not name it
  core::Lots executed = 0;      // state events
  core::TradeId trade_id = 0;   // trades, as all below
  core::Ticks price = 0;
  core::Lots quantity = 0;

  core::Side side() const noexcept;
  core::OrderState state() const noexcept;
};

// Nothing for a reply.
std::optional<Event> as_event(const core::Report& report);

// Number and digest of a row of events: equal for equal rows.
class EventDigest {
 public:
  void add(const Event& event);
  std::string text() const { return std::to_string(count_) + " " + std::to_string(hash_); }

 private:
  void mix(std::uint64_t value);

  std::uint64_t count_ = 0;
  std::uint64_t hash_ = 0;
};

// The stream of a session that hears of one account, whose first order it saw from the beginning.
class EventStream {
 public:
  struct Order {
    core::Lots executed = 0;  // as the state events say
    core::Lots filled = 0;    // sum of its trades
    core::OrderState state = core::OrderState::kUnknown;
  };

  explicit EventStream(core::AccountId account) : account_(account) {}

  // Throws when the event cannot come now.
  void take(const Event& event);
  // Throws unless the engine says of every order what the events said, and has no other open ones.
  void compare(Client& client) const;

  const EventDigest& digest() const noexcept { return digest_; }
  const std::map<core::OrderId, Order>& orders() const noexcept { return orders_; }

 private:
  void take_state(const Event& event, Order& order);

  core::AccountId account_;
  std::map<core::OrderId, Order> orders_;
  // The order that trades before its first state event, and the input that does it.
  core::OrderId entering_ = 0;
  core::Sequence entering_sequence_ = 0;
  core::Sequence sequence_ = 0;
  std::uint32_t ordinal_ = 0;
  EventDigest digest_;
};

}  // namespace shmatch::process_test
