// Observer: looks at a running engine's counters, without a session.
//
//   shmatch::ipc::Observer observer;
//   if (auto failed = observer.connect(socket)) { std::puts(failed.text.c_str()); return 3; }
//   for (shmatch::ipc::CountersLook look; observer.look(look);) { ... }
//
// What it reads is a page that the engine writes anyway and the kernel lets nobody else write; the
// engine thread does not know that anybody looks. Whoever may log on as some user may watch, and
// sees all sessions.
//
// Thread: one at a time. Ownership: the mapping and the socket; both end with the object.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "ipc/client.h"
#include "ipc/counters_layout.h"
#include "ipc/file_descriptor.h"
#include "ipc/reference_data.h"
#include "ipc/sealed_memory.h"

namespace shmatch::ipc {

// The counters of one look. Each block is of one moment; the moments lie some milliseconds apart.
struct CountersLook {
  struct Session {
    core::SessionSlot slot = 0;
    SessionCounters counters{};
  };
  EngineCounters engine{};
  std::vector<Session> sessions;  // those that are not free, by slot
};

class Observer {
 public:
  // Finds the engine and maps its page. `socket` is empty for the default one. kNoEngine: nobody
  // serves there; kRefused: this uid may not, or too many watch; kNoMemory: the page could not be
  // mapped; kTimeout: no answer in time. On failure nothing is held and it may be tried again.
  [[nodiscard]] Failure connect(const std::string& socket,
                                std::chrono::milliseconds timeout = std::chrono::seconds(2));

  // What never changes; valid once connected.
  const CountersHeader& header() const noexcept { return header_; }
  const ReferenceData& reference() const noexcept { return reference_; }

  // Looks at every counter. False when the engine stood still or died in the middle of a change;
  // `look` is then of no use, and `ended` tells which of the two it was.
  [[nodiscard]] bool look(CountersLook& look) const;

  // Whether the engine is gone (one system call); end_reason() then is its farewell, or empty.
  bool ended() noexcept;
  const std::string& end_reason() const noexcept { return end_reason_; }
  // Readable when the engine goes; for poll(2), never read from it.
  int socket_handle() const noexcept { return socket_.get(); }
  // The page's memory, for tests of what may be done with it.
  int page_handle() const noexcept { return memory_.get(); }

 private:
  FileDescriptor socket_;
  FileDescriptor memory_;
  Mapping page_;
  CountersHeader header_{};
  ReferenceData reference_;
  std::string end_reason_;
  bool ended_ = false;
};

}  // namespace shmatch::ipc
