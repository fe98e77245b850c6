// EngineChannel: commands from the control thread to the engine thread and notices back, both in
// order.
//
// Everything is sized at construction, so that the engine thread never allocates: it dequeues
// commands by the producer's token, and enqueues notices with try_enqueue; a notice that finds the
// queue full is kept and tried again. Commands are few (one a logon, one a logoff, one stop), and
// each causes at most three notices, so the room below is never used up.
//
// Thread: post(Command) and take(Notice) on the control thread; take(Command), post(Notice) and
// retry on the engine thread.
#pragma once

#include <concurrentqueue/concurrentqueue.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/types.h"
#include "ipc/session.h"

namespace shmatch::ipc {

struct Command {
  enum class Kind : std::uint8_t {
    kOpen,    // `session` is handed over until its kEnded notice; its entry says whether it is new
              // or goes on with the resumable session of its slot
    kClose,   // the client of session `number` in `slot` is gone; ignored when that session has
              // ended
    kForget,  // the resumable session in `slot` has no client and is not wanted any more
    kStop,
  };
  Kind kind = Kind::kStop;
  core::SessionSlot slot = 0;
  std::uint64_t number = 0;
  Session* session = nullptr;
};

struct Notice {
  enum class Kind : std::uint8_t {
    kOpened,    // `serial` is set
    kEnded,     // `reason` is set; the engine thread touches the session no more
    kSlotFree,  // the slot may be used again (its orders are cancelled)
    kDetached,  // the resumable session in `slot` waits for its client (its orders are cancelled)
    kFrozen,    // the journal has failed; `error` is set; nobody can log on any more
    kStopped,   // the last one
  };
  Kind kind = Kind::kStopped;
  EndReason reason = EndReason::kNone;
  core::SessionSlot slot = 0;
  int error = 0;
  core::SessionSerial serial = 0;
  std::uint64_t number = 0;
};

class EngineChannel {
 public:
  explicit EngineChannel(std::uint32_t sessions_max)
      : commands_(room(sessions_max), 1, 0),
        notices_(room(sessions_max), 1, 0),
        command_producer_(commands_),
        notice_producer_(notices_) {
    kept_.reserve(room(sessions_max));
  }

  void post(const Command& command) { commands_.enqueue(command_producer_, command); }
  bool take(Notice& notice) { return notices_.try_dequeue_from_producer(notice_producer_, notice); }

  bool take(Command& command) noexcept {
    return commands_.try_dequeue_from_producer(command_producer_, command);
  }
  void post(const Notice& notice) noexcept {
    if (kept_.empty() && notices_.try_enqueue(notice_producer_, notice)) return;
    kept_.push_back(notice);
  }
  void retry() noexcept {
    std::size_t sent = 0;
    while (sent < kept_.size() && notices_.try_enqueue(notice_producer_, kept_[sent])) ++sent;
    kept_.erase(kept_.begin(), kept_.begin() + static_cast<std::ptrdiff_t>(sent));
  }

 private:
  template <class Element>
  using Queue = moodycamel::ConcurrentQueue<Element>;

  static std::size_t room(std::uint32_t sessions_max) { return 4 * std::size_t{sessions_max} + 64; }

  Queue<Command> commands_;
  Queue<Notice> notices_;
  moodycamel::ProducerToken command_producer_;
  moodycamel::ProducerToken notice_producer_;
  std::vector<Notice> kept_;  // engine thread only
};

}  // namespace shmatch::ipc
