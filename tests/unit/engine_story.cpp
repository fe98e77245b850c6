#include "tests/unit/engine_story.h"

#include <cstring>
#include <ostream>
#include <utility>

namespace shmatch::core {

void PrintTo(const Refusal& refusal, std::ostream* out) {
  *out << "code " << static_cast<int>(refusal.code) << ", detail "
       << static_cast<int>(refusal.detail) << ", arguments " << refusal.argument0 << " and "
       << refusal.argument1;
}

}  // namespace shmatch::core

namespace shmatch::story {

using namespace core;

namespace {

constexpr std::uint64_t kHashSalt = 42;
// An Operator who hears no events and reads books.
constexpr SessionSlot kWatcherSlot = 15;

Sketch sketch(Side side, Lots quantity) {
  Sketch result;
  result.message.oms_id = 1;
  result.message.instrument_id = kTest;
  result.message.side = side;
  result.message.order_type = OrderType::kLimit;
  result.message.set_quantity(in_increments(quantity));
  return result;
}

CancelOrder cancel_of(const Keys& keys) {
  return {.oms_id = keys.oms_id,
          .account_id = keys.account_id,
          .order_id = keys.order_id,
          .cl_ord_id = keys.cl_ord_id};
}

const char* state_text(OrderState state) {
  if (state == OrderState::kWorking) return "working";
  if (state == OrderState::kCanceled) return "canceled";
  if (state == OrderState::kFullyExecuted) return "filled";
  return "in a strange state";
}

// The change and the cancel reason together: only these pairs exist.
const char* reason_text(const ReportHeader& header) {
  const std::pair reasons(change_reason(header), cancel_reason(header));
  if (reasons == std::pair(ChangeReason::kNewInputAccepted, CancelReason::kNone)) {
    return "as entered";
  }
  if (reasons == std::pair(ChangeReason::kTrade, CancelReason::kNone)) return "by a trade";
  if (reasons == std::pair(ChangeReason::kUserModified, CancelReason::kUserModified)) {
    return "by a user";
  }
  if (reasons == std::pair(ChangeReason::kUserModified, CancelReason::kCancelOnDisconnect)) {
    return "on disconnect";
  }
  if (reasons == std::pair(ChangeReason::kNoMoreMarket, CancelReason::kNoMoreMarket)) {
    return "for want of a market";
  }
  return "for a strange reason";
}

std::string state_sentence(const ReportHeader& header, Lots leaves, Lots executed) {
  return std::string(" ") + state_text(order_state(header)) + " " + reason_text(header) + ": " +
         std::to_string(leaves) + " left, " + std::to_string(executed) + " done";
}

template <class Message>
std::string trade_sentence(const Message& trade) {
  const bool buys = trade_side(trade.header) == Side::kBuy;
  return std::string(buys ? " buys " : " sells ") + std::to_string(trade.quantity) + " at " +
         std::to_string(trade.price) + (trade_is_maker(trade.header) ? " as maker" : " as taker");
}

Logon logon_with(const Options& options) {
  Logon logon;
  logon.cancel_on_disconnect = options.cancel_on_disconnect;
  logon.whole_objects = options.whole_objects;
  logon.all_accounts = options.all_accounts;
  logon.resumable = !options.resumable_as.empty();
  options.resumable_as.copy(logon.name, kSessionNameBytes - 1);
  return logon;
}

}  // namespace

Sketch Sketch::at(Ticks price) const {
  Sketch result = *this;
  result.message.set_limit_price(in_increments(price));
  return result;
}

Sketch Sketch::market() const {
  Sketch result = *this;
  result.message.order_type = OrderType::kMarket;
  return result;
}

Sketch Sketch::ioc() const {
  Sketch result = *this;
  result.message.time_in_force = TimeInForce::kIoc;
  return result;
}

Sketch Sketch::fok() const {
  Sketch result = *this;
  result.message.time_in_force = TimeInForce::kFok;
  return result;
}

Sketch Sketch::client_id(ClOrdId id) const {
  Sketch result = *this;
  result.message.cl_ord_id = id;
  return result;
}

Sketch Sketch::account(AccountId id) const {
  Sketch result = *this;
  result.message.account_id = id;
  return result;
}

Sketch Sketch::instrument(InstrumentId id) const {
  Sketch result = *this;
  result.message.instrument_id = id;
  return result;
}

Sketch buy(Lots quantity) { return sketch(Side::kBuy, quantity); }
Sketch sell(Lots quantity) { return sketch(Side::kSell, quantity); }

Refusal refusal(ErrorCode code, Detail detail, std::int64_t argument0, std::int64_t argument1) {
  return {code, detail, argument0, argument1};
}

Configuration story_configuration() {
  Configuration configuration;
  configuration.instruments = {{kTest, "TEST", {1, 0}, {1, 0}},
                               {kCents, "CENTS", {5, -2}, {1, -3}}};
  configuration.users = {{kAlice, "alice", kPermissionTrading, {1}},
                         {kBob, "bob", kPermissionTrading, {2}},
                         {kCarol, "carol", kPermissionTrading, {1, 3}},
                         {kOlivia, "olivia", kPermissionOperator, {}},
                         {kReader, "reader", kPermissionAccountReadOnly, {1}},
                         {kNobody, "nobody", 0, {1}}};
  for (AccountId account = 1; account < kAccountsEnd; ++account) {
    configuration.accounts.push_back(account);
  }
  configuration.capacities = {.working_orders = 64, .finished_orders = 64, .sessions = 16};
  return configuration;
}

// ------------------------------------------------------------------------------------------ trader

std::vector<Report> Trader::asks(const Request& request) {
  story_->collect();
  const std::size_t heard = story_->pending_[slot_].size();
  story_->engine_->request(slot_, ++story_->request_sequence_, request, story_->now);
  story_->collect();
  std::vector<Report>& pending = story_->pending_[slot_];
  const auto begin = pending.begin() + static_cast<std::ptrdiff_t>(heard);
  std::vector<Report> reports(begin, pending.end());
  // The reply has been taken; only events stay to be heard.
  const bool replied = !reports.empty();
  EXPECT_TRUE(replied) << "every request gets a reply";
  if (replied) pending.erase(begin);
  return reports;
}

Answer Trader::sends(const Sketch& sketch) {
  NewOrder message = sketch.message;
  if (message.account_id == 0) message.account_id = account_;
  const std::vector<Report> reports = asks(message);
  if (reports.empty()) return {};
  if (reports.front().is<OrderAccepted>()) {
    return {reports.front().as<OrderAccepted>().order_id, {}};
  }
  EXPECT_TRUE(reports.front().is<Receipt>());
  return {0, reports.front().as<Receipt>().refusal()};
}

Refusal Trader::cancels(const Keys& keys) {
  const std::vector<Report> reports = asks(cancel_of(keys));
  if (reports.empty()) return {};
  EXPECT_TRUE(reports.front().is<Receipt>()) << "the receipt comes before every event";
  return reports.front().as<Receipt>().refusal();
}

Refusal Trader::replaces(const Keys& keys, const Sketch& sketch) {
  NewOrder entry = sketch.message;
  if (entry.account_id == 0) entry.account_id = account_;
  story_->collect();
  std::vector<Report>& pending = story_->pending_[slot_];
  const std::size_t heard = pending.size();
  story_->engine_->cancel_replace(slot_, ++story_->request_sequence_, cancel_of(keys), entry,
                                  story_->now);
  story_->collect();
  EXPECT_GT(pending.size(), heard) << "every request gets a reply";
  if (pending.empty() || !pending.back().is<Receipt>()) return {};
  const auto receipt = pending.back().as<Receipt>();
  pending.pop_back();
  EXPECT_EQ(pending.size(), heard) << "a refusal is all that comes of a request";
  return receipt.refusal();
}

std::vector<Report> Trader::reports() {
  story_->collect();
  return std::exchange(story_->pending_[slot_], {});
}

Lines Trader::hears() {
  Lines lines;
  for (const Report& report : reports()) lines.push_back(story_->sentence(report));
  return lines;
}

void Trader::leaves() { story_->engine_->end_session(slot_, story_->now); }

void Trader::comes_back(const Options& options) {
  story_->engine_->resume(slot_, logon_with(options), story_->now);
}

void Trader::is_forgotten() { story_->engine_->forget_session(slot_, story_->now); }

SessionView Trader::session() const { return story_->engine_->session(slot_); }

// ------------------------------------------------------------------------------------------- story

void Story::start(const Configuration& configuration) {
  const bool fast = std::strcmp(GetParam(), "engine") == 0;
  engine_ = fast ? reference::make_fast_engine(configuration, kHashSalt)
                 : reference::make_reference_engine(configuration);
  pending_.clear();
  names_.clear();
  request_sequence_ = 0;
  slots_used_ = 0;
  Logon watcher = logon_with({.resumable_as = "watcher"});
  watcher.user_id = kOlivia;
  engine_->logon(kWatcherSlot, watcher, now);
}

Trader Story::logon(UserId user, const Options& options) {
  const SessionSlot slot = slots_used_++;
  Logon logon = logon_with(options);
  logon.user_id = user;
  engine_->logon(slot, logon, now);
  return {*this, slot, user == kBob ? AccountId{2} : AccountId{1}};
}

void Story::restarts() {
  engine_->restart(now);
  engine_->resume(kWatcherSlot, logon_with({}), now);
}

void Story::sweeps() {
  while (engine_->sweep(now)) {
  }
}

std::string Story::book(InstrumentId instrument) {
  std::string sides[2];
  Trader watcher(*this, kWatcherSlot, 0);
  L2Query query;
  query.oms_id = 1;
  query.instrument_id = instrument;
  query.depth = 1000;
  PageEnd end;
  do {
    query.continuation = end.continuation;
    query.continuation_price = end.continuation_price;
    for (const Report& report : watcher.asks(query)) {
      if (report.is<PageEnd>()) end = report.as<PageEnd>();
      if (!report.is<L2Rows>()) continue;
      const auto rows = report.as<L2Rows>();
      for (std::size_t i = 0; i < rows.header.a; ++i) {
        std::string& side = sides[rows.header.b];
        if (!side.empty()) side += ' ';
        side +=
            std::to_string(rows.rows[i].quantity_low) + "@" + std::to_string(rows.rows[i].price);
      }
    }
  } while (end.header.a != 0);
  pending_.erase(kWatcherSlot);
  return sides[0] + " | " + sides[1];
}

void Story::collect() {
  for (auto& [slot, reports] : engine_->take_received()) {
    for (const Report& report : reports) {
      name_orders(report);
      pending_[slot].push_back(report);
    }
  }
}

void Story::name_orders(const Report& report) {
  if (!report.is<OrderAccepted>()) return;
  const std::size_t count = names_.size();
  const std::string letter(1, static_cast<char>('A' + count % 26));
  names_[report.as<OrderAccepted>().order_id] =
      count < 26 ? letter : letter + std::to_string(count / 26);
}

std::string Story::name_of(OrderId order) const {
  const auto found = names_.find(order);
  return found == names_.end() ? "?" : found->second;
}

std::string Story::sentence(const Report& report) const {
  if (report.is<OrderEntered>()) {
    const auto m = report.as<OrderEntered>();
    const bool working = order_state(m.header) == OrderState::kWorking;
    return name_of(m.order_id) +
           state_sentence(m.header, working ? m.orig_quantity - m.executed : 0, m.executed);
  }
  if (report.is<OrderChanged>()) {
    const auto m = report.as<OrderChanged>();
    return name_of(m.order_id) + state_sentence(m.header, m.leaves, m.executed);
  }
  if (report.is<OrderStateWhole>()) {
    const auto m = report.as<OrderStateWhole>();
    return name_of(m.order_id) + state_sentence(m.header, m.leaves, m.executed);
  }
  if (report.is<Trade>()) {
    return name_of(report.as<Trade>().order_id) + trade_sentence(report.as<Trade>());
  }
  if (report.is<TradeWhole>()) {
    return name_of(report.as<TradeWhole>().order_id) + trade_sentence(report.as<TradeWhole>());
  }
  if (report.is<OrderAccepted>()) {
    return name_of(report.as<OrderAccepted>().order_id) + " accepted";
  }
  return "a report of type " + std::to_string(report.type());
}

}  // namespace shmatch::story
