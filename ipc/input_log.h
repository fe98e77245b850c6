// InputLog: what the engine thread knows of its journal. Every input passes here when it is
// applied: requests right behind their reports, which do not wait for it, all others right before.
// Nothing is published before the engine is done with it. Without a journal (durability none) all
// of it does nothing.
//
// Thread: the engine's.
#pragma once

#include <cstdint>

#include "core/input_record.h"
#include "ipc/journal_queue.h"
#include "ipc/journal_thread.h"
#include "ipc/server.h"

namespace shmatch::ipc {

class InputLog {
 public:
  // Without a journal.
  InputLog() = default;
  // Both must outlive this object.
  InputLog(JournalQueue& queue, const JournalThread& thread, Durability durability) noexcept
      : queue_(&queue), thread_(&thread), durability_(durability) {}

  bool kept() const noexcept { return queue_ != nullptr; }
  // Reports may only leave when what they depend on is durable.
  bool gated() const noexcept { return durability_ == Durability::kSync; }

  // Whether `inputs` more can be kept now; if not, come back later.
  bool room(std::uint32_t inputs) noexcept { return queue_ == nullptr || queue_->room(inputs); }

  // ---- the inputs, as core::MatchingEngine has them
  void logon(core::SessionSlot slot, const core::Logon& logon, core::TimeNs now) noexcept {
    put([&](std::uint64_t* to) { return core::encode_logon(to, slot, logon, now); });
  }
  void request(core::SessionSlot slot, core::Sequence number, const core::Request& request,
               core::TimeNs now) noexcept {
    put([&](std::uint64_t* to) { return core::encode_request(to, slot, number, request, now); });
  }
  void end_session(core::SessionSlot slot, core::TimeNs now) noexcept {
    put([&](std::uint64_t* to) { return core::encode_end_session(to, slot, now); });
  }
  void sweep(core::TimeNs now) noexcept {
    put([&](std::uint64_t* to) { return core::encode_sweep(to, now); });
  }
  void stop_accepting(core::Detail why, core::TimeNs now) noexcept {
    put([&](std::uint64_t* to) { return core::encode_stop_accepting(to, why, now); });
  }
  void restart(core::TimeNs now) noexcept {
    put([&](std::uint64_t* to) { return core::encode_restart(to, now); });
  }
  void resume(core::SessionSlot slot, const core::Logon& logon, core::TimeNs now) noexcept {
    put([&](std::uint64_t* to) { return core::encode_resume(to, slot, logon, now); });
  }
  void forget_session(core::SessionSlot slot, core::TimeNs now) noexcept {
    put([&](std::uint64_t* to) { return core::encode_forget_session(to, slot, now); });
  }

  // The inputs so far may be written.
  void publish() noexcept {
    if (queue_ != nullptr) queue_->publish();
  }
  void mark_digest(core::Sequence sequence, std::uint64_t digest) noexcept {
    queue_->mark_digest({sequence, digest});
  }

  // Reports of inputs up to this one may leave.
  core::Sequence released() const noexcept {
    return gated() ? thread_->durable() : ~core::Sequence{0};
  }
  // Newest input on the disk; 0 without a journal.
  core::Sequence durable() const noexcept { return thread_ == nullptr ? 0 : thread_->durable(); }
  // The journal's first error as JournalThread::error has it; 0 for none.
  int error() const noexcept { return thread_ == nullptr ? 0 : thread_->error(); }

 private:
  template <class Encode>
  void put(Encode encode) noexcept {
    if (queue_ != nullptr) queue_->put(encode(queue_->place()));
  }

  JournalQueue* queue_ = nullptr;
  const JournalThread* thread_ = nullptr;
  Durability durability_ = Durability::kNone;
};

}  // namespace shmatch::ipc
