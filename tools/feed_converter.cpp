#include "tools/feed_converter.h"

#include <limits>
#include <utility>

namespace shmatch::tools {

namespace {

constexpr core::OmsId kOmsId = 1;
constexpr const char* kMaker = "maker";
constexpr const char* kTaker = "taker";
constexpr core::AccountId kMakerAccount = 1;
constexpr core::AccountId kTakerAccount = 2;

// Order numbers are below it: what is left of the positive 63-bit numbers when 0 needs one too.
constexpr std::uint64_t kNumberEnd = std::numeric_limits<core::ClOrdId>::max();

core::ClOrdId cl_ord_id(std::uint64_t id) {
  return static_cast<core::ClOrdId>(id == 0 ? kNumberEnd : id);
}

core::NewOrder limit_order(const FeedOrder& order) {
  core::NewOrder request;
  request.oms_id = kOmsId;
  request.instrument_id = order.instrument_id;
  request.side = order.side;
  request.order_type = core::OrderType::kLimit;
  request.set_quantity({order.quantity, kFeedLot.exponent});
  request.set_limit_price({order.price, kFeedTick.exponent});
  return request;
}

}  // namespace

void FeedConverter::add(Conversion& out, core::TimeNs time, std::uint64_t id,
                        const FeedOrder& order) {
  if (!representable(out, id)) return;
  send_order(out, time, id, order);
}

void FeedConverter::remove(Conversion& out, core::TimeNs time, std::uint64_t id) {
  if (!representable(out, id)) return;
  if (orders_.erase(id) == 0) out.unknown_id();
  send_cancel(out, time, id);
}

void FeedConverter::reduce(Conversion& out, core::TimeNs time, std::uint64_t id,
                           std::int64_t quantity) {
  if (!representable(out, id)) return;
  const auto found = orders_.find(id);
  if (found == orders_.end()) {
    out.unknown_id();
    out.skip("partial cancel of an unknown order");
    return;
  }
  FeedOrder rest = found->second;
  rest.quantity -= quantity;
  orders_.erase(found);
  send_cancel(out, time, id);
  if (rest.quantity > 0) send_order(out, time, id, rest);
  out.remark("partial cancel as a cancel and a new order for the rest");
}

void FeedConverter::execute(Conversion& out, core::TimeNs time, std::uint64_t id,
                            std::int64_t quantity) {
  if (!representable(out, id)) return;
  const auto found = orders_.find(id);
  if (found == orders_.end()) {
    out.unknown_id();
    out.skip("execution of an unknown order");
    return;
  }
  FeedOrder& maker = found->second;
  FeedOrder taker = maker;
  taker.side = core::opposite(maker.side);
  taker.quantity = quantity;
  core::NewOrder request = limit_order(taker);
  request.account_id = kTakerAccount;
  request.time_in_force = core::TimeInForce::kIoc;
  out.emit(time, kTaker, request);
  out.remark("execution as an IOC order of the other side");
  maker.quantity -= quantity;
  if (maker.quantity <= 0) orders_.erase(found);
}

void FeedConverter::replace(Conversion& out, core::TimeNs time, std::uint64_t id,
                            std::uint64_t new_id, std::int64_t price, std::int64_t quantity) {
  if (!representable(out, id) || !representable(out, new_id)) return;
  const auto found = orders_.find(id);
  send_cancel(out, time, id);
  if (found == orders_.end()) {
    // The event tells neither the side nor the instrument of the new order.
    out.unknown_id();
    out.remark("replace of an unknown order as its cancel alone");
    return;
  }
  FeedOrder order = found->second;
  orders_.erase(found);
  order.price = price;
  order.quantity = quantity;
  send_order(out, time, new_id, order);
  out.remark("replace as a cancel and a new order");
}

core::Configuration FeedConverter::configuration(std::vector<core::Instrument> instruments) {
  core::Configuration configuration;
  configuration.oms_id = kOmsId;
  configuration.instruments = std::move(instruments);
  configuration.users = {{1, kMaker, core::kPermissionTrading, {kMakerAccount}},
                         {2, kTaker, core::kPermissionTrading, {kTakerAccount}}};
  configuration.accounts = {kMakerAccount, kTakerAccount};
  configuration.capacities = kLeastCapacities;
  return configuration;
}

bool FeedConverter::representable(Conversion& out, std::uint64_t id) {
  if (id < kNumberEnd) return true;
  out.skip_malformed("order number out of range", "order number " + std::to_string(id));
  return false;
}

void FeedConverter::send_order(Conversion& out, core::TimeNs time, std::uint64_t id,
                               const FeedOrder& order) {
  core::NewOrder request = limit_order(order);
  request.account_id = kMakerAccount;
  request.cl_ord_id = cl_ord_id(id);
  out.emit(time, kMaker, request);
  orders_.insert_or_assign(id, order);
}

void FeedConverter::send_cancel(Conversion& out, core::TimeNs time, std::uint64_t id) {
  core::CancelOrder request;
  request.oms_id = kOmsId;
  request.account_id = kMakerAccount;
  request.cl_ord_id = cl_ord_id(id);
  out.emit(time, kMaker, request);
}

}  // namespace shmatch::tools
