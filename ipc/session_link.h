// SessionLink: the client's side of a logon, from connect to the mapped memories. What it holds,
// the session stands on.
#pragma once

#include <cstdint>

#include "ipc/client.h"
#include "ipc/file_descriptor.h"
#include "ipc/logon.h"
#include "ipc/memory_layout.h"
#include "ipc/sealed_memory.h"
#include "ipc/seqpacket.h"

namespace shmatch::ipc {

struct SessionLink {
  FileDescriptor socket;
  Mapping requests;  // written here
  Mapping reports;   // written by the engine alone
  std::uint32_t request_slots = 0;
  std::uint32_t report_slots = 0;
  std::uint32_t first_slot_offset = 0;
  ReferenceData reference;
  SessionInfo info;          // but for what a Resumed report says
  FarewellReason refusal{};  // after a failed logon: why the engine refused it, if it did

  RequestsHeader* requests_header() const noexcept {
    return reinterpret_cast<RequestsHeader*>(requests.data());
  }
  ReportsHeader* reports_header() const noexcept {
    return reinterpret_cast<ReportsHeader*>(reports.data());
  }
  Slot* request_slot() const noexcept {
    return reinterpret_cast<Slot*>(requests.data() + first_slot_offset);
  }
  const Slot* report_slot() const noexcept {
    return reinterpret_cast<const Slot*>(reports.data() + first_slot_offset);
  }
};

// Logs on; the errors are those of Client::logon. Blocks at most `options.timeout`.
Failure open_session(const LogonOptions& options, SessionLink& link);

}  // namespace shmatch::ipc
