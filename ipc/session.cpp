#include "ipc/session.h"

#include <algorithm>
#include <utility>

namespace shmatch::ipc {

bool Backlog::push(const core::Report& report) noexcept {
  const std::uint32_t slot_count = report.slots();
  if (end_ + slot_count - first_ > mask_ + 1) return false;
  for (std::uint32_t i = 0; i < slot_count; ++i) {
    std::copy_n(report.words + i * core::kSlotWords, core::kSlotWords, slot(end_ + i));
  }
  end_ += slot_count;
  return true;
}

void Backlog::front(core::Report& report) const noexcept {
  std::copy_n(slot(first_), core::kSlotWords, report.words);
  const std::uint32_t slot_count = report.slots();
  for (std::uint32_t i = 1; i < slot_count; ++i) {
    std::copy_n(slot(first_ + i), core::kSlotWords, report.words + i * core::kSlotWords);
  }
}

void Backlog::pop() noexcept { first_ += (slot(first_)[0] >> 8) & 0xFF; }

Session::Session(SessionMemory memory, core::SessionSlot slot, std::uint64_t number,
                 const core::Logon& logon)
    : memory_(std::move(memory)),
      slot_(slot),
      number_(number),
      logon_(logon),
      requests_(memory_.request_slots(), memory_.sizes().request_slots,
                &memory_.reports_header()->requests_consumed),
      reports_(memory_.report_slots(), memory_.sizes().report_slots,
               &memory_.requests_header()->reports_consumed),
      backlog_(memory_.backlog_words(), memory_.sizes().backlog_slots) {}

RingResult Session::take_out_of_the_ordinary(core::Request& request) noexcept {
  if (doomed_ != EndReason::kNone) return RingResult::kBreach;
  if (!draining_) return RingResult::kFull;  // the backlog comes first
  if (drain_left_ == 0) return RingResult::kEmpty;
  --drain_left_;
  return requests_.read(request.words);
}

void Session::start_draining() noexcept {
  draining_ = true;
  attention_ = true;
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
    if (!flush_backlog()) return false;
    if (!backlog_.push(report)) return !doom(EndReason::kSlowReader);
  }
  attention_ = true;
  return true;
}

bool Session::flush_backlog() noexcept {
  if (draining_ || doomed_ != EndReason::kNone) return true;
  core::Report report;
  while (!backlog_.empty()) {
    backlog_.front(report);
    const RingResult written = reports_.write(report.words, report.slots());
    if (written == RingResult::kBreach) return !doom(EndReason::kBreach);
    if (written == RingResult::kFull) return true;
    backlog_.pop();
  }
  attention_ = false;
  return true;
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
  return true;
}

}  // namespace shmatch::ipc
