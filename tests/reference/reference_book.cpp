#include "tests/reference/reference_book.h"

#include <set>

namespace shmatch::reference {

using core::OrderType;
using core::Side;
using core::Ticks;
using core::TimeNs;
using core::Wide;

namespace {

bool higher_first(Ticks a, Ticks b) { return a > b; }
bool lower_first(Ticks a, Ticks b) { return a < b; }

bool accepts(const Order& taker, Ticks price) {
  if (taker.type == OrderType::kMarket) return true;
  return taker.side == Side::kBuy ? price <= taker.price : price >= taker.price;
}

}  // namespace

Wide Level::quantity() const {
  Wide sum = 0;
  for (const Order* order : orders) sum += static_cast<Wide>(order->leaves);
  return sum;
}

std::uint32_t Level::account_count() const {
  std::set<core::AccountId> accounts;
  for (const Order* order : orders) accounts.insert(order->account_id);
  return static_cast<std::uint32_t>(accounts.size());
}

Book::Book() : bids_(higher_first), asks_(lower_first) {}

const Book::Levels& Book::levels(Side side) const { return side == Side::kBuy ? bids_ : asks_; }

Book::Levels& Book::levels_of(Side side) { return side == Side::kBuy ? bids_ : asks_; }

core::Touch Book::best(Side side) const {
  const Levels& levels = this->levels(side);
  if (levels.empty()) return {};
  return {levels.begin()->first, levels.begin()->second.quantity()};
}

Order* Book::first_maker(const Order& taker) {
  Levels& levels = levels_of(core::opposite(taker.side));
  if (levels.empty() || !accepts(taker, levels.begin()->first)) return nullptr;
  return levels.begin()->second.orders.front();
}

bool Book::can_fill(const Order& taker) const {
  Wide available = 0;
  for (const auto& [price, level] : levels(core::opposite(taker.side))) {
    if (accepts(taker, price)) available += level.quantity();
  }
  return available >= static_cast<Wide>(taker.leaves);
}

void Book::add(Order& order, TimeNs now) {
  Level& level = levels_of(order.side)[order.price];
  level.orders.push_back(&order);
  level.changed = now;
  ++change_count;
}

void Book::remove(Order& order, TimeNs now) {
  Levels& levels = levels_of(order.side);
  Level& level = levels.at(order.price);
  level.orders.remove(&order);
  level.changed = now;
  if (level.orders.empty()) levels.erase(order.price);
  ++change_count;
}

void Book::trade(const Order& maker, TimeNs now) {
  levels_of(maker.side).at(maker.price).changed = now;
  last_trade_price = maker.price;
  ++change_count;
}

}  // namespace shmatch::reference
