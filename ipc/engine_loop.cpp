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

EngineLoop::EngineLoop(Replica& state, InputLog& log, IdleMode idle,
                       std::chrono::nanoseconds resume_grace, std::uint64_t digest_every,
                       EngineChannel& channel, CountersPage& page, Capture* capture)
    : engine_(state.engine()),
      hints_(state.engine()),
      windows_(state.windows()),
      log_(log),
      idle_mode_(idle),
      resume_grace_(resume_grace),
      digest_every_(digest_every),
      channel_(channel),
      capture_(capture),
      by_slot_(engine_.session_capacity(), nullptr),
      polling_(by_slot_.size()),
      counters_(page, engine_, log_, by_slot_) {
  for (auto* list : {&doomed_, &ended_}) list->reserve(by_slot_.size());
  sweeping_slots_.reserve(by_slot_.size());
  orphans_.reserve(by_slot_.size());
  opened_.reserve(by_slot_.size());
  engine_.set_port(*this);
  clock_.not_before(state.last_time());
  marked_ = engine_.last_sequence();
}

void EngineLoop::restart() noexcept {
  const core::TimeNs now = clock_.now();
  log_.restart(now);
  engine_.restart(now);
  grace_end_ = now + resume_grace_.count();
  for (core::SessionSlot slot = 0; slot < by_slot_.size(); ++slot) {
    const core::SessionState state = engine_.session(slot).state;
    if (state == core::SessionState::kOrphaned) orphans_.push_back(slot);
    if (state == core::SessionState::kSweeping) sweeping_slots_.push_back(slot);
  }
  sweeping_ = engine_.sweeping();
  log_.publish();
}

void EngineLoop::run() noexcept {
  while (!stopping_) {
    const std::uint32_t done = pass();
    ++counts_.passes;
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
  ++counts_.reports;
  windows_.keep(to, report);
  Session* const session = by_slot_[to];
  // A resumable session goes on hearing while its client is away.
  if (session == nullptr) [[unlikely]] {
    return;
  }
  if (!session->deliver(report)) [[unlikely]] {
    end_soon(*session);
  }
  // What waits in its backlog has to be moved on.
  if (session->attention()) [[unlikely]] {
    polling_.renew(*session);
  }
}

std::uint32_t EngineLoop::pass() noexcept {
  std::uint32_t done = 0;
  released_ = log_.released();
  if (const int error = log_.error(); error != 0 && !frozen_) [[unlikely]] {
    freeze(error);
  }
  done += polling_.pass([this](Session& session) noexcept { return visit(session); });
  if (sweeping_) [[unlikely]] {
    sweep();
    ++done;
  }
  if (!ended_.empty()) [[unlikely]] {
    release_ended();
  }
  if (!opened_.empty()) [[unlikely]] {
    tell_opened();
  }
  return done;
}

std::uint32_t EngineLoop::visit(Session& session) noexcept {
  // Before the request is read: the processor works on both at once.
  const core::TimeNs time = clock_.now();
  if (!session.flush(released_)) [[unlikely]] {
    end_soon(session);
  }
  std::uint32_t taken = 0;
  core::Request request;
  if (session.last_batch() > 1) [[unlikely]] {
    look_ahead(session);
  }
  while (taken < kBatch && may_take()) {
    const RingResult result = session.take(request);
    if (result == RingResult::kEmpty) {
      if (session.draining()) doom(session, EndReason::kClosed);
      break;
    }
    if (result == RingResult::kFull) break;
    const bool in_place = (request.words[0] & kReplyInPlaceBit) != 0;
    request.words[0] &= ~kReplyInPlaceBit;
    if (result == RingResult::kBreach || !core::well_formed(request)) [[unlikely]] {
      doom(session, EndReason::kBreach);
      break;
    }
    session.prefetch_next();
    ++taken;
    // Who has more under way does not wait for this one, and would find its line taken away.
    if (in_place && !session.request_waits()) session.expect_reply_in_place();
    if (capture_ != nullptr) [[unlikely]] {
      capture_->take(session.logon().user_id, request, time);
    }
    if (frozen_) [[unlikely]] {
      refuse(session, request, time);
      session.forget_reply_in_place();
      continue;
    }
    engine_.request(session.slot(), session.last_request(), request, time);
    // Behind the reports, which would wait for the record's stores otherwise. Nothing is published
    // before the visit ends, and no gated report leaves before that.
    if (core::is_input(request)) {
      log_.request(session.slot(), session.last_request(), request, time);
    }
    session.forget_reply_in_place();
    settle();
    // A page of a query is the work of many cancels: one a visit, then it is the others' turn.
    if (request.is<core::OpenOrdersQuery>() || request.is<core::L2Query>()) break;
  }
  settle();
  if (taken != 0) log_.publish();
  counts_.requests += taken;
  session.set_last_batch(taken);
  return taken;
}

// Has the orders fetched that waiting requests name, all at once, before the first one is taken. A
// client with one request under way at a time does not pay for it: asking whether a second one
// waits is a cache line's way from its core.
void EngineLoop::look_ahead(const Session& session) noexcept {
  std::uint64_t messages[kBatch][core::LookAhead::kMessageWords];
  std::uint32_t count = 0;
  for (std::uint32_t offset = 0; count < kBatch; ++count) {
    std::uint64_t* const words = messages[count];
    if (!session.peek(offset, words, core::LookAhead::kMessageWords)) break;
    hints_.far(words);
    // Nothing believes this number: a wrong one leads to wrong hints.
    offset += static_cast<std::uint32_t>((words[0] >> 8) & 0xFF);
  }
  for (std::uint32_t i = 0; i < count; ++i) hints_.near(messages[i]);
}

// False while the journal, or the disk behind it, is far behind: requests then wait in their rings.
bool EngineLoop::may_take() noexcept {
  if (capture_ != nullptr && !capture_->room()) return false;
  // Nothing is kept any more: what waits can be refused.
  if (frozen_) return true;
  if (log_.gated() && engine_.last_sequence() > released_ + kUnreleasedMax) return false;
  // What opens and ends sessions in between finds room, too.
  return log_.room(1 + static_cast<std::uint32_t>(by_slot_.size()));
}

// The journal has failed. With durability async the state is what clients were told, and questions
// about it are answered; with sync it may hold more than the disk does. A ping asks for nothing.
void EngineLoop::refuse(Session& session, const core::Request& request, core::TimeNs now) noexcept {
  if (!log_.gated() && !core::is_input(request)) {
    engine_.request(session.slot(), session.last_request(), request, now);
    return;
  }
  core::Report report;
  if (request.is<core::Ping>()) {
    core::Pong pong;
    pong.header.engine_sequence = log_.durable();
    pong.request_sequence = session.last_request();
    report.assign(pong);
  } else {
    report.assign(journal_failed_receipt(session.last_request(),
                                         static_cast<core::RequestType>(request.type()),
                                         log_.durable(), log_.error(), now));
  }
  deliver(session.slot(), report);
}

void EngineLoop::freeze(int error) noexcept {
  frozen_ = true;
  sweeping_ = false;
  const core::TimeNs now = clock_.now();
  for (std::size_t i = 0; i < polling_.size(); ++i) {
    polling_[i].refuse_unreleased(released_, error, now);
  }
  // Nobody was told that these exist.
  for (const Opened& opened : opened_) doom(*by_slot_[opened.notice.slot], EndReason::kFrozen);
  settle();
  channel_.post(Notice{.kind = Notice::Kind::kFrozen, .error = error});
}

void EngineLoop::sweep() noexcept {
  if (frozen_ || !log_.room(1 + static_cast<std::uint32_t>(by_slot_.size()))) return;
  const core::TimeNs now = clock_.now();
  if (engine_.sweeping()) {
    log_.sweep(now);
    engine_.sweep(now);
    log_.publish();
  }
  sweeping_ = engine_.sweeping();
  settle();
}

void EngineLoop::idle() noexcept {
  ++empty_passes_;
  ++counts_.idle_passes;
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
  if (!frozen_) {
    const core::TimeNs now = clock_.now();
    log_.end_session(session.slot(), now);
    engine_.end_session(session.slot(), now);
    sweeping_slots_.push_back(session.slot());
    sweeping_ = true;
  }
  by_slot_[session.slot()] = nullptr;
  polling_.remove(session);
  std::erase_if(opened_,
                [&](const Opened& opened) { return opened.notice.number == session.number(); });
  ended_.push_back(&session);
}

void EngineLoop::release_ended() noexcept {
  for (const Session* session : ended_) {
    channel_.post(Notice{.kind = Notice::Kind::kEnded,
                         .reason = session->doomed(),
                         .slot = session->slot(),
                         .number = session->number()});
  }
  ended_.clear();
  log_.publish();
  work_ = kHousekeepingWork;
}

void EngineLoop::tell_opened() noexcept {
  // In the order of their inputs.
  auto opened = opened_.begin();
  for (; opened != opened_.end() && opened->sequence <= released_; ++opened) {
    channel_.post(opened->notice);
  }
  opened_.erase(opened_.begin(), opened);
}

void EngineLoop::housekeep() noexcept {
  work_ = 0;
  for (std::size_t i = 0; i < polling_.size(); ++i) polling_[i].beat(counts_.passes);
  polling_.tidy();
  clock_.synchronize();
  channel_.retry();
  if (!orphans_.empty() && !frozen_ && clock_.now() >= grace_end_) end_orphans();
  if (engine_.last_sequence() >= marked_ + digest_every_) mark_digest();
  report_free_slots();
  const core::TimeNs now = clock_.now();
  counters_.look(counts_, now, clock_.take_largest_gap());
  take_commands();
}

void EngineLoop::mark_digest() noexcept {
  marked_ = engine_.last_sequence();
  if (log_.kept() && !frozen_) log_.mark_digest(marked_, engine_.digest());
}

void EngineLoop::take_commands() noexcept {
  const auto inputs = static_cast<std::uint32_t>(by_slot_.size());
  for (Command command; !stopping_ && (frozen_ || log_.room(inputs)) && channel_.take(command);) {
    switch (command.kind) {
      case Command::Kind::kOpen:
        open(*command.session);
        break;
      case Command::Kind::kClose: {
        Session* const session = by_slot_[command.slot];
        if (session != nullptr && session->number() == command.number) {
          session->start_draining();
          polling_.renew(*session);
        }
        break;
      }
      case Command::Kind::kForget:
        forget(command.slot);
        break;
      case Command::Kind::kStop:
        stopping_ = true;
        break;
    }
  }
  log_.publish();
}

void EngineLoop::open(Session& session) noexcept {
  const bool resume = session.entry().resume;
  const EndReason refusal = frozen_                                ? EndReason::kFrozen
                            : resume && !resumable(session.slot()) ? EndReason::kNotResumable
                                                                   : EndReason::kNone;
  if (refusal != EndReason::kNone) {
    session.doom(refusal);
    ended_.push_back(&session);
    return;
  }
  by_slot_[session.slot()] = &session;
  polling_.add(session);
  const core::SessionSerial serial = resume ? resume_session(session) : log_on(session);
  // What it missed was more than it had room for, or its client lies about its progress.
  if (by_slot_[session.slot()] != &session) return;
  polling_.renew(session);  // its requests may have another first number
  opened_.push_back({engine_.last_sequence(), Notice{.kind = Notice::Kind::kOpened,
                                                     .slot = session.slot(),
                                                     .serial = serial,
                                                     .number = session.number()}});
}

bool EngineLoop::resumable(core::SessionSlot slot) const noexcept {
  const core::SessionView view = engine_.session(slot);
  return view.logon.resumable && by_slot_[slot] == nullptr &&
         (view.state == core::SessionState::kDetached ||
          view.state == core::SessionState::kOrphaned);
}

core::SessionSerial EngineLoop::log_on(Session& session) noexcept {
  SHMATCH_CHECK(engine_.slot_free(session.slot()));
  const core::TimeNs now = clock_.now();
  log_.logon(session.slot(), session.logon(), now);
  windows_.begin(session.slot(), session.logon().resumable);
  return engine_.logon(session.slot(), session.logon(), now);
}

core::SessionSerial EngineLoop::resume_session(Session& session) noexcept {
  const core::SessionSlot slot = session.slot();
  const core::TimeNs now = clock_.now();
  log_.resume(slot, session.logon(), now);
  engine_.resume(slot, session.logon(), now);
  std::erase(orphans_, slot);
  const core::SessionView view = engine_.session(slot);
  session.number_requests_from(view.last_request + 1);

  const Mark& seen = session.entry().seen;
  core::Resumed resumed;
  resumed.header.engine_sequence = engine_.last_sequence();
  resumed.last_request = view.last_request;
  windows_.for_each_from(slot, seen, [&](const core::Report&) { ++resumed.missed; });
  if (!windows_.covers(slot, seen)) {
    resumed.header.a = 1;
    const Mark kept_from = windows_.kept_from(slot);
    resumed.gap_end_sequence = kept_from.sequence;
    resumed.gap_end_ordinal = kept_from.ordinal;
  }
  core::Report report;
  report.assign(resumed);
  bool fits = session.deliver(report);
  windows_.for_each_from(slot, seen, [&](const core::Report& missed) {
    if (fits) fits = session.deliver(missed);
  });
  if (!fits) end_soon(session);
  settle();
  return view.serial;
}

void EngineLoop::forget(core::SessionSlot slot) noexcept {
  if (frozen_ || by_slot_[slot] != nullptr ||
      engine_.session(slot).state != core::SessionState::kDetached) {
    return;
  }
  const core::TimeNs now = clock_.now();
  log_.forget_session(slot, now);
  engine_.forget_session(slot, now);
  channel_.post(Notice{.kind = Notice::Kind::kSlotFree, .slot = slot});
}

// Nobody came back for them in time: they end as if their clients had gone just now.
void EngineLoop::end_orphans() noexcept {
  for (std::uint32_t i = 0; i < kOrphansAtOnce && !orphans_.empty() && log_.room(1); ++i) {
    const core::SessionSlot slot = orphans_.back();
    orphans_.pop_back();
    const core::TimeNs now = clock_.now();
    log_.end_session(slot, now);
    engine_.end_session(slot, now);
    sweeping_slots_.push_back(slot);
  }
  sweeping_ = true;
  log_.publish();
}

void EngineLoop::report_free_slots() noexcept {
  std::erase_if(sweeping_slots_, [this](core::SessionSlot slot) {
    const core::SessionState state = engine_.session(slot).state;
    if (state == core::SessionState::kSweeping) return false;
    const bool free = state == core::SessionState::kFree;
    channel_.post(
        Notice{.kind = free ? Notice::Kind::kSlotFree : Notice::Kind::kDetached, .slot = slot});
    return true;
  });
}

void EngineLoop::stop() noexcept {
  if (!frozen_) {
    const core::TimeNs now = clock_.now();
    log_.stop_accepting(core::Detail::kStopping, now);
    engine_.stop_accepting(core::Detail::kStopping, now);
    // Whoever waits for the disk below waits for this, too.
    log_.publish();
  }
  for (Session* const& session : by_slot_) {
    // A client can go on sending; what it sent before the stop is at most one ring full.
    std::uint64_t left = session == nullptr ? 0 : session->request_slots();
    while (session != nullptr && left > 0) {
      const bool waits = waits_for_disk();
      if (session == nullptr) break;
      const std::uint32_t taken = visit(*session);
      if (taken == 0 && !waits) break;
      left -= std::min<std::uint64_t>(left, taken);
    }
  }
  mark_digest();
  log_.publish();
  while (waits_for_disk()) {
  }
  for (std::size_t i = 0; i < polling_.size(); ++i) {
    Session& session = polling_[i];
    // A client that reads late finds the rest of its reports missing, but never finds them out of
    // order.
    static_cast<void>(session.flush(released_));
    session.show_stopped();
  }
  for (Session* session : ended_) session->show_stopped();
  release_ended();
  tell_opened();
  counters_.finish(counts_, clock_.now());
  channel_.retry();
  channel_.post(Notice{.kind = Notice::Kind::kStopped});
}

// Whether requests or reports wait for the disk. It takes what they wait for, or the journal fails:
// one of the two comes. May end sessions.
bool EngineLoop::waits_for_disk() noexcept {
  released_ = log_.released();
  if (const int error = log_.error(); error != 0 && !frozen_) freeze(error);
  const bool waits =
      !frozen_ && (!may_take() || (log_.gated() && released_ < engine_.last_sequence()));
  if (waits) ::sched_yield();
  return waits;
}

}  // namespace shmatch::ipc
