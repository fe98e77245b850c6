// Logs for tests of the replay: input records put together one by one, and read back as a stream.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/configuration.h"
#include "core/input_record.h"
#include "core/message.h"
#include "tools/replay_minimize.h"
#include "tools/replay_run.h"

namespace shmatch::tools {

// Instrument 3 TEST (tick 1, lot 1); alice (account 1), bob (account 2), boss (Operator).
inline core::Configuration small_configuration() {
  core::Configuration configuration;
  configuration.instruments = {{3, "TEST", {1, 0}, {1, 0}}};
  configuration.users = {{10, "alice", core::kPermissionTrading, {1}},
                         {11, "bob", core::kPermissionTrading, {2}},
                         {12, "boss", core::kPermissionOperator, {}}};
  configuration.accounts = {1, 2};
  configuration.capacities = {.working_orders = 64, .finished_orders = 64, .sessions = 8};
  return configuration;
}

// Slot 0 for even numbers, slot 1 for odd ones.
constexpr core::SessionSlot in_turn(int number) noexcept { return number % 2 == 0 ? 0U : 1U; }

// Builds a log whose sessions are alice in slot 0 and bob in slot 1, unless told otherwise.
class LogBuilder {
 public:
  explicit LogBuilder(const core::Configuration& configuration = small_configuration()) {
    log_.configuration = configuration;
    log_.offsets.push_back(0);
  }

  LogBuilder& logon(core::SessionSlot slot, core::UserId user) {
    core::Logon logon;
    logon.user_id = user;
    return add(core::encode_logon(record_, slot, logon, now_));
  }
  LogBuilder& logons() { return logon(0, 10).logon(1, 11); }

  LogBuilder& order(core::SessionSlot slot, char side, core::Lots quantity, core::Ticks price,
                    core::ClOrdId cl_ord_id = 0,
                    core::TimeInForce time_in_force = core::TimeInForce::kGtc) {
    core::NewOrder order;
    order.oms_id = 1;
    order.account_id = slot + 1;
    order.instrument_id = 3;
    order.cl_ord_id = cl_ord_id;
    order.side = side == 'B' ? core::Side::kBuy : core::Side::kSell;
    order.order_type = core::OrderType::kLimit;
    order.time_in_force = time_in_force;
    order.set_quantity(core::in_increments(quantity));
    order.set_limit_price(core::in_increments(price));
    return request(slot, order);
  }
  LogBuilder& cancel(core::SessionSlot slot, core::OrderId order_id) {
    core::CancelOrder cancel;
    cancel.oms_id = 1;
    cancel.order_id = order_id;
    return request(slot, cancel);
  }
  LogBuilder& end_session(core::SessionSlot slot) {
    return add(core::encode_end_session(record_, slot, now_));
  }
  LogBuilder& restart() { return add(core::encode_restart(record_, now_)); }
  // From the next record on.
  LogBuilder& configure(const core::Configuration& configuration) {
    log_.changes.emplace(log_.size(), configuration);
    return *this;
  }
  LogBuilder& mark(core::Sequence sequence, std::uint64_t digest) {
    log_.marks.push_back({sequence, digest});
    return *this;
  }

  const LoadedLog& log() const noexcept { return log_; }

 private:
  template <class Message>
  LogBuilder& request(core::SessionSlot slot, const Message& message) {
    core::Request request;
    request.assign(message);
    return add(core::encode_request(record_, slot, ++sent_[slot], request, now_));
  }

  LogBuilder& add(std::uint32_t words) {
    log_.words.insert(log_.words.end(), record_, record_ + words);
    log_.offsets.push_back(log_.words.size());
    now_ += 1'000'000'000;
    return *this;
  }

  LoadedLog log_;
  std::uint64_t record_[core::kInputRecordWordsMax] = {};
  core::Sequence sent_[8] = {};
  core::TimeNs now_ = 1'700'000'000'000'000'000;
};

// A log as a stream, `per_batch` records at a time.
class LogInput final : public InputStream {
 public:
  explicit LogInput(const LoadedLog& log, std::size_t per_batch = 3)
      : log_(log), per_batch_(per_batch) {}

  Next next(InputBatch& batch) override {
    if (place_ >= log_.size()) return Next::kEnd;
    std::size_t end = std::min(log_.size(), place_ + per_batch_);
    const auto change = log_.changes.upper_bound(place_);
    if (change != log_.changes.end()) end = std::min(end, change->first);
    batch = InputBatch{};
    batch.first_sequence = place_ + 1;
    batch.record_count = static_cast<std::uint32_t>(end - place_);
    batch.words = std::span(log_.words)
                      .subspan(log_.offsets[place_], log_.offsets[end] - log_.offsets[place_]);
    const auto here = log_.changes.find(place_);
    if (here != log_.changes.end()) batch.configuration = &here->second;
    marks_.clear();
    for (const ipc::DigestMark& mark : log_.marks) {
      if (mark.sequence > place_ && mark.sequence <= end) marks_.push_back(mark);
    }
    batch.marks = marks_;
    place_ = end;
    return Next::kBatch;
  }
  const ipc::Fault& fault() const override { return fault_; }
  const core::Configuration& configuration() const override { return log_.configuration; }
  double progress() const override {
    return static_cast<double>(place_) / static_cast<double>(log_.size());
  }
  std::uint64_t preparing_records() const override { return log_.preparing_records; }

 private:
  const LoadedLog& log_;
  std::size_t per_batch_;
  std::size_t place_ = 0;
  std::vector<ipc::DigestMark> marks_;
  ipc::Fault fault_;
};

// What a replay of the log comes to.
inline ReplayOutcome replay(const LoadedLog& log, ReplaySettings settings = {},
                            std::vector<ReplayObserver*> observers = {}) {
  LogInput input(log);
  Replay run(input, std::move(settings));
  for (ReplayObserver* observer : observers) run.add(*observer);
  return run.run();
}

}  // namespace shmatch::tools
