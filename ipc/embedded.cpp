#include "ipc/embedded.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <string>

#include "ipc/embedded_engine.h"

namespace core = shmatch::core;

namespace {

constexpr core::UserId kUser = 1;

void put_text(const std::string& from, char* to, std::size_t size) noexcept {
  if (to == nullptr || size == 0) return;
  const std::size_t length = from.size() < size ? from.size() : size - 1;
  std::memcpy(to, from.data(), length);
  to[length] = '\0';
}

// Of too many one more than may be is enough to be refused.
core::Configuration configuration_of(const shmatch_options& options) {
  const std::size_t instruments =
      std::min<std::size_t>(options.instruments, core::kInstrumentsMax + 1);
  const std::size_t accounts = std::min<std::size_t>(options.accounts, core::kAccountsMax + 1);
  core::Configuration result;
  for (std::uint32_t i = 1; i <= instruments; ++i) {
    result.instruments.push_back({i, "I" + std::to_string(i), {1, 0}, {1, 0}});
  }
  for (std::uint32_t i = 1; i <= accounts; ++i) result.accounts.push_back(i);
  result.users = {{kUser, "embedded", core::kPermissionOperator, {}}};
  result.capacities = {options.working_orders, options.finished_orders, 1, options.price_levels};
  return result;
}

core::NewOrder message_of(const shmatch_order& order) noexcept {
  core::NewOrder message;
  message.oms_id = 1;
  message.account_id = order.account;
  message.instrument_id = order.instrument;
  message.cl_ord_id = order.client_id;
  message.set_quantity(core::in_increments(order.quantity));
  message.set_limit_price(core::in_increments(order.price));
  message.side = static_cast<core::Side>(order.side);
  message.order_type = static_cast<core::OrderType>(order.type);
  message.time_in_force = static_cast<core::TimeInForce>(order.time_in_force);
  return message;
}

core::CancelOrder message_of(const shmatch_key& key) noexcept {
  return {
      .oms_id = 1, .account_id = key.account, .order_id = key.order_id, .cl_ord_id = key.client_id};
}

core::Side side_of(shmatch_side side) noexcept {
  return side == SHMATCH_BUY ? core::Side::kBuy : core::Side::kSell;
}

// Translates each report and hands it on.
class CallbackSink final : public core::ReportSink {
 public:
  CallbackSink(shmatch_callback callback, void* context) noexcept
      : callback_(callback), context_(context) {}

  void deliver(core::SessionSlot, const core::Report& report) noexcept override {
    shmatch_report out{};
    const auto header = report.as<core::ReportHeader>();
    out.ordinal = header.ordinal;
    out.sequence = header.engine_sequence;
    if (report.is<core::OrderAccepted>()) {
      put(report.as<core::OrderAccepted>(), out);
    } else if (report.is<core::Receipt>()) {
      put(report.as<core::Receipt>(), out);
    } else if (report.is<core::OrderEntered>()) {
      const auto entered = report.as<core::OrderEntered>();
      const bool works = core::order_state(header) == core::OrderState::kWorking;
      put_state(entered, works ? entered.orig_quantity - entered.executed : 0, out);
    } else if (report.is<core::OrderChanged>()) {
      const auto changed = report.as<core::OrderChanged>();
      put_state(changed, changed.leaves, out);
    } else {
      put(report.as<core::Trade>(), out);
    }
    callback_(context_, &out);
  }

  // Of the newest call.
  core::OrderId accepted_id = 0;
  bool cancelled = false;

 private:
  void put(const core::OrderAccepted& from, shmatch_report& out) noexcept {
    out.kind = SHMATCH_ACCEPTED;
    out.order_id = from.order_id;
    out.client_id = from.cl_ord_id;
    out.time = from.time_ns;
    accepted_id = from.order_id;
  }
  void put(const core::Receipt& from, shmatch_report& out) noexcept {
    cancelled = from.code == core::ErrorCode::kOk;
    out.kind = cancelled ? SHMATCH_CANCEL_ACCEPTED : SHMATCH_REFUSED;
    out.code = static_cast<std::uint16_t>(from.code);
    out.detail = static_cast<std::uint16_t>(from.detail);
    out.argument0 = from.argument0;
    out.argument1 = from.argument1;
    out.time = from.time_ns;
  }
  template <class Message>
  void put_state(const Message& from, core::Lots leaves, shmatch_report& out) noexcept {
    out.kind = SHMATCH_ORDER;
    out.state = static_cast<std::uint8_t>(core::order_state(from.header));
    out.change_reason = static_cast<std::uint8_t>(core::change_reason(from.header));
    out.order_id = from.order_id;
    out.client_id = from.cl_ord_id;
    out.quantity = leaves;
    out.executed = from.executed;
    out.time = from.time_ns;
  }
  void put(const core::Trade& from, shmatch_report& out) noexcept {
    out.kind = SHMATCH_TRADE;
    out.side = static_cast<std::uint8_t>(core::trade_side(from.header));
    out.maker = core::trade_is_maker(from.header) ? 1 : 0;
    out.trade_id = from.trade_id;
    out.order_id = from.order_id;
    out.price = from.price;
    out.quantity = from.quantity;
    out.time = from.time_ns;
  }

  shmatch_callback callback_;
  void* context_;
};

}  // namespace

struct shmatch_engine {
  shmatch_engine(shmatch_callback callback, void* context) noexcept : sink(callback, context) {}
  CallbackSink sink;
  shmatch::EmbeddedEngine embedded;
};

shmatch_engine* shmatch_create(const shmatch_options* options, shmatch_callback callback,
                               void* context, char* error, size_t error_size) {
  try {
    auto engine = std::make_unique<shmatch_engine>(callback, context);
    const core::Logon logon{.user_id = kUser, .all_accounts = true};
    const shmatch::ipc::Fault fault =
        engine->embedded.create(configuration_of(*options), logon, engine->sink);
    if (!fault) return engine.release();
    put_text(fault.text, error, error_size);
  } catch (const std::bad_alloc&) {
    put_text("not enough memory", error, error_size);
  }
  return nullptr;
}

void shmatch_destroy(shmatch_engine* engine) { delete engine; }

int64_t shmatch_new_order(shmatch_engine* engine, const shmatch_order* order, int64_t time) {
  engine->sink.accepted_id = 0;
  engine->embedded.new_order(message_of(*order), time);
  return engine->sink.accepted_id;
}

int shmatch_cancel(shmatch_engine* engine, const shmatch_key* key, int64_t time) {
  engine->embedded.cancel(message_of(*key), time);
  return engine->sink.cancelled ? 1 : 0;
}

int64_t shmatch_cancel_replace(shmatch_engine* engine, const shmatch_key* key,
                               const shmatch_order* order, int64_t time) {
  engine->sink.accepted_id = 0;
  engine->embedded.cancel_replace(message_of(*key), message_of(*order), time);
  return engine->sink.accepted_id;
}

int64_t shmatch_best_price(const shmatch_engine* engine, int64_t instrument, shmatch_side side) {
  return engine->embedded.engine().best(instrument, side_of(side)).price;
}

uint64_t shmatch_depth_at(const shmatch_engine* engine, int64_t instrument, shmatch_side side,
                          int64_t price) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  const core::Wide quantity =
      engine->embedded.engine().quantity_at(instrument, side_of(side), price);
  return quantity < kMost ? static_cast<std::uint64_t>(quantity) : kMost;
}

uint32_t shmatch_working_orders(const shmatch_engine* engine) {
  return engine->embedded.engine().working_orders();
}

void shmatch_refusal_text(const shmatch_report* report, char* text, size_t size) {
  const core::Refusal refusal{static_cast<core::ErrorCode>(report->code),
                              static_cast<core::Detail>(report->detail), report->argument0,
                              report->argument1};
  const auto nobody = [](core::UserId, const void*) { return std::string_view(); };
  try {
    put_text(core::describe(refusal, nobody, nullptr), text, size);
  } catch (const std::bad_alloc&) {
    put_text("", text, size);
  }
}
