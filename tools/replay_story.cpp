#include "tools/replay_story.h"

#include <algorithm>

#include "tools/amounts.h"
#include "tools/enum_names.h"
#include "tools/record_text.h"
#include "tools/request_text.h"
#include "tools/text_view.h"

namespace shmatch::tools {

namespace {

constexpr std::size_t kOrdersNamed = 5;

std::string orders(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " order" : " orders");
}

bool same(const core::LevelView& a, const core::LevelView& b) noexcept {
  return a.order_count == b.order_count && a.quantity == b.quantity && a.first == b.first &&
         a.changed == b.changed;
}

}  // namespace

void OrderStory::configured(const core::Configuration& configuration,
                            const core::MatchingEngine& engine) {
  reference_ = ReferenceData(configuration);
  core::OrderView order;
  if (found_ || !core::StateView(engine).find(order_id_, order)) return;
  // A snapshot brought it along.
  found_ = true;
  entry_sequence_ = engine.last_sequence();
  order_ = order;
  ahead_ = walk_ahead(order, core::StateView(engine));
  const std::uint64_t no_words[2] = {0, static_cast<std::uint64_t>(order.update_time)};
  tell({entry_sequence_, no_words}, What::kKnown, "entered before this replay starts; " + place());
  ended_ = order.state != core::OrderState::kWorking;
}

void OrderStory::reported(core::SessionSlot, const core::Report& report) {
  if (!report.is<core::Trade>() && !report.is<core::TradeWhole>()) return;
  // Both forms start alike.
  const auto trade = report.as<core::Trade>();
  if (trade.order_id != order_id_ || core::trade_is_maker(trade.header)) return;
  if (!trades_.empty() && trades_.back().trade_id == trade.trade_id) return;
  trades_.push_back(trade);
}

bool OrderStory::applied(const InputRecord& record, const core::MatchingEngine& engine) {
  last_sequence_ = record.sequence;
  if (ended_) return false;
  const core::StateView state(engine);
  core::OrderView order;
  const bool known = state.find(order_id_, order);
  if (!known && !found_) return true;
  if (!known) {
    // Nothing is remembered of ended orders here.
    ended_ = true;
    tell(record, What::kEnded, "ended, and was forgotten at once; " + input_name(record.kind()));
    return false;
  }
  if (!found_) begin(record, order, engine);
  look_at_trades(record, order);
  if (order.state == core::OrderState::kWorking) {
    look_at_queue(record, order, state);
  } else {
    look_at_end(record, order);
  }
  order_ = order;
  trades_.clear();
  return !ended_;
}

void OrderStory::begin(const InputRecord& record, const core::OrderView& order,
                       const core::MatchingEngine& engine) {
  found_ = true;
  entry_sequence_ = record.sequence;
  order_ = order;
  order_.executed = 0;
  std::string text =
      "entered by " + user(order.entered_by) + ", session " + std::to_string(record.slot());
  text += ", request " + std::to_string(engine.session(record.slot()).last_request);
  tell(record, What::kEntered, std::move(text));
}

void OrderStory::look_at_trades(const InputRecord& record, const core::OrderView& order) {
  const Amounts amounts(reference_, order.instrument_id);
  core::Lots remaining = order_.leaves;
  const auto tell_trade = [&](core::TradeId id, core::Lots lots, core::Ticks price, bool maker) {
    remaining -= lots;
    tell(record, What::kTraded,
         "traded " + quantity(static_cast<core::Wide>(lots)) + " at " + amounts.price(price) +
             " as " + (maker ? "maker" : "taker") + ", trade " + std::to_string(id) + "; " +
             quantity(static_cast<core::Wide>(remaining)) + " remaining");
  };
  if (!trades_.empty()) {
    remaining = order.orig_quantity;
    for (const core::Trade& trade : trades_) {
      tell_trade(trade.trade_id, trade.quantity, trade.price, false);
    }
  } else if (order.executed > order_.executed) {
    // A resting order meets at most one other order in an input.
    tell_trade(order.last_trade, order.executed - order_.executed, order.price, true);
  }
}

void OrderStory::look_at_queue(const InputRecord& record, const core::OrderView& order,
                               const core::StateView& state) {
  core::LevelView level;
  state.level(order.instrument_id, order.side, order.price, level);
  if (same(level, level_)) return;
  level_ = level;
  std::vector<Ahead> now = walk_ahead(order, state);
  if (record.sequence == entry_sequence_) {
    ahead_ = std::move(now);
    std::string text = "rests, " + place();
    for (std::size_t i = 0; i < ahead_.size() && i < kOrdersNamed; ++i) {
      text += (i == 0 ? ": order " : ", order ") + std::to_string(ahead_[i].order_id) + " (" +
              quantity(static_cast<core::Wide>(ahead_[i].leaves)) + ")";
    }
    if (ahead_.size() > kOrdersNamed) {
      text += " and " + std::to_string(ahead_.size() - kOrdersNamed) + " more";
    }
    tell(record, What::kRests, text + better_prices(order, state));
    return;
  }
  std::string left = what_left(now, state);
  ahead_ = std::move(now);
  if (!left.empty()) tell(record, What::kMoved, left + "; now " + place());
}

std::string OrderStory::better_prices(const core::OrderView& order,
                                      const core::StateView& state) const {
  std::size_t levels = 0;
  core::Ticks price = 0;
  core::LevelView level;
  while (state.next_level(order.instrument_id, order.side, price, level) &&
         level.price != order.price) {
    price = level.price;
    ++levels;
  }
  if (levels == 0) return ", at the best price of its side";
  return ", with " + std::to_string(levels) + (levels == 1 ? " better price" : " better prices") +
         " on its side";
}

void OrderStory::look_at_end(const InputRecord& record, const core::OrderView& order) {
  ended_ = true;
  std::string text;
  switch (order.state) {
    case core::OrderState::kFullyExecuted:
      text = "ended: filled";
      break;
    case core::OrderState::kCanceled:
      text = "ended: cancelled";
      if (order.cancel_reason == core::CancelReason::kUserModified) {
        text += " by " + user(order.ended_by) + ", session " + std::to_string(record.slot());
      } else if (order.cancel_reason == core::CancelReason::kCancelOnDisconnect) {
        text += ", because the session of " + user(order.ended_by) + " ended";
      } else {
        text += " by the engine, because nothing more was there to trade with";
      }
      text += ", " + quantity(static_cast<core::Wide>(order.leaves)) + " left";
      break;
    default:
      text = "ended: " + std::string(name_of(order.state));
      break;
  }
  if (!ahead_.empty() && order.state == core::OrderState::kCanceled) text += "; it was " + place();
  ahead_.clear();
  tell(record, What::kEnded, std::move(text));
}

std::vector<OrderStory::Ahead> OrderStory::walk_ahead(const core::OrderView& order,
                                                      const core::StateView& state) const {
  std::vector<Ahead> ahead;
  core::OrderView other = order;
  while (other.ahead != 0 && state.find(other.ahead, other)) {
    ahead.push_back({other.order_id, other.leaves});
  }
  std::reverse(ahead.begin(), ahead.end());
  return ahead;
}

std::string OrderStory::what_left(const std::vector<Ahead>& now,
                                  const core::StateView& state) const {
  std::string text;
  std::size_t told = 0;
  std::size_t more = 0;
  auto still = now.begin();
  for (const Ahead& before : ahead_) {
    // Orders ahead only leave, so both lists have one order.
    const bool stayed = still != now.end() && still->order_id == before.order_id;
    const bool unchanged = stayed && still->leaves == before.leaves;
    if (stayed) ++still;
    if (unchanged) continue;
    if (told == kOrdersNamed) {
      ++more;
      continue;
    }
    text += (told++ == 0 ? "" : ", ") + how_it_left(before, state);
  }
  if (more > 0) text += " and " + orders(more) + " more";
  return text;
}

std::string OrderStory::how_it_left(const Ahead& before, const core::StateView& state) const {
  std::string text = "order " + std::to_string(before.order_id) + " ahead (" +
                     quantity(static_cast<core::Wide>(before.leaves)) + ") ";
  core::OrderView other;
  if (!state.find(before.order_id, other)) return text + "left";
  if (other.state == core::OrderState::kWorking) {
    return text + "traded " + quantity(static_cast<core::Wide>(before.leaves - other.leaves));
  }
  if (other.state == core::OrderState::kFullyExecuted) return text + "was filled";
  return text + "was cancelled by " + user(other.ended_by);
}

std::string OrderStory::place() const {
  if (ahead_.empty()) return "first in its queue";
  return "behind " + orders(ahead_.size()) + " with " + quantity(quantity_ahead());
}

core::Wide OrderStory::quantity_ahead() const noexcept {
  core::Wide sum = 0;
  for (const Ahead& order : ahead_) sum += static_cast<core::Wide>(order.leaves);
  return sum;
}

std::string OrderStory::user(core::UserId id) const {
  const std::string_view name = reference_.user_name(id);
  return name.empty() ? "user " + std::to_string(id) : std::string(name);
}

std::string OrderStory::quantity(core::Wide lots) const {
  return Amounts(reference_, order_.instrument_id)
      .quantity(core::low_word(lots), core::high_word(lots));
}

void OrderStory::tell(const InputRecord& record, What what, std::string text) {
  events_.push_back(
      {record.sequence, record.time(), what, std::move(text), ahead_.size(), quantity_ahead()});
}

std::string OrderStory::text() const {
  if (!found_) return "There was no order " + std::to_string(order_id_) + ".\n";
  const Amounts amounts(reference_, order_.instrument_id);
  std::string text = "Order " + std::to_string(order_id_) + ": ";
  text += name_of(order_.side);
  text += " " + quantity(static_cast<core::Wide>(order_.orig_quantity)) + " " +
          symbol_of(order_.instrument_id, reference_);
  text += order_.order_type == core::OrderType::kLimit ? " at " + amounts.price(order_.price)
                                                       : std::string(", Market");
  text += ", " + std::string(name_of(order_.time_in_force));
  text += ", account " + std::to_string(order_.account_id);
  if (order_.cl_ord_id != 0) text += ", ClOrderId " + std::to_string(order_.cl_ord_id);
  text += "\n\n";
  std::size_t width = 0;
  for (const Event& event : events_) {
    width = std::max(width, std::to_string(event.sequence).size());
  }
  core::Sequence last = 0;
  for (const Event& event : events_) {
    std::string head(width + 34, ' ');
    if (event.sequence != last) {
      const std::string sequence = std::to_string(event.sequence);
      head =
          "  " + std::string(width - sequence.size(), ' ') + sequence + "  " + utc_time(event.time);
      head.resize(width + 34, ' ');
    }
    last = event.sequence;
    text += head + "  " + event.text + "\n";
  }
  text += "\n";
  if (!ended_) {
    text += "After input " + std::to_string(last_sequence_) + " it still works, " + place() + ".\n";
  }
  text += "Executed " + quantity(static_cast<core::Wide>(order_.executed)) + " of " +
          quantity(static_cast<core::Wide>(order_.orig_quantity));
  if (order_.executed > 0) {
    text += ", on average at " + amounts.average_price(order_.gross, order_.executed);
  }
  return text + ".\n";
}

std::string OrderStory::json() const {
  std::string json = R"({"order_id":)" + std::to_string(order_id_);
  json += found_ ? R"(,"found":true)" : R"(,"found":false)";
  if (found_) {
    const Amounts amounts(reference_, order_.instrument_id);
    json += R"(,"account":)" + std::to_string(order_.account_id);
    json += R"(,"cl_ord_id":)" + std::to_string(order_.cl_ord_id);
    json += R"(,"instrument":)" + std::to_string(order_.instrument_id);
    json += R"(,"side":")" + std::string(name_of(order_.side));
    json += R"(","price":)" + amounts.price(order_.price);
    json += R"(,"orig_quantity":)" + amounts.quantity(order_.orig_quantity);
    json += R"(,"executed":)" + amounts.quantity(order_.executed);
    json += R"(,"state":")" + std::string(name_of(order_.state)) + "\"";
  }
  json += R"(,"events":[)";
  constexpr std::string_view kNames[] = {"known", "entered", "rests", "traded", "moved", "ended"};
  for (std::size_t i = 0; i < events_.size(); ++i) {
    const Event& event = events_[i];
    json += i == 0 ? "{" : ",{";
    json += R"("sequence":)" + std::to_string(event.sequence);
    json += R"(,"time_ns":)" + std::to_string(event.time);
    json += R"(,"what":")" + std::string(kNames[static_cast<std::size_t>(event.what)]);
    json += R"(","orders_ahead":)" + std::to_string(event.orders_ahead);
    json += R"(,"quantity_ahead":)" + quantity(event.quantity_ahead);
    json += R"(,"text":)" + json_string(event.text) + "}";
  }
  return json + "]}";
}

}  // namespace shmatch::tools
