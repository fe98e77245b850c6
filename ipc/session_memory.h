// The memory of one session on the engine's side, from logon to end: both shared memories and the
// private backlog.
//
// Thread: created, confirmed and destroyed on the control thread; between being handed to the
// engine loop and coming back from it, only the engine thread touches the contents.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/types.h"
#include "ipc/fault.h"
#include "ipc/file_descriptor.h"
#include "ipc/memory_layout.h"
#include "ipc/private_memory.h"
#include "ipc/sealed_memory.h"

namespace shmatch::ipc {

// Ring sizes in slots; powers of two in the ranges of ipc/memory_layout.h.
struct SessionSizes {
  std::uint32_t request_slots = 0;
  std::uint32_t report_slots = 0;
  std::uint32_t backlog_slots = 0;
};

class SessionMemory {
 public:
  // Makes, reserves, maps and seals everything that may be done before the client maps. Afterwards
  // the descriptors can be sent. Fault: not enough memory.
  Fault create(core::SessionSlot slot, const SessionSizes& sizes);

  // The client says that it has mapped its memories: closes every way to write the requests but
  // that mapping. Fault: the seals do not hold, or the client mapped something else, or memory is
  // short.
  Fault confirm();

  int requests_handle() const noexcept { return requests_memory_.get(); }
  int reports_handle() const noexcept { return reports_memory_.get(); }
  std::size_t requests_size() const noexcept { return requests_.size(); }
  std::size_t reports_size() const noexcept { return reports_.size(); }
  std::uint32_t first_slot_offset() const noexcept { return offset_; }
  const SessionSizes& sizes() const noexcept { return sizes_; }

  // Written by the client; here only replies are, into slots (ipc/reply_in_place.h).
  const RequestsHeader* requests_header() const noexcept {
    return reinterpret_cast<const RequestsHeader*>(requests_.data());
  }
  Slot* request_slots() const noexcept {
    return reinterpret_cast<Slot*>(requests_.data() + offset_);
  }
  // Written here, read-only for the client.
  ReportsHeader* reports_header() const noexcept {
    return reinterpret_cast<ReportsHeader*>(reports_.data());
  }
  Slot* report_slots() const noexcept { return reinterpret_cast<Slot*>(reports_.data() + offset_); }

  std::uint64_t* backlog_words() const noexcept {
    return reinterpret_cast<std::uint64_t*>(backlog_.bytes().data());
  }

 private:
  SessionSizes sizes_;
  std::uint32_t offset_ = 0;
  FileDescriptor requests_memory_;  // closed once confirmed
  FileDescriptor reports_memory_;
  Mapping requests_;
  Mapping reports_;
  PrivateMemory backlog_;
};

}  // namespace shmatch::ipc
