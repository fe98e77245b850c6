#include "ipc/backlog.h"

#include <algorithm>
#include <cstddef>

namespace shmatch::ipc {

static_assert(offsetof(core::ReportHeader, engine_sequence) == 8, "front_sequence reads word 1");

bool Backlog::push(const core::Report& report) noexcept {
  const std::uint32_t slot_count = report.slots();
  if (end_ + slot_count - first_ > mask_ + 1) return false;
  for (std::uint32_t i = 0; i < slot_count; ++i) {
    std::copy_n(report.words + i * core::kSlotWords, core::kSlotWords, slot(end_ + i));
  }
  end_ += slot_count;
  return true;
}

std::uint64_t Backlog::read(std::uint64_t position, core::Report& report) const noexcept {
  std::copy_n(slot(position), core::kSlotWords, report.words);
  const std::uint32_t slot_count = report.slots();
  for (std::uint32_t i = 1; i < slot_count; ++i) {
    std::copy_n(slot(position + i), core::kSlotWords, report.words + i * core::kSlotWords);
  }
  return position + slot_count;
}

}  // namespace shmatch::ipc
