#include "ipc/counters_writer.h"

#include <algorithm>
#include <cstring>

namespace shmatch::ipc {

void CountersWriter::look(const LoopCounts& counts, core::TimeNs now,
                          std::uint64_t gap_ns) noexcept {
  note_gap(now, gap_ns);
  const auto slots = std::min(kSlotsAtOnce, static_cast<core::SessionSlot>(by_slot_.size()));
  for (core::SessionSlot i = 0; i < slots; ++i) show_next_slot();
  show_engine(counts, now);
}

void CountersWriter::finish(const LoopCounts& counts, core::TimeNs now) noexcept {
  status_ = EngineStatus::kStopped;
  for (std::size_t i = 0; i < by_slot_.size(); ++i) show_next_slot();
  show_engine(counts, now);
}

void CountersWriter::note_gap(core::TimeNs now, std::uint64_t gap_ns) noexcept {
  const std::uint64_t window = static_cast<std::uint64_t>(now) / kGapWindowNs;
  if (window != counters_.gap_window) {
    // Stretches in which the loop did not look once have no gap of their own: the gap counts where
    // it ended.
    const std::uint64_t skipped =
        std::min<std::uint64_t>(window - counters_.gap_window, kGapWindows);
    for (std::uint64_t i = 0; i < skipped; ++i) {
      counters_.window_gaps_ns[(window - i) % kGapWindows] = 0;
    }
    counters_.gap_window = window;
  }
  std::uint64_t& largest = counters_.window_gaps_ns[window % kGapWindows];
  largest = std::max(largest, gap_ns);
  counters_.largest_gap_ns = std::max(counters_.largest_gap_ns, gap_ns);
}

void CountersWriter::show_next_slot() noexcept {
  const core::SessionSlot slot = next_slot_;
  next_slot_ = slot + 1 < by_slot_.size() ? slot + 1 : 0;
  const Session* const session = by_slot_[slot];
  const bool free = session == nullptr && engine_.slot_free(slot);
  if (free && shown_free_[slot]) return;
  shown_free_[slot] = free;
  SessionCounters row{};
  if (!free) {
    const core::SessionView view = engine_.session(slot);
    row.state = static_cast<std::uint64_t>(view.state);
    row.serial = view.serial;
    row.user_id = static_cast<std::uint64_t>(view.logon.user_id);
    row.requests = view.last_request;
    row.flags = (view.logon.cancel_on_disconnect ? kSessionCancelOnDisconnect : 0) |
                (view.logon.resumable ? kSessionResumable : 0);
    std::memcpy(row.name, view.logon.name, sizeof row.name);
  }
  if (session != nullptr) {
    row.requests = session->last_request();
    row.reports = session->reports_written();
    row.ring_used = session->unread_report_slots();
    row.ring_slots = session->report_slots();
    row.backlog_used = session->backlog_used();
    row.backlog_slots = session->backlog_slots();
  }
  page_.show(slot, row);
}

void CountersWriter::show_engine(const LoopCounts& counts, core::TimeNs now) noexcept {
  counters_.updated_ns = static_cast<std::uint64_t>(now);
  counters_.status = static_cast<std::uint64_t>(status_);
  counters_.journal_error = static_cast<std::uint64_t>(log_.error());
  counters_.passes = counts.passes;
  counters_.idle_passes = counts.idle_passes;
  counters_.requests = counts.requests;
  counters_.reports = counts.reports;
  counters_.sequence = engine_.last_sequence();
  counters_.durable = log_.durable();
  counters_.working_orders = engine_.working_orders();
  counters_.finished_orders = engine_.finished_orders();
  counters_.price_levels = engine_.price_levels();
  counters_.trades = engine_.trade_count();
  page_.show(counters_);
}

}  // namespace shmatch::ipc
