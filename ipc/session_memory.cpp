#include "ipc/session_memory.h"

#include "core/message.h"
#include "ipc/ring.h"

namespace shmatch::ipc {

Fault SessionMemory::create(core::SessionSlot slot, const SessionSizes& sizes) {
  sizes_ = sizes;
  offset_ = ipc::first_slot_offset(slot);

  const std::size_t requests_size = memory_size(offset_, sizes.request_slots);
  if (Fault fault = create_memory("shmatch-requests", requests_size, requests_memory_))
    return fault;
  if (Fault fault = requests_.map(requests_handle(), requests_size, Access::kReadWrite))
    return fault;
  if (Fault fault = seal_memory(requests_handle(), kSizeSeals)) return fault;

  const std::size_t reports_size = memory_size(offset_, sizes.report_slots);
  if (Fault fault = create_memory("shmatch-reports", reports_size, reports_memory_)) return fault;
  if (Fault fault = reports_.map(reports_handle(), reports_size, Access::kReadWrite)) return fault;
  if (Fault fault = seal_memory(reports_handle(), kSharedSeals)) return fault;
  ReportsHeader* const header = reports_header();
  header->magic = kReportsMagic;
  header->version = kLayoutVersion;
  header->slots = sizes.report_slots;
  header->status = static_cast<std::uint64_t>(EngineStatus::kServing);

  const std::size_t backlog_size =
      std::size_t{sizes.backlog_slots} * core::kSlotWords * sizeof(std::uint64_t);
  if (Fault fault = backlog_.allocate(backlog_size)) return fault;
  return backlog_.populate();
}

Fault SessionMemory::confirm() {
  if (Fault fault = seal_memory(requests_handle(), kSharedSeals)) return fault;
  // Before that seal the client could punch holes; from here on nobody can.
  if (Fault fault = reserve_memory(requests_handle(), requests_size())) return fault;
  if (Fault fault = requests_.populate()) return fault;
  if (load_word(requests_header()->magic, std::memory_order_acquire) != kRequestsMagic) {
    return Fault{"the client has not mapped its request memory"};
  }
  requests_memory_.reset();
  reports_memory_.reset();
  return {};
}

}  // namespace shmatch::ipc
