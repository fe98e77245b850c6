// A small language for telling stories to an engine: traders log on, send and cancel orders, and
// hear of what happened. Each story is told to the product's engine and to the plain reference
// (INSTANTIATE_STORIES), and must end the same.
//
// Orders get letters in the order of their acceptance (A to Z, then A1); events are told as short
// sentences:
//   "A working as entered: 5 left, 0 done"     OrderStateEvent
//   "A buys 3 at 100 as maker"                 OrderTradeEvent
// Prices are ticks and quantities lots; time stands still unless a story moves it.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/reference/engine_under_test.h"

namespace shmatch::story {

using Lines = std::vector<std::string>;

inline constexpr core::InstrumentId kTest = 1;   // tick 1, lot 1
inline constexpr core::InstrumentId kCents = 2;  // tick 0.05, lot 0.001

// Users of every story's engine; the numbers behind are their accounts.
inline constexpr core::UserId kAlice = 1;           // Trading: 1
inline constexpr core::UserId kBob = 2;             // Trading: 2
inline constexpr core::UserId kCarol = 3;           // Trading: 1 and 3
inline constexpr core::UserId kOlivia = 4;          // Operator: none of her own
inline constexpr core::UserId kReader = 5;          // AccountReadOnly: 1
inline constexpr core::UserId kNobody = 6;          // no permission: 1
inline constexpr core::AccountId kAccountsEnd = 5;  // accounts 1 to 4 exist

// A request to enter an order, built up in words: buy(5).at(100).ioc().
struct Sketch {
  core::NewOrder message;

  Sketch at(core::Ticks price) const;
  Sketch market() const;
  Sketch ioc() const;
  Sketch fok() const;
  Sketch client_id(core::ClOrdId id) const;
  Sketch account(core::AccountId id) const;
  Sketch instrument(core::InstrumentId id) const;
};
Sketch buy(core::Lots quantity);
Sketch sell(core::Lots quantity);

// What a cancel names.
struct Keys {
  core::OrderId order_id = 0;
  core::AccountId account_id = 0;
  core::ClOrdId cl_ord_id = 0;
  core::OmsId oms_id = 1;
};

// The reply to a request to enter an order.
struct Answer {
  core::OrderId order_id = 0;  // 0 when refused
  core::Refusal refusal;
};

struct Options {
  bool cancel_on_disconnect = false;
  bool whole_objects = false;
  bool all_accounts = false;
  std::string resumable_as = "";  // the session's name; empty: not resumable
};

core::Configuration story_configuration();

class Story;

// One session, as its user sees it.
class Trader {
 public:
  Trader(Story& story, core::SessionSlot slot, core::AccountId account)
      : story_(&story), slot_(slot), account_(account) {}

  // The order's account is the user's first one unless the sketch names another.
  Answer sends(const Sketch& sketch);
  core::Refusal cancels(const Keys& keys);
  core::Refusal cancels(core::OrderId order_id) { return cancels(Keys{.order_id = order_id}); }
  // A cancel and an entry in one step. What comes of it is heard, the acceptance too ("B
  // accepted"), but for a refusal.
  core::Refusal replaces(const Keys& keys, const Sketch& sketch);
  // Gives any request; the reports that come to this session, the reply first.
  std::vector<core::Report> asks(const core::Request& request);
  template <class Message>
  std::vector<core::Report> asks(const Message& message) {
    core::Request request;
    request.assign(message);
    return asks(request);
  }
  // The events since the last call, as sentences.
  Lines hears();
  // The same as they came.
  std::vector<core::Report> reports();
  void leaves();
  void comes_back(const Options& options = {});
  void is_forgotten();

  core::SessionView session() const;
  core::SessionSlot slot() const { return slot_; }

 private:
  Story* story_;
  core::SessionSlot slot_;
  core::AccountId account_;
};

// The fixture: an engine with nothing in it.
class Story : public testing::TestWithParam<const char*> {
 protected:
  Story() { start(story_configuration()); }

 public:
  // Begins anew with another configuration.
  void start(const core::Configuration& configuration);

  Trader logon(core::UserId user, const Options& options = {});
  void stops_accepting(core::Detail why) { engine_->stop_accepting(why, now); }
  // All sessions are orphaned but the one that reads books for this fixture.
  void restarts();
  // Cancels all that ended sessions left.
  void sweeps();

  // The whole book as bids | asks, best first: "5@100 2@99 | 3@101".
  std::string book(core::InstrumentId instrument = kTest);
  reference::EngineUnderTest& engine() { return *engine_; }

  core::TimeNs now = 1'000'000'000;

 private:
  friend class Trader;

  void collect();
  void name_orders(const core::Report& report);
  std::string name_of(core::OrderId order) const;
  std::string sentence(const core::Report& report) const;

  std::unique_ptr<reference::EngineUnderTest> engine_;
  std::map<core::SessionSlot, std::vector<core::Report>> pending_;
  std::map<core::OrderId, std::string> names_;
  core::Sequence request_sequence_ = 0;
  core::SessionSlot slots_used_ = 0;
};

core::Refusal refusal(core::ErrorCode code, core::Detail detail, std::int64_t argument0 = 0,
                      std::int64_t argument1 = 0);

}  // namespace shmatch::story

namespace shmatch::core {
void PrintTo(const Refusal& refusal, std::ostream* out);
}  // namespace shmatch::core

#define INSTANTIATE_STORIES(fixture)                                                 \
  INSTANTIATE_TEST_SUITE_P(Engines, fixture, testing::Values("engine", "reference"), \
                           [](const auto& parameter) { return std::string(parameter.param); })
