// The whole story of one order: its entry, what was ahead of it in the queue, how its place moved
// when orders ahead of it left, each of its trades, its end and why.
//
// Thread: one.
#pragma once

#include <string>
#include <vector>

#include "core/state_view.h"
#include "ipc/reference_data.h"
#include "tools/replay_run.h"

namespace shmatch::tools {

// Watches one order while a replay runs, and ends the replay when the order has ended.
class OrderStory final : public ReplayObserver {
 public:
  explicit OrderStory(core::OrderId order_id) : order_id_(order_id) {}

  void reported(core::SessionSlot to, const core::Report& report) override;
  void configured(const core::Configuration& configuration,
                  const core::MatchingEngine& engine) override;
  bool applied(const InputRecord& record, const core::MatchingEngine& engine) override;

  // False when the order never was.
  bool found() const noexcept { return found_; }

  // Several lines; the last says where the order stands if it has not ended.
  std::string text() const;
  // One object: {"order_id","found","instrument","side","price",...,"events":[...]}.
  std::string json() const;

 private:
  enum class What { kKnown, kEntered, kRests, kTraded, kMoved, kEnded };

  struct Event {
    core::Sequence sequence;
    core::TimeNs time;
    What what;
    std::string text;
    std::size_t orders_ahead;
    core::Wide quantity_ahead;
  };
  // An order ahead of this one, as it was when last looked at.
  struct Ahead {
    core::OrderId order_id;
    core::Lots leaves;
  };

  void begin(const InputRecord& record, const core::OrderView& order,
             const core::MatchingEngine& engine);
  void look_at_trades(const InputRecord& record, const core::OrderView& order);
  void look_at_queue(const InputRecord& record, const core::OrderView& order,
                     const core::StateView& state);
  void look_at_end(const InputRecord& record, const core::OrderView& order);
  std::vector<Ahead> walk_ahead(const core::OrderView& order, const core::StateView& state) const;
  // What happened to the orders that are ahead no more, or less.
  std::string what_left(const std::vector<Ahead>& now, const core::StateView& state) const;
  std::string how_it_left(const Ahead& before, const core::StateView& state) const;
  std::string better_prices(const core::OrderView& order, const core::StateView& state) const;
  std::string place() const;
  std::string user(core::UserId id) const;
  std::string quantity(core::Wide lots) const;
  void tell(const InputRecord& record, What what, std::string text);
  core::Wide quantity_ahead() const noexcept;

  core::OrderId order_id_;
  ReferenceData reference_;
  bool found_ = false;
  bool ended_ = false;
  core::Sequence entry_sequence_ = 0;
  core::Sequence last_sequence_ = 0;
  core::OrderView order_;            // as it was after the input before
  core::LevelView level_;            // likewise
  std::vector<Ahead> ahead_;         // front of the queue first
  std::vector<core::Trade> trades_;  // its trades as taker, in the input that is being applied
  std::vector<Event> events_;
};

}  // namespace shmatch::tools
