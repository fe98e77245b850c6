#include "tools/latency_run.h"

#include <sched.h>

#include <chrono>

#include "tools/measure.h"
#include "tools/stop_signals.h"

namespace shmatch::tools {

namespace {

// A silent engine may wait for this very core.
constexpr double kSpinSeconds = 1e-3;
constexpr double kLookSeconds = 10e-3;
constexpr double kSilenceSeconds = 5;

// Client order ids of different runs must not meet among an account's working orders.
core::ClOrdId first_client_id() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

LatencyRun::LatencyRun(Client& client, const LatencyOptions& options, IntervalLog& log)
    : client_(client),
      options_(options),
      log_(log),
      ns_per_tick_(nanoseconds_per_tick()),
      jitter_(loose_ticks(), ns_per_tick_),
      pending_(kInFlightMax) {
  order_.oms_id = options.oms_id;
  order_.account_id = options.account_id;
  order_.instrument_id = options.instrument_id;
  order_.cl_ord_id = first_client_id();
  order_.side = core::Side::kBuy;
  order_.order_type = core::OrderType::kLimit;
  order_.set_quantity(core::in_increments(1));
  order_.set_limit_price(core::in_increments(options.price));
  cancel_.oms_id = options.oms_id;
  cancel_.account_id = options.account_id;
  if (open_loop()) interval_ticks_ = ticks(1 / options.rate);
}

std::uint64_t LatencyRun::ticks(double seconds) const noexcept {
  return static_cast<std::uint64_t>(seconds * 1e9 / ns_per_tick_);
}

double LatencyRun::seconds() const noexcept {
  return static_cast<double>(last_ - begin_) * ns_per_tick_ / 1e9;
}

LatencyRun::End LatencyRun::run() {
  last_heard_ = next_due_ = begin_ = last_ = loose_ticks();
  jitter_.restart(last_);
  while (step()) {
  }
  return result_;
}

// One turn of the polling loop. False when the run is over.
bool LatencyRun::step() {
  const std::uint64_t now = loose_ticks();
  jitter_.turn(now, log_.current()[Metric::kJitter]);
  Report report;
  if (options_.in_place && client_.early_reply(report)) {
    last_heard_ = now;
    return take_reply(report, replied_request(report), timer_ticks());
  }
  if (client_.poll(report)) {
    const std::uint64_t received = timer_ticks();
    last_heard_ = now;
    return take(report, received);
  }
  look_at_time(now);
  if (due(now)) {
    send_next();
  } else if (in_flight_ > 0) {
    return wait_politely(now);
  } else if (ending_ && !cancel_next_) {
    return false;
  }
  return true;
}

bool LatencyRun::due(std::uint64_t now) const noexcept {
  if (ending_ && !cancel_next_) return false;
  if (!open_loop()) return in_flight_ == 0;
  return in_flight_ < kInFlightMax && static_cast<std::int64_t>(now - next_due_) >= 0;
}

void LatencyRun::send_next() {
  Pending request;
  request.entry = !cancel_next_;
  if (request.entry && !counting_ && entered_ == options_.warm_up) begin_counting(loose_ticks());
  request.counts = counting_;
  request.sent = timer_ticks();
  request.due = open_loop() ? next_due_ : request.sent;
  RequestId id = 0;
  if (request.entry) {
    id = client_.send(order_);
  } else {
    cancel_.cl_ord_id = order_.cl_ord_id;
    id = client_.cancel(cancel_);
  }
  // The ring is full: it is tried again, and is late then.
  if (id == 0) return;
  pending(id) = request;
  ++in_flight_;
  next_due_ += interval_ticks_;
  last_heard_ = in_flight_ == 1 ? request.sent : last_heard_;
  if (request.entry) {
    ++entered_;
  } else {
    ++order_.cl_ord_id;
  }
  cancel_next_ = request.entry;
  if (!cancel_next_ && options_.count != 0 && entered_ == options_.warm_up + options_.count) {
    ending_ = true;
  }
}

void LatencyRun::begin_counting(std::uint64_t now) {
  counting_ = true;
  begin_ = last_ = now;
  end_ = now + ticks(options_.seconds);
  next_stretch_ = now + ticks(options_.interval);
  log_.current().clear();
  const std::uint64_t cleared = loose_ticks();
  jitter_.restart(cleared);
  // What clearing took is no lateness of the run.
  if (open_loop()) next_due_ = cleared;
}

void LatencyRun::look_at_time(std::uint64_t now) {
  if (stop_requested()) ending_ = true;
  if (!counting_) return;
  if (options_.seconds > 0 && now >= end_) ending_ = true;
  if (now >= next_stretch_) {
    log_.next(static_cast<double>(now - begin_) * ns_per_tick_ / 1e9);
    next_stretch_ += ticks(options_.interval);
  }
}

// The engine owes an answer. False when it will not come.
bool LatencyRun::wait_politely(std::uint64_t now) {
  const auto silent = static_cast<std::int64_t>(now - last_heard_);
  if (silent < static_cast<std::int64_t>(ticks(kSpinSeconds))) return true;
  ::sched_yield();
  if (silent < static_cast<std::int64_t>(ticks(kLookSeconds))) return true;
  if (client_.check_socket() != EngineState::kServing) {
    const std::string& reason = client_.end_reason();
    return fail(End::kEngineGone, reason.empty() ? "the engine went away" : reason);
  }
  if (silent < static_cast<std::int64_t>(ticks(kSilenceSeconds))) return true;
  return fail(End::kEngineGone, "the engine does not answer");
}

bool LatencyRun::take(const Report& report, std::uint64_t now) {
  if (const RequestId request = replied_request(report); request != 0) {
    // Events follow the reply in the ring, not the early one.
    event_of_ = report.words[1];
    event_for_ = request;
    return take_reply(report, request, now);
  }
  // Others of the account may be heard, too.
  const bool ours = event_for_ != 0 && report.words[1] == event_of_;
  if (ours && report.is<core::Trade>()) {
    return fail(End::kRefused,
                "an order of this run met another one: choose an instrument or a price at which "
                "nobody sells");
  }
  if (ours && (report.is<core::OrderEntered>() || report.is<core::OrderChanged>())) take_event(now);
  return true;
}

bool LatencyRun::take_reply(const Report& report, RequestId request, std::uint64_t now) {
  Pending& sent = pending(request);
  if (sent.replied) return true;
  sent.replied = true;
  const bool accepted = sent.entry ? report.is<core::OrderAccepted>()
                                   : report.is<core::Receipt>() &&
                                         report.as<core::Receipt>().code == core::ErrorCode::kOk;
  if (!accepted) {
    const std::string what = sent.entry ? "an order" : "the cancel of an order";
    const std::string why = report.is<core::Receipt>()
                                ? client_.reference().describe(report.as<core::Receipt>().refusal())
                                : "";
    return fail(End::kRefused,
                "the engine refused " + what + " of this run" + (why.empty() ? "" : ": " + why));
  }
  record(sent, sent.entry ? Metric::kSendReceipt : Metric::kCancelReceipt,
         sent.entry ? Metric::kSendReceiptService : Metric::kCancelReceiptService, now);
  if (sent.counts && open_loop()) {
    log_.current()[Metric::kLateness].record(
        static_cast<std::int64_t>(static_cast<double>(sent.sent - sent.due) * ns_per_tick_));
  }
  return true;
}

void LatencyRun::take_event(std::uint64_t now) {
  const Pending& sent = pending(event_for_);
  event_for_ = 0;
  --in_flight_;
  if (sent.entry) return;
  record(sent, Metric::kCancelOutcome, Metric::kCancelOutcomeService, now);
  if (!sent.counts) return;
  ++counted_;
  last_ = now;
}

void LatencyRun::record(const Pending& request, Metric metric, Metric service, std::uint64_t now) {
  if (!request.counts) return;
  const auto ns = [this, now](std::uint64_t from) {
    return static_cast<std::int64_t>(static_cast<double>(now - from) * ns_per_tick_ + 0.5);
  };
  MetricSet& set = log_.current();
  set[metric].record(ns(request.due));
  if (open_loop()) set[service].record(ns(request.sent));
}

bool LatencyRun::fail(End end, std::string trouble) {
  result_ = end;
  trouble_ = std::move(trouble);
  return false;
}

}  // namespace shmatch::tools
