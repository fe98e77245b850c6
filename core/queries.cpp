// Questions: they change nothing and take no sequence number. Long answers come in pages of bounded
// work and size; the client asks for the next page with the continuation it was given.
#include "core/engine_state.h"

namespace shmatch::core {
namespace {

// Where a snapshot's next page starts: a side, and how many of its levels were sent already. 0
// starts with the bids; the lowest bit is set in every continuation, so that none of them is 0.
struct L2Position {
  Side side = Side::kBuy;
  std::int64_t levels = 0;

  static L2Position decode(std::uint64_t continuation) noexcept {
    L2Position position;
    position.side = (continuation & 2) != 0 ? Side::kSell : Side::kBuy;
    position.levels = static_cast<std::int64_t>(continuation >> 2);
    return position;
  }
  std::uint64_t encode() const noexcept {
    return 1U | (side == Side::kSell ? 2U : 0U) | (static_cast<std::uint64_t>(levels) << 2);
  }
};

}  // namespace

void MatchingEngine::State::answer(const Origin& origin, RequestType type,
                                   const std::uint64_t* message) noexcept {
  switch (type) {
    case RequestType::kOrderStatus:
      return order_status(origin, message_of<OrderStatusQuery>(message));
    case RequestType::kOpenOrders:
      return open_orders(origin, message_of<OpenOrdersQuery>(message));
    case RequestType::kL2Snapshot:
      return l2_snapshot(origin, message_of<L2Query>(message));
    case RequestType::kPing:
      return report_pong(origin.slot, origin.request);
    case RequestType::kNone:
    case RequestType::kCancelOrder:
    case RequestType::kNewOrder:
      break;
  }
  check_failed("well_formed(message)", __FILE__, __LINE__);
}

Refusal MatchingEngine::State::judge_order_status(SessionSlot slot,
                                                  const OrderStatusQuery& query) const noexcept {
  const Session& session = sessions_[slot];
  if (query.oms_id != oms_id_) return wrong_oms(query.oms_id);
  if (query.order_id <= 0) return missing(Field::kOrderId);
  if ((session.permissions & (kPermissionTrading | kPermissionOperator)) == 0) {
    return {ErrorCode::kNotAuthorized, Detail::kNoPermission};
  }
  const Index order = store_.find(query.order_id);
  const bool found =
      order != kNoIndex && reaches(session, store_[order].account) &&
      (query.account_id <= 0 || query.account_id == accounts_.account_id(store_[order].account));
  if (!found) return {ErrorCode::kNotFound, Detail::kUnknownOrder, query.order_id};
  return {};
}

void MatchingEngine::State::order_status(const Origin& origin,
                                         const OrderStatusQuery& query) noexcept {
  const Refusal refusal = judge_order_status(origin.slot, query);
  if (refusal.code != ErrorCode::kOk) {
    report_receipt(origin.slot, origin.request, RequestType::kOrderStatus, refusal);
  } else {
    report_order_status(origin.slot, origin.request, store_.find(query.order_id));
  }
}

Refusal MatchingEngine::State::judge_open_orders(SessionSlot slot,
                                                 const OpenOrdersQuery& query) const noexcept {
  const Session& session = sessions_[slot];
  if (query.oms_id != oms_id_) return wrong_oms(query.oms_id);
  if (query.account_id <= 0) return missing(Field::kAccountId);
  constexpr std::uint8_t kAnyOf =
      kPermissionTrading | kPermissionOperator | kPermissionAccountReadOnly;
  if ((session.permissions & kAnyOf) == 0)
    return {ErrorCode::kNotAuthorized, Detail::kNoPermission};
  if (!reaches(session, accounts_.account(query.account_id))) {
    return {ErrorCode::kNotAuthorized, Detail::kForeignAccount, query.account_id};
  }
  return {};
}

void MatchingEngine::State::open_orders(const Origin& origin,
                                        const OpenOrdersQuery& query) noexcept {
  const Refusal refusal = judge_open_orders(origin.slot, query);
  if (refusal.code != ErrorCode::kOk) {
    report_receipt(origin.slot, origin.request, RequestType::kOpenOrders, refusal);
    return;
  }
  PageEnd end;
  end.request_sequence = origin.request;
  const Index account = accounts_.account(query.account_id);
  const Index slots = store_.slot_count();
  // The continuation is client memory: any value beyond the slots is the end of the walk.
  Index slot = query.continuation < slots ? static_cast<Index>(query.continuation) : slots;
  if (account == kNoIndex) slot = slots;
  const Index stop = slots - slot < kWalkOrdersPerPage ? slots : slot + kWalkOrdersPerPage;
  for (std::uint32_t rows = 0; slot < stop && rows < kMessagesPerPage; ++slot) {
    if (store_.walk(slot).account != account) continue;
    if (store_[slot].state != OrderState::kWorking) continue;
    report_open_order(origin.slot, origin.request, slot);
    ++rows;
  }
  end.continuation = slot < slots ? slot : 0;
  report_page_end(origin.slot, end, slot < slots);
}

Refusal MatchingEngine::State::judge_l2(const L2Query& query) const noexcept {
  if (query.oms_id != oms_id_) return wrong_oms(query.oms_id);
  if (query.instrument_id <= 0) return missing(Field::kInstrumentId);
  if (query.depth == 0) return missing(Field::kDepth);
  if (query.depth < 0) {
    return {ErrorCode::kInvalidRequest, Detail::kNotPositive,
            static_cast<std::int64_t>(Field::kDepth)};
  }
  return {};
}

void MatchingEngine::State::l2_snapshot(const Origin& origin, const L2Query& query) noexcept {
  const Refusal refusal = judge_l2(query);
  if (refusal.code != ErrorCode::kOk) {
    report_receipt(origin.slot, origin.request, RequestType::kL2Snapshot, refusal);
    return;
  }
  PageEnd end;
  end.request_sequence = origin.request;
  const Index instrument = instrument_map_.find(query.instrument_id);
  if (instrument == kNoIndex) {
    report_page_end(origin.slot, end, false);
    return;
  }
  end.md_update_id = books_.update_id(instrument);
  L2Position position = L2Position::decode(query.continuation);
  // The continuation is client memory: the price only has to be one that arithmetic bears.
  Ticks price = query.continuation_price;
  if (price < 0 || price > kAmountMax) price = 0;
  Index budget = kAccountWalkPerPage;
  for (std::uint32_t messages = 0; messages < kMessagesPerPage && budget > 0; ++messages) {
    const Level* level = position.levels == 0 ? books_.best(instrument, position.side)
                                              : books_.behind(instrument, position.side, price);
    if (level == nullptr || position.levels >= query.depth) {
      if (position.side == Side::kSell) {
        report_page_end(origin.slot, end, false);
        return;
      }
      position = L2Position{.side = Side::kSell};
      continue;
    }
    L2Rows rows;
    rows.request_sequence = origin.request;
    rows.md_update_id = end.md_update_id;
    rows.last_trade_price = instruments_[instrument].last_trade_price;
    rows.header.b = static_cast<std::uint8_t>(position.side);
    while (level != nullptr && position.levels < query.depth && rows.header.a < kL2RowsPerMessage &&
           budget > 0) {
      rows.rows[rows.header.a++] = L2Row{.price = level->price,
                                         .quantity_low = low_word(level->quantity),
                                         .quantity_high = high_word(level->quantity),
                                         .order_count = level->order_count,
                                         .account_count = count_accounts(*level, budget),
                                         .time_ns = level->changed};
      ++position.levels;
      price = level->price;
      level = books_.behind(instrument, position.side, price);
    }
    report_l2_rows(origin.slot, rows);
  }
  end.continuation = position.encode();
  end.continuation_price = price;
  report_page_end(origin.slot, end, true);
}

// How many accounts have orders in the level; of a level with more orders than the page's budget
// has left, among its oldest. The budget is what keeps a page's work bounded: one level may hold
// every order of the engine.
std::uint32_t MatchingEngine::State::count_accounts(const Level& level, Index& budget) noexcept {
  ++walk_;
  std::uint32_t count = 0;
  for (Index slot = level.head; slot != kNoIndex && budget > 0; slot = store_[slot].next) {
    --budget;
    std::uint64_t& mark = account_marks_[store_[slot].account];
    if (mark == walk_) continue;
    mark = walk_;
    ++count;
  }
  return count;
}

}  // namespace shmatch::core
