#include "ipc/client_session.h"

#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "ipc/cpu.h"
#include "ipc/engine_socket.h"
#include "ipc/logon.h"

namespace shmatch::ipc {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kFirstPause{1};
constexpr std::chrono::milliseconds kLongestPause{50};

// Paces a blocking call: polls hotly for the common short wait, then lets others run.
class Waiter {
 public:
  explicit Waiter(Deadline deadline) : deadline_(deadline) {}

  // One step between two looks at the ring. True when the caller should look at the engine and at
  // `expired`; that is now and then, because both cost a system call or a clock.
  bool step() noexcept {
    ++steps_;
    if (steps_ < kSpins) {
      relax();
      return false;
    }
    ::sched_yield();
    const Clock::time_point now = Clock::now();
    expired_ = now >= deadline_;
    if (now < next_look_ && !expired_) return false;
    next_look_ = now + kLookEach;
    return true;
  }
  bool expired() const noexcept { return expired_; }

 private:
  static constexpr std::uint32_t kSpins = 4096;
  static constexpr std::chrono::milliseconds kLookEach{2};

  Deadline deadline_;
  Clock::time_point next_look_{};
  std::uint32_t steps_ = 0;
  bool expired_ = false;
};

Failure broken_ring() { return {ClientError::kInvalidReport, "a ring broke its protocol"}; }

bool worth_another_try(ClientError error, FarewellReason refusal, ClientSession::Retry retry) {
  if (retry == ClientSession::Retry::kNever) return false;
  const bool away = retry == ClientSession::Retry::kWhileAway;
  switch (error) {
    case ClientError::kRefused:
      // A client that died a moment ago is seen a moment later.
      return refusal == FarewellReason::kSessionInUse || refusal == FarewellReason::kNotResumable ||
             (away &&
              (refusal == FarewellReason::kStopping || refusal == FarewellReason::kTooManyLogons));
    case ClientError::kNoEngine:
    case ClientError::kEngineGone:
      return away;
    default:
      return false;
  }
}

}  // namespace

// ---- the logon

Failure ClientSession::open(const LogonOptions& options, Retry retry, Deadline deadline,
                            std::unique_ptr<ClientSession>& session) {
  LogonOptions attempt = options;
  Failure earlier;
  for (auto pause = kFirstPause;; pause = std::min(2 * pause, kLongestPause)) {
    attempt.timeout = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    FarewellReason refusal{};
    Failure failed = try_open(attempt, session, refusal);
    // Why it could not be before says more than that time ran out in the end.
    if (failed.error == ClientError::kTimeout && earlier) return earlier;
    if (!failed || !worth_another_try(failed.error, refusal, retry) ||
        Clock::now() + pause >= deadline) {
      return failed;
    }
    earlier = std::move(failed);
    std::this_thread::sleep_for(pause);
  }
}

Failure ClientSession::try_open(const LogonOptions& options,
                                std::unique_ptr<ClientSession>& session, FarewellReason& refusal) {
  const Deadline deadline = Clock::now() + options.timeout;
  SessionLink link;
  if (Failure failed = open_session(options, link)) {
    refusal = link.refusal;
    return failed;
  }
  auto opened = std::make_unique<ClientSession>(options, std::move(link));
  if (opened->link_.info.resumed) {
    if (Failure failed = opened->take_resumed(deadline)) return failed;
  }
  session = std::move(opened);
  return {};
}

ClientSession::ClientSession(const LogonOptions& options, SessionLink opened)
    : options_(options),
      link_(std::move(opened)),
      requests_(link_.request_slot(), link_.request_slots,
                &link_.reports_header()->requests_consumed),
      reports_(link_.report_slot(), link_.report_slots, &link_.requests_header()->reports_consumed),
      keeps_mark_(options.resumable || options.resume) {}

bool ClientSession::poll_queued(Report& report) noexcept {
  report = queued_.front();
  queued_.pop_front();
  return true;
}

// Of a session that goes on: its first report says from where.
Failure ClientSession::take_resumed(Deadline deadline) {
  Waiter waiter(deadline);
  Report report;
  RingResult result = RingResult::kEmpty;
  bool last_look = false;
  while ((result = reports_.read(report.words)) == RingResult::kEmpty) {
    if (last_look) return gone();
    if (!waiter.step()) continue;
    last_look = look_at_socket() != EngineState::kServing;
    if (waiter.expired() && !last_look) {
      return {ClientError::kTimeout, "the engine did not resume the session in time"};
    }
  }
  if (result != RingResult::kDone) return broken_ring();
  if (!report.is<core::Resumed>()) {
    return {ClientError::kInvalidReport, "the engine did not say how the session was resumed"};
  }
  const auto resumed = report.as<core::Resumed>();
  SessionInfo& info = link_.info;
  info.last_request = resumed.last_request;
  info.missed = resumed.missed;
  info.gap = resumed.header.a != 0;
  info.gap_end_sequence = resumed.gap_end_sequence;
  info.gap_end_ordinal = resumed.gap_end_ordinal;
  requests_ = RingWriter(link_.request_slot(), link_.request_slots,
                         &link_.reports_header()->requests_consumed, resumed.last_request);
  asked_ = 0;
  seen_ = {options_.seen_sequence, options_.seen_ordinal};
  if (const Mark kept{info.lost_from, 0}; info.lost_from != 0 && kept < seen_) seen_ = kept;
  return {};
}

ClientSession::~ClientSession() {
  if (::getpid() == owner_) {
    // A forked child holds the socket too; closing ours alone would leave the session standing.
    ::shutdown(link_.socket.get(), SHUT_RDWR);
    return;
  }
  // A child has no mapping there (MADV_DONTFORK) and may have put something else in its place.
  new Mapping(std::move(link_.requests));
  new Mapping(std::move(link_.reports));
}

EngineState ClientSession::state() const noexcept {
  // SYNC POINT status: pairs with Session::show_stopped; whoever sees the stop sees the last
  // reports.
  const std::uint64_t status = load_word(link_.reports_header()->status, std::memory_order_acquire);
  if (status == static_cast<std::uint64_t>(EngineStatus::kStopped)) {
    return EngineState::kStopped;
  }
  return closed_ ? EngineState::kGone : EngineState::kServing;
}

EngineState ClientSession::look_at_socket() noexcept {
  if (!closed_) closed_ = engine_closed(link_.socket.get(), end_reason_);
  return state();
}

Failure ClientSession::gone() const {
  if (!end_reason_.empty()) return {ClientError::kEngineGone, end_reason_};
  return {ClientError::kEngineGone,
          state() == EngineState::kStopped ? "the engine has stopped" : "the engine is gone"};
}

Failure ClientSession::await(RequestId request, Report& reply, Deadline deadline) {
  Waiter waiter(deadline);
  bool last_look = false;
  while (true) {
    Report report;
    switch (read(report)) {
      case RingResult::kDone:
        if (replied_request(report) == request) {
          reply = report;
          return {};
        }
        queued_.push_back(report);
        continue;
      case RingResult::kBreach:
        return broken_ring();
      default:
        break;
    }
    if (last_look) return gone();
    if (!waiter.step()) continue;
    // What the engine wrote before it went is read before it is missed.
    if (look_at_socket() != EngineState::kServing) {
      last_look = true;
    } else if (waiter.expired()) {
      return {ClientError::kTimeout, "no answer from the engine in time"};
    }
  }
}

Failure ClientSession::call(core::Request& request, RequestId& id, Report& reply,
                            Deadline deadline) {
  Waiter waiter(deadline);
  while ((id = submit(request)) == 0) {
    if (broken_) return broken_ring();
    if (closed_) return gone();
    // The engine takes no request while the reports have no room.
    Report report;
    if (read(report) == RingResult::kDone) {
      queued_.push_back(report);
      continue;
    }
    if (!waiter.step()) continue;
    if (look_at_socket() != EngineState::kServing) return gone();
    if (waiter.expired()) return {ClientError::kRingFull, "the engine takes no more requests now"};
  }
  return await(id, reply, deadline);
}

// ---- going on after an end

bool ClientSession::take_queued(RequestId request, Report& reply) {
  const auto found = std::find_if(queued_.begin(), queued_.end(), [request](const Report& report) {
    return replied_request(report) == request;
  });
  if (found == queued_.end()) return false;
  reply = *found;
  queued_.erase(found);
  return true;
}

void ClientSession::leave() {
  ::shutdown(link_.socket.get(), SHUT_RDWR);
  closed_ = true;
  Report report;
  while (read(report) == RingResult::kDone) queued_.push_back(report);
}

LogonOptions ClientSession::resumption() const {
  LogonOptions options = options_;
  options.resumable = true;
  options.resume = true;
  options.seen_sequence = seen_.sequence;
  options.seen_ordinal = seen_.ordinal;
  options.seen_run = link_.info.run;
  return options;
}

void ClientSession::take_over(ClientSession& earlier) {
  const SessionInfo& info = link_.info;
  std::erase_if(earlier.queued_, [&info](const Report& report) {
    return replied_request(report) > info.last_request ||
           (info.lost_from != 0 && mark_of(report).sequence >= info.lost_from);
  });
  queued_ = std::move(earlier.queued_);
}

}  // namespace shmatch::ipc
