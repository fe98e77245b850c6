#include "ipc/report_window.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace shmatch::ipc {
namespace {

constexpr std::uint64_t kPage = 4096;
// Ends exported windows, where a slot stands otherwise.
constexpr std::uint64_t kNoMoreWindows = ~std::uint64_t{0};

std::size_t bytes_each(std::uint32_t slots) noexcept {
  const std::size_t bytes = std::size_t{slots} * core::kSlotWords * sizeof(std::uint64_t);
  return (bytes + kPage - 1) / kPage * kPage;
}

// Whether an exported report is one that a window can hold.
bool plausible(const core::Report& report) noexcept {
  return report.slots() >= 1 && report.slots() <= core::kSlotsPerMessageMax &&
         caused_by_input(report);
}

}  // namespace

bool caused_by_input(const core::Report& report) noexcept {
  switch (static_cast<core::ReportType>(report.type())) {
    case core::ReportType::kReceipt: {
      const auto asked = static_cast<core::RequestType>(report.as<core::Receipt>().request_type);
      return asked == core::RequestType::kCancelOrder || asked == core::RequestType::kNewOrder;
    }
    case core::ReportType::kOrderAccepted:
    case core::ReportType::kOrderEntered:
    case core::ReportType::kOrderChanged:
    case core::ReportType::kTrade:
    case core::ReportType::kOrderStateWhole:
    case core::ReportType::kTradeWhole:
      return true;
    default:
      return false;
  }
}

Fault ReportWindows::create(std::uint32_t sessions, std::uint32_t slots_each) {
  slots_each_ = slots_each;
  windows_.clear();
  if (Fault fault = memory_.allocate(sessions * bytes_each(slots_each))) return fault;
  windows_.reserve(sessions);
  for (std::uint32_t slot = 0; slot < sessions; ++slot) {
    auto* const words =
        reinterpret_cast<std::uint64_t*>(memory_.bytes().data() + slot * bytes_each(slots_each));
    windows_.push_back({Backlog(words, slots_each), {}, false});
  }
  return {};
}

Fault ReportWindows::populate(core::SessionSlot slot) const {
  const std::size_t size = bytes_each(slots_each_);
  while (::madvise(memory_.bytes().data() + slot * size, size, MADV_POPULATE_WRITE) != 0) {
    if (errno == EINTR || errno == EAGAIN) continue;
    return system_fault("cannot populate a session's report window", errno);
  }
  return {};
}

void ReportWindows::begin(core::SessionSlot slot, bool resumable) noexcept {
  Window& window = windows_[slot];
  window.resumable = resumable;
  while (!window.kept.empty()) window.kept.pop();
  window.gone_before = {};
}

void ReportWindows::store(core::SessionSlot slot, const core::Report& report) noexcept {
  if (!caused_by_input(report)) return;
  Window& window = windows_[slot];
  core::Report oldest;
  while (!window.kept.push(report)) {
    window.kept.front(oldest);
    window.gone_before = mark_behind(oldest);
    window.kept.pop();
  }
}

bool ReportWindows::export_words(const core::MatchingEngine& engine,
                                 core::WordSink& sink) const noexcept {
  core::Report report;
  for (core::SessionSlot slot = 0; slot < windows_.size(); ++slot) {
    const Window& window = windows_[slot];
    if (!window.resumable || engine.slot_free(slot)) continue;
    const std::array<std::uint64_t, 4> head{slot, window.gone_before.sequence,
                                            window.gone_before.ordinal, window.kept.used_slots()};
    if (!sink.put(head)) return false;
    for (std::uint64_t at = window.kept.first(); at != window.kept.end();) {
      at = window.kept.read(at, report);
      if (!sink.put({report.words, report.slots() * core::kSlotWords})) return false;
    }
  }
  const std::array<std::uint64_t, 4> end{kNoMoreWindows, 0, 0, 0};
  return sink.put(end);
}

bool ReportWindows::import_words(const core::MatchingEngine& engine,
                                 core::WordSource& source) noexcept {
  std::uint64_t next_slot = 0;
  for (std::array<std::uint64_t, 4> head{}; source.get(head);) {
    const std::uint64_t slot = head[0];
    if (slot == kNoMoreWindows) return true;
    if (slot < next_slot || slot >= windows_.size()) return false;
    next_slot = slot + 1;
    const auto index = static_cast<core::SessionSlot>(slot);
    if (!engine.session(index).logon.resumable) return false;
    begin(index, true);
    windows_[index].gone_before = {head[1], static_cast<std::uint32_t>(head[2])};
    for (std::uint64_t left = head[3]; left > 0;) {
      core::Report report;
      if (!source.get({report.words, core::kSlotWords}) || !plausible(report)) return false;
      const std::uint32_t more = report.slots() - 1U;
      if (report.slots() > left ||
          !source.get({report.words + core::kSlotWords, more * core::kSlotWords})) {
        return false;
      }
      keep(index, report);
      left -= report.slots();
    }
  }
  return false;
}

}  // namespace shmatch::ipc
