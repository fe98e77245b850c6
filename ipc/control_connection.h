// A connection of the control thread, and what its epoll events are about. Private to the control
// thread's sources: control_thread.cpp is its loop, control_thread_connections.cpp a connection's
// way to a session and out of it.
#pragma once

#include <sys/epoll.h>

#include <cstdint>
#include <memory>
#include <string>

#include "ipc/control_thread.h"
#include "ipc/session_memory.h"

namespace shmatch::ipc {

// What an epoll event is about: one of the two below, or a connection's number and which of its two
// descriptors.
inline constexpr std::uint64_t kListenTag = 0;
inline constexpr std::uint64_t kStopTag = 1;
constexpr std::uint64_t socket_tag(std::uint64_t number) { return number << 1 | 0; }
constexpr std::uint64_t process_tag(std::uint64_t number) { return number << 1 | 1; }

inline bool watch(int epoll, int handle, std::uint32_t events, std::uint64_t tag) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = tag;
  return ::epoll_ctl(epoll, EPOLL_CTL_ADD, handle, &event) == 0;
}

inline void unwatch(int epoll, int handle) { ::epoll_ctl(epoll, EPOLL_CTL_DEL, handle, nullptr); }

struct ControlThread::Connection {
  enum class Stage : std::uint8_t {
    kHello,     // waits for the logon request
    kConfirm,   // has a slot and memory, waits for the client to map it
    kOpening,   // handed to the engine
    kServing,   // the engine polls it
    kClosing,   // the client is gone, the engine still has the session
    kWatching,  // has the page of counters; the engine does not know it
  };

  std::uint64_t number = 0;
  Stage stage = Stage::kHello;
  FileDescriptor socket;
  Peer peer;
  std::string label;  // for the log
  core::Logon logon;
  core::SessionSlot slot = 0;
  Entry entry;
  core::Sequence lost_from = 0;      // as in Serving
  bool opened = false;               // the engine said so
  SessionMemory memory;              // until the session takes it
  std::unique_ptr<Session> session;  // from kOpening on

  bool logging_on() const { return stage == Stage::kHello || stage == Stage::kConfirm; }
};

}  // namespace shmatch::ipc
