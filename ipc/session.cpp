#include "ipc/session.h"

#include <algorithm>
#include <utility>

namespace shmatch::ipc {
namespace {

// The refusal that takes the place of `report`, which must not leave; for no request when it is an
// event, or a row of an answer whose end will be refused.
core::Receipt journal_failed(const core::Report& report, core::Sequence released, int error,
                             core::TimeNs now) noexcept {
  core::RequestType asked = core::RequestType::kNone;
  switch (static_cast<core::ReportType>(report.type())) {
    case core::ReportType::kReceipt:
      asked = static_cast<core::RequestType>(report.as<core::Receipt>().request_type);
      break;
    case core::ReportType::kOrderAccepted:
      asked = core::RequestType::kNewOrder;
      break;
    case core::ReportType::kOrderStatus:
      asked = core::RequestType::kOrderStatus;
      break;
    case core::ReportType::kPageEnd:
      // Either kind of question gets the same answer; the client knows which one it asked.
      asked = core::RequestType::kOpenOrders;
      break;
    default:
      return {};
  }
  return journal_failed_receipt(core::replied_request(report), asked, released, error, now);
}

}  // namespace

core::Receipt journal_failed_receipt(core::Sequence request, core::RequestType asked,
                                     core::Sequence released, int error,
                                     core::TimeNs now) noexcept {
  core::Receipt receipt;
  receipt.header.engine_sequence = released;
  receipt.request_sequence = request;
  receipt.code = core::ErrorCode::kServerError;
  receipt.detail = core::Detail::kJournalFailed;
  receipt.request_type = static_cast<std::uint32_t>(asked);
  receipt.argument0 = error;
  receipt.time_ns = now;
  return receipt;
}

Session::Session(SessionMemory memory, core::SessionSlot slot, std::uint64_t number,
                 const core::Logon& logon, const Entry& entry)
    : memory_(std::move(memory)),
      slot_(slot),
      number_(number),
      logon_(logon),
      entry_(entry),
      request_lines_(memory_.request_slots()),
      requests_(request_lines_, memory_.sizes().request_slots,
                &memory_.reports_header()->requests_consumed),
      reports_(memory_.report_slots(), memory_.sizes().report_slots,
               &memory_.requests_header()->reports_consumed),
      backlog_(memory_.backlog_words(), memory_.sizes().backlog_slots),
      released_(entry.gated ? 0 : ~core::Sequence{0}),
      attention_(entry.gated) {
  look_at_state();
}

RingResult Session::admit_out_of_the_ordinary() noexcept {
  if (doomed_ != EndReason::kNone) return RingResult::kBreach;
  if (!draining_) {
    const bool room = backlog_.used_slots() + kReplySlotsFree <= backlog_.slot_count() / 2;
    return entry_.gated && room ? RingResult::kDone : RingResult::kFull;
  }
  if (drain_left_ == 0) return RingResult::kEmpty;
  --drain_left_;
  return RingResult::kDone;
}

void Session::number_requests_from(core::Sequence first) noexcept {
  requests_ = RingReader(request_lines_, memory_.sizes().request_slots,
                         &memory_.reports_header()->requests_consumed, first - 1);
}

void Session::start_draining() noexcept {
  draining_ = true;
  attention_ = true;
  look_at_state();
  // A ring holds at most so many requests; whoever still holds a mapping of it cannot prolong the
  // end.
  drain_left_ = memory_.sizes().request_slots;
}

bool Session::deliver_out_of_the_ordinary(const core::Report& report) noexcept {
  if (draining_ || doomed_ != EndReason::kNone) return true;
  // The ring is full, or broken, or reports wait already: the write that failed has written
  // nothing.
  if (backlog_.empty()) {
    const RingResult room = reports_.reserve(report.slots());
    if (room == RingResult::kBreach) return !doom(EndReason::kBreach);
  }
  if (!backlog_.push(report)) {
    // One input may cause more than the backlog holds; a client that reads has made room meanwhile.
    if (!flush_backlog(released_)) return false;
    if (!backlog_.push(report)) return !doom(EndReason::kSlowReader);
  }
  attention_ = true;
  look_at_state();
  return true;
}

bool Session::flush_backlog(core::Sequence released) noexcept {
  released_ = released;
  if (draining_ || doomed_ != EndReason::kNone) return true;
  core::Report report;
  while (!backlog_.empty()) {
    if (backlog_.front_sequence() > released) return true;
    backlog_.front(report);
    const RingResult written = write(report.words, report.slots());
    if (written == RingResult::kBreach) return !doom(EndReason::kBreach);
    if (written == RingResult::kFull) return true;
    backlog_.pop();
  }
  attention_ = entry_.gated;
  look_at_state();
  return true;
}

void Session::refuse_unreleased(core::Sequence released, int error, core::TimeNs now) noexcept {
  const std::uint64_t end = backlog_.end();
  for (std::uint64_t at = backlog_.first(); at != end;) {
    core::Report report;
    at = backlog_.read(at, report);
    backlog_.pop();
    if (report.words[1] > released && report.is<core::Pong>()) {
      // It promises that everything up to its sequence has come: so it has.
      report.words[1] = released;
    } else if (report.words[1] > released) {
      const core::Receipt refusal = journal_failed(report, released, error, now);
      if (refusal.request_sequence == 0) continue;
      report.assign(refusal);
    }
    // There is room: a receipt is the smallest report.
    static_cast<void>(backlog_.push(report));
  }
}

void Session::beat(std::uint64_t passes) noexcept {
  // SYNC POINT heartbeat: pairs with Client::heartbeat; publishes nothing but itself.
  store_word(memory_.reports_header()->heartbeat, passes, std::memory_order_relaxed);
}

void Session::show_stopped() noexcept {
  // SYNC POINT status: pairs with Client::engine_state; publishes the last reports in the ring.
  store_word(memory_.reports_header()->status, static_cast<std::uint64_t>(EngineStatus::kStopped),
             std::memory_order_release);
}

bool Session::doom(EndReason reason) noexcept {
  if (doomed_ != EndReason::kNone) return false;
  doomed_ = reason;
  look_at_state();
  return true;
}

}  // namespace shmatch::ipc
