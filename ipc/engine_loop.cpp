#include "ipc/engine_loop.h"

#include <sched.h>
#include <time.h>

#include <algorithm>

#include "core/check.h"

namespace shmatch::ipc {
namespace {

// How long an idle loop goes on polling before it gives its core away, in passes.
constexpr std::uint64_t kPassesBeforeYield = 64;
constexpr std::uint64_t kPassesBeforeSleep = 256;
constexpr std::uint64_t kSleepStepNs = 10'000;
constexpr std::uint64_t kSleepMaxNs = 200'000;

// A page of a query is the work of many cancels: one a visit, then it is the others' turn.
bool ends_visit(const core::Request& request) noexcept {
  return request.is<core::OpenOrdersQuery>() || request.is<core::L2Query>();
}

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
      rooms_(by_slot_.size(), nullptr),
      polling_(by_slot_.size()),
      counters_(page, engine_, log_, by_slot_) {
  // Hints may look at words behind a message.
  for (core::Request& request : batch_) std::ranges::fill(request.words, 0);
  for (auto* list : {&doomed_, &ended_}) list->reserve(by_slot_.size());
  sweeping_slots_.reserve(by_slot_.size());
  orphans_.reserve(by_slot_.size());
  opened_.reserve(by_slot_.size());
  have_rooms(rooms_.data());
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
      time_is_new_ = false;
    } else {
      idle();
    }
    if (work_ >= kHousekeepingWork) housekeep();
  }
  stop();
}

std::uint64_t* EngineLoop::room_for(core::SessionSlot to) noexcept {
  Session* const session = by_slot_[to];
  std::uint64_t* const place = session == nullptr ? nullptr : session->ask_room();
  lender_ = place == nullptr ? nullptr : session;
  return place == nullptr ? room_ : place;
}

void EngineLoop::send(core::SessionSlot to, std::uint32_t slots) noexcept {
  ++counts_.reports;
  if (rooms_[to] == nullptr) [[unlikely]] {
    return send_from_elsewhere(to, slots);
  }
  by_slot_[to]->send_built(slots);
}

void EngineLoop::send_from_elsewhere(core::SessionSlot to, std::uint32_t slots) noexcept {
  if (lender_ != nullptr) return lender_->send_built(slots);
  Session* const session = by_slot_[to];
  if (session != nullptr && session->reply_in_place(room_, slots)) return;
  core::Report report;
  core::read_room(room_, slots, report);
  windows_.keep(to, report);
  // A resumable session goes on hearing while its client is away.
  if (session == nullptr) return;
  if (!session->deliver(report)) end_soon(*session);
  // What waits in its backlog has to be moved on.
  if (session->attention()) polling_.renew(*session);
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

// A request that ends an idle stretch has the time of the idle pass before it was seen, some 20 ns
// ago: reading the counter takes as long as finding the order does.
core::TimeNs EngineLoop::time_of_visit() noexcept {
  if (time_is_new_) {
    time_is_new_ = false;
    return clock_.last();
  }
  return clock_.now();
}

std::uint32_t EngineLoop::visit(Session& session) noexcept {
  const core::TimeNs time = time_of_visit();
  if (!session.flush(released_)) [[unlikely]] {
    end_soon(session);
  }
  std::uint32_t taken = 0;
  if (may_take()) [[likely]] {
    // A client with one request under way at a time does not pay for a look at what is behind it:
    // that is a cache line's way from its core.
    taken = session.last_batch() > 1 ? take_many(session, time) : take_each(session, time);
  }
  settle();
  if (taken != 0) log_.publish();
  counts_.requests += taken;
  session.set_last_batch(taken);
  return taken;
}

// Judges and applies a request that was taken. False when it was no request.
[[gnu::always_inline]] inline bool EngineLoop::apply(Session& session, core::Request& request,
                                                     core::TimeNs time) noexcept {
  const bool in_place = (request.words[0] & kReplyInPlaceBit) != 0;
  request.words[0] &= ~kReplyInPlaceBit;
  if (!core::well_formed(request)) [[unlikely]] {
    doom(session, EndReason::kBreach);
    return false;
  }
  // Who has more under way does not wait for this one, and would find its line taken away.
  if (in_place && !session.request_waits()) session.expect_reply_in_place();
  if (nothing_is_kept()) [[likely]] {
    engine_.request(session.slot(), session.last_request(), request, time);
  } else {
    apply_and_keep(session, request, time);
  }
  if (in_place) session.forget_reply_in_place();
  settle();
  return true;
}

std::uint32_t EngineLoop::take_each(Session& session, core::TimeNs time) noexcept {
  std::uint32_t taken = 0;
  while (taken < kBatch) {
    core::Request& request = batch_[0];
    if (const RingResult result = session.take(request); result != RingResult::kDone) {
      none_taken(session, result);
      break;
    }
    session.prefetch_next();
    if (!apply(session, request, time)) break;
    ++taken;
    if (ends_visit(request)) break;
  }
  return taken;
}

std::uint32_t EngineLoop::take_many(Session& session, core::TimeNs time) noexcept {
  std::uint32_t taken = 0;
  while (taken < kBatch) {
    RingResult result = RingResult::kDone;
    const std::uint32_t copied = copy_waiting(session.waiting(), kBatch - taken, result);
    for (std::uint32_t i = 0; i < copied; ++i) {
      result = session.admit();
      if (result != RingResult::kDone) break;
      session.take_copied(batch_[i]);
      if (!apply(session, batch_[i], time)) return taken;
      ++taken;
      if (ends_visit(batch_[i])) return taken;
    }
    if (result != RingResult::kDone) {
      none_taken(session, result);
      break;
    }
  }
  return taken;
}

// Copies at most `count` of the requests that wait, and has the orders fetched that they name, all
// at once, before the first one is taken. When there is none, `result` says why.
std::uint32_t EngineLoop::copy_waiting(const RingReader& waiting, std::uint32_t count,
                                       RingResult& result) noexcept {
  RingReader::Ahead ahead = waiting.ahead();
  const bool hints = hints_.worthwhile();
  std::uint32_t copied = 0;
  for (; copied < count; ++copied) {
    std::uint64_t* const words = batch_[copied].words;
    const RingResult copy = waiting.copy(ahead, words);
    if (copy != RingResult::kDone) {
      if (copied == 0) result = copy;
      break;
    }
    if (hints) hints_.far(words);
  }
  for (std::uint32_t i = 0; hints && i < copied; ++i) hints_.near(batch_[i].words);
  return copied;
}

void EngineLoop::none_taken(Session& session, RingResult why) noexcept {
  if (why == RingResult::kBreach) doom(session, EndReason::kBreach);
  if (why == RingResult::kEmpty && session.draining()) doom(session, EndReason::kClosed);
}

void EngineLoop::apply_and_keep(Session& session, const core::Request& request,
                                core::TimeNs time) noexcept {
  if (capture_ != nullptr) capture_->take(session.logon().user_id, request, time);
  if (frozen_) return refuse(session, request, time);
  engine_.request(session.slot(), session.last_request(), request, time);
  // Behind the reports, which would wait for the record's stores otherwise. Nothing is published
  // before the visit ends, and no gated report leaves before that.
  if (core::is_input(request)) {
    log_.request(session.slot(), session.last_request(), request, time);
  }
}

// False while the journal, or the disk behind it, is too far behind for `requests` more: they then
// wait in their rings.
bool EngineLoop::log_takes(std::uint32_t requests) noexcept {
  if (capture_ != nullptr && !capture_->room(requests)) return false;
  // Nothing is kept any more: what waits can be refused.
  if (frozen_) return true;
  if (log_.gated() && engine_.last_sequence() + requests > released_ + kUnreleasedMax) return false;
  // What opens and ends sessions in between finds room, too.
  return log_.room(requests + static_cast<std::uint32_t>(by_slot_.size()));
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
  core::deliver(*this, session.slot(), report);
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
    time_is_new_ = false;
    ::sched_yield();
    work_ = kHousekeepingWork;
  } else if (idle_mode_ == IdleMode::kSleep && empty_passes_ > kPassesBeforeSleep) {
    const std::uint64_t wanted = (empty_passes_ - kPassesBeforeSleep) * kSleepStepNs;
    const timespec pause{0, static_cast<long>(std::min(wanted, kSleepMaxNs))};
    time_is_new_ = false;
    ::nanosleep(&pause, nullptr);
    work_ = kHousekeepingWork;
  } else {
    // Also the pause between two looks at the rings that the clients need to write in peace.
    clock_.now();
    time_is_new_ = true;
  }
}

void EngineLoop::housekeep() noexcept {
  work_ = 0;
  time_is_new_ = false;
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
