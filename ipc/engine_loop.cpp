#include "ipc/engine_loop.h"

#include <sched.h>
#include <time.h>

#include <algorithm>

#include "core/check.h"
#include "ipc/cpu.h"

namespace shmatch::ipc {
namespace {

// How long an idle loop goes on polling before it gives its core away, in passes.
constexpr std::uint64_t kPassesBeforeYield = 64;
constexpr std::uint64_t kPassesBeforeSleep = 256;
constexpr std::uint64_t kSleepStepNs = 10'000;
constexpr std::uint64_t kSleepMaxNs = 200'000;

}  // namespace

EngineLoop::EngineLoop(const core::Configuration& configuration, std::span<std::byte> memory,
                       std::uint64_t hash_salt, IdleMode idle, EngineChannel& channel)
    : engine_(configuration, memory, hash_salt, *this),
      idle_mode_(idle),
      channel_(channel),
      by_slot_(configuration.capacities.sessions, nullptr) {
  active_.reserve(by_slot_.size());
  doomed_.reserve(by_slot_.size());
  ended_.reserve(by_slot_.size());
  sweeping_slots_.reserve(by_slot_.size());
}

void EngineLoop::run() noexcept {
  while (!stopping_) {
    const std::uint32_t done = pass();
    ++passes_;
    work_ += done + 1;
    if (done != 0) {
      empty_passes_ = 0;
    } else {
      idle();
    }
    if (work_ >= kHousekeepingWork) housekeep();
  }
  stop();
}

void EngineLoop::deliver(core::SessionSlot to, const core::Report& report) noexcept {
  Session* const session = by_slot_[to];
  SHMATCH_CHECK(session != nullptr);
  ++reports_;
  if (!session->deliver(report)) [[unlikely]] {
    end_soon(*session);
  }
}

std::uint32_t EngineLoop::pass() noexcept {
  std::uint32_t done = 0;
  // A visit may end sessions, which closes gaps in `active_`: one that moves into a place already
  // passed waits for the next pass.
  for (std::size_t i = 0; i < active_.size(); ++i) {
    if (active_[i]->wants_visit()) done += visit(*active_[i]);
  }
  if (sweeping_) [[unlikely]] {
    sweeping_ = engine_.sweep(clock_.now());
    settle();
    ++done;
  }
  if (!ended_.empty()) [[unlikely]] {
    release_ended();
  }
  return done;
}

std::uint32_t EngineLoop::visit(Session& session) noexcept {
  // Before the request is read: the processor works on both at once.
  const core::TimeNs time = clock_.now();
  if (!session.flush()) [[unlikely]] {
    end_soon(session);
  }
  std::uint32_t taken = 0;
  core::Request request;
  while (taken < kBatch) {
    const RingResult result = session.take(request);
    if (result == RingResult::kEmpty) {
      if (session.draining()) doom(session, EndReason::kClosed);
      break;
    }
    if (result == RingResult::kFull) break;
    if (result == RingResult::kBreach || !core::well_formed(request)) [[unlikely]] {
      doom(session, EndReason::kBreach);
      break;
    }
    session.prefetch_next();
    ++taken;
    engine_.request(session.slot(), session.last_request(), request, time);
    settle();
    // A page of a query is the work of many cancels: one a visit, then it is the others' turn.
    if (request.is<core::OpenOrdersQuery>() || request.is<core::L2Query>()) break;
  }
  settle();
  requests_ += taken;
  return taken;
}

void EngineLoop::idle() noexcept {
  ++empty_passes_;
  if (idle_mode_ == IdleMode::kYield && empty_passes_ > kPassesBeforeYield) {
    ::sched_yield();
    work_ = kHousekeepingWork;
  } else if (idle_mode_ == IdleMode::kSleep && empty_passes_ > kPassesBeforeSleep) {
    const std::uint64_t wanted = (empty_passes_ - kPassesBeforeSleep) * kSleepStepNs;
    const timespec pause{0, static_cast<long>(std::min(wanted, kSleepMaxNs))};
    ::nanosleep(&pause, nullptr);
    work_ = kHousekeepingWork;
  } else {
    relax();
  }
}

void EngineLoop::doom(Session& session, EndReason reason) noexcept {
  if (session.doom(reason)) end_soon(session);
}

void EngineLoop::end_soon(Session& session) noexcept { doomed_.push_back(&session); }

// Ends what the last input doomed. Ending one session may doom another one, which then follows.
void EngineLoop::settle() noexcept {
  if (doomed_.empty()) [[likely]] {
    return;
  }
  for (std::size_t i = 0; i < doomed_.size(); ++i) end(*doomed_[i]);
  doomed_.clear();
}

void EngineLoop::end(Session& session) noexcept {
  engine_.end_session(session.slot(), clock_.now());
  by_slot_[session.slot()] = nullptr;
  std::erase(active_, &session);
  ended_.push_back(&session);
  sweeping_slots_.push_back(session.slot());
  sweeping_ = true;
}

void EngineLoop::release_ended() noexcept {
  for (const Session* session : ended_) {
    channel_.post(Notice{.kind = Notice::Kind::kEnded,
                         .reason = session->doomed(),
                         .slot = session->slot(),
                         .number = session->number()});
  }
  ended_.clear();
  work_ = kHousekeepingWork;
}

void EngineLoop::housekeep() noexcept {
  work_ = 0;
  for (Session* session : active_) session->beat(passes_);
  clock_.synchronize();
  channel_.retry();
  report_free_slots();
  publish_counters();
  take_commands();
}

void EngineLoop::take_commands() noexcept {
  for (Command command; !stopping_ && channel_.take(command);) {
    switch (command.kind) {
      case Command::Kind::kOpen:
        open(*command.session);
        break;
      case Command::Kind::kClose: {
        Session* const session = by_slot_[command.slot];
        if (session != nullptr && session->number() == command.number) session->start_draining();
        break;
      }
      case Command::Kind::kStop:
        stopping_ = true;
        break;
    }
  }
}

void EngineLoop::open(Session& session) noexcept {
  SHMATCH_CHECK(by_slot_[session.slot()] == nullptr && engine_.slot_free(session.slot()));
  const core::SessionSerial serial = engine_.logon(session.slot(), session.logon(), clock_.now());
  by_slot_[session.slot()] = &session;
  active_.push_back(&session);
  channel_.post(Notice{.kind = Notice::Kind::kOpened,
                       .slot = session.slot(),
                       .serial = serial,
                       .number = session.number()});
}

void EngineLoop::report_free_slots() noexcept {
  std::erase_if(sweeping_slots_, [this](core::SessionSlot slot) {
    if (!engine_.slot_free(slot)) return false;
    channel_.post(Notice{.kind = Notice::Kind::kSlotFree, .slot = slot});
    return true;
  });
}

void EngineLoop::publish_counters() noexcept {
  shown_requests_.store(requests_, std::memory_order_relaxed);
  shown_reports_.store(reports_, std::memory_order_relaxed);
  shown_sequence_.store(engine_.last_sequence(), std::memory_order_relaxed);
  shown_working_orders_.store(engine_.working_orders(), std::memory_order_relaxed);
}

EngineCounters EngineLoop::counters() const noexcept {
  return {.requests = shown_requests_.load(std::memory_order_relaxed),
          .reports = shown_reports_.load(std::memory_order_relaxed),
          .sequence = shown_sequence_.load(std::memory_order_relaxed),
          .working_orders = shown_working_orders_.load(std::memory_order_relaxed)};
}

void EngineLoop::stop() noexcept {
  engine_.stop_accepting(core::Detail::kStopping, clock_.now());
  for (Session* const& session : by_slot_) {
    // A client can go on sending; what it sent before the stop is at most one ring full.
    std::uint64_t left = session == nullptr ? 0 : session->request_slots();
    while (session != nullptr && left > 0) {
      const std::uint32_t taken = visit(*session);
      if (taken == 0) break;
      left -= std::min<std::uint64_t>(left, taken);
    }
  }
  for (Session* session : active_) {
    // A client that reads late finds the rest of its reports missing, but never finds them out of
    // order.
    static_cast<void>(session->flush());
    session->show_stopped();
  }
  for (Session* session : ended_) session->show_stopped();
  release_ended();
  publish_counters();
  channel_.retry();
  channel_.post(Notice{.kind = Notice::Kind::kStopped});
}

}  // namespace shmatch::ipc
