// Capture: tells another thread every request that clients send, in the engine's order, so that it
// can be logged in a form that runs again.
//
// Thread: take on the engine's; start, stop and the destructor on one thread; the callback runs on
// the capture's own thread.
#pragma once

#include <atomic>
#include <functional>
#include <thread>

#include "core/message.h"
#include "ipc/journal_queue.h"

namespace shmatch::ipc {

struct CapturedRequest {
  core::TimeNs time = 0;
  core::UserId user_id = 0;
  core::Request request;
};

class Capture {
 public:
  // Called for each request; with null when everything so far has been told, now and then.
  using Tell = std::function<void(const CapturedRequest*)>;

  explicit Capture(Tell tell);
  ~Capture() { stop(); }
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  void start();
  // Tells what was taken before, then ends the thread.
  void stop();

  // Whether `requests` more can be taken; if not, come back later.
  bool room(std::uint32_t requests) noexcept { return queue_.room(requests); }
  void take(core::UserId user, const core::Request& request, core::TimeNs time) noexcept;

 private:
  void run();
  bool tell_waiting();

  Tell tell_;
  JournalQueue queue_;
  std::thread thread_;
  std::atomic<bool> stopping_{false};
};

}  // namespace shmatch::ipc
