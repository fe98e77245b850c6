#include "ipc/client.h"

#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <deque>
#include <utility>

#include "ipc/cpu.h"
#include "ipc/logon.h"
#include "ipc/ring.h"
#include "ipc/session_link.h"

namespace shmatch {
namespace {

using Clock = std::chrono::steady_clock;
using ipc::Deadline;
using ipc::RingResult;

// Every reply names its request in the word behind the header.
constexpr std::size_t kReplyWord = sizeof(core::ReportHeader) / sizeof(std::uint64_t);
static_assert(offsetof(core::Receipt, request_sequence) == kReplyWord * 8);
static_assert(offsetof(core::OrderAccepted, request_sequence) == kReplyWord * 8);
static_assert(offsetof(core::OrderStatusReply, request_sequence) == kReplyWord * 8);
static_assert(offsetof(core::OpenOrderRow, request_sequence) == kReplyWord * 8);
static_assert(offsetof(core::L2Rows, request_sequence) == kReplyWord * 8);
static_assert(offsetof(core::PageEnd, request_sequence) == kReplyWord * 8);
static_assert(offsetof(core::Pong, request_sequence) == kReplyWord * 8);

// "For ever" is a year: adding more to the clock would overflow.
Deadline deadline_after(std::chrono::milliseconds timeout) noexcept {
  constexpr std::chrono::milliseconds kYear = std::chrono::hours(24 * 365);
  return Clock::now() + std::min(timeout, kYear);
}

// Paces a blocking call: polls hotly for the common short wait, then lets others run.
class Waiter {
 public:
  explicit Waiter(Deadline deadline) : deadline_(deadline) {}

  // One step between two looks at the ring. True when the caller should look at the engine and at
  // `expired`; that is now and then, because both cost a system call or a clock.
  bool step() noexcept {
    ++steps_;
    if (steps_ < kSpins) {
      ipc::relax();
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

}  // namespace

struct Client::Session {
  explicit Session(ipc::SessionLink opened)
      : link(std::move(opened)),
        requests(link.request_slot(), link.request_slots,
                 &link.reports_header()->requests_consumed),
        reports(link.report_slot(), link.report_slots, &link.requests_header()->reports_consumed) {}
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  RequestId submit(const core::Request& request) noexcept;
  RingResult read(Report& report) noexcept;
  EngineState state() const noexcept;
  EngineState look_at_socket() noexcept;
  Failure gone() const;
  Failure await(RequestId request, Report& reply, Deadline deadline);
  Failure call(const core::Request& request, RequestId& id, Report& reply, Deadline deadline);
  template <class Row, class Query, class OnRow>
  Failure page(const Query& query, const OnRow& on_row, core::PageEnd& end, core::Receipt& refused,
               Deadline deadline);

  ipc::SessionLink link;
  ipc::RingWriter requests;
  ipc::RingReader reports;
  std::deque<Report> queued;  // met by blocking calls, not yet polled
  std::string end_reason;
  bool closed = false;  // the kernel said so
  bool broken = false;  // the engine's side of a ring made no sense
  pid_t owner = ::getpid();
};

Client::Session::~Session() {
  if (::getpid() == owner) {
    // A forked child holds the socket too; closing ours alone would leave the session standing.
    ::shutdown(link.socket.get(), SHUT_RDWR);
    return;
  }
  // A child has no mapping there (MADV_DONTFORK) and may have put something else in its place.
  new ipc::Mapping(std::move(link.requests));
  new ipc::Mapping(std::move(link.reports));
}

RequestId Client::Session::submit(const core::Request& request) noexcept {
  const std::uint32_t slots = request.slots();
  if (closed || broken || slots == 0 || slots > core::kSlotsPerMessageMax) return 0;
  const RingResult written = requests.write(request.words, slots);
  if (written == RingResult::kBreach) broken = true;
  return written == RingResult::kDone ? requests.last_sequence() : 0;
}

RingResult Client::Session::read(Report& report) noexcept {
  if (broken) return RingResult::kBreach;
  const RingResult result = reports.read(report.words);
  if (result == RingResult::kBreach) broken = true;
  return result;
}

EngineState Client::Session::state() const noexcept {
  // SYNC POINT status: pairs with ipc::Session::show_stopped; whoever sees the stop sees the last
  // reports.
  const std::uint64_t status =
      ipc::load_word(link.reports_header()->status, std::memory_order_acquire);
  if (status == static_cast<std::uint64_t>(ipc::EngineStatus::kStopped)) {
    return EngineState::kStopped;
  }
  return closed ? EngineState::kGone : EngineState::kServing;
}

EngineState Client::Session::look_at_socket() noexcept {
  if (!closed) {
    std::array<std::byte, ipc::kPacketBytesMax> buffer{};
    const ipc::Received received = ipc::receive_packet(link.socket.get(), buffer);
    if (received.outcome != ipc::Received::Outcome::kNothing) {
      closed = true;
      ipc::Farewell farewell;
      const std::size_t size = std::min(received.size, buffer.size());
      if (ipc::read_packet(std::span<const std::byte>(buffer).first(size), farewell)) {
        end_reason = ipc::get_text(farewell.sentence);
      }
    }
  }
  return state();
}

Failure Client::Session::gone() const {
  if (!end_reason.empty()) return {ClientError::kEngineGone, end_reason};
  return {ClientError::kEngineGone,
          state() == EngineState::kStopped ? "the engine has stopped" : "the engine is gone"};
}

Failure Client::Session::await(RequestId request, Report& reply, Deadline deadline) {
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
        queued.push_back(report);
        continue;
      case RingResult::kBreach:
        return {ClientError::kInvalidReport, "the report ring broke its protocol"};
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

Failure Client::Session::call(const core::Request& request, RequestId& id, Report& reply,
                              Deadline deadline) {
  Waiter waiter(deadline);
  while ((id = submit(request)) == 0) {
    if (broken) return {ClientError::kInvalidReport, "a ring broke its protocol"};
    if (closed) return gone();
    // The engine takes no request while the reports have no room.
    Report report;
    if (read(report) == RingResult::kDone) {
      queued.push_back(report);
      continue;
    }
    if (!waiter.step()) continue;
    if (look_at_socket() != EngineState::kServing) return gone();
    if (waiter.expired()) return {ClientError::kRingFull, "the engine takes no more requests now"};
  }
  return await(id, reply, deadline);
}

// Asks for one page: rows, then the end of the page. A refusal ends it with `refused.code` set.
template <class Row, class Query, class OnRow>
Failure Client::Session::page(const Query& query, const OnRow& on_row, core::PageEnd& end,
                              core::Receipt& refused, Deadline deadline) {
  core::Request request;
  request.assign(query);
  RequestId id = 0;
  Report reply;
  Failure failed = call(request, id, reply, deadline);
  while (!failed) {
    if (reply.is<core::PageEnd>()) {
      end = reply.as<core::PageEnd>();
      return {};
    }
    if (!reply.is<Row>()) {
      if (!reply.is<core::Receipt>()) {
        return {ClientError::kInvalidReport, "the engine answered another question"};
      }
      refused = reply.as<core::Receipt>();
      return {};
    }
    on_row(reply.as<Row>());
    failed = await(id, reply, deadline);
  }
  return failed;
}

// ---- the surface

Client::Client() = default;
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

Failure Client::logon(const LogonOptions& options) {
  logoff();
  ipc::SessionLink link;
  if (Failure failed = ipc::open_session(options, link)) return failed;
  session_ = std::make_unique<Session>(std::move(link));
  return {};
}

void Client::logoff() noexcept { session_.reset(); }

bool Client::logged_on() const noexcept { return session_ != nullptr; }

const SessionInfo& Client::session() const noexcept {
  static const SessionInfo kNone;
  return session_ ? session_->link.info : kNone;
}

const ReferenceData& Client::reference() const noexcept {
  static const ReferenceData kNone;
  return session_ ? session_->link.reference : kNone;
}

RequestId Client::cancel(const core::CancelOrder& request) noexcept { return submit(request); }

RequestId Client::send(const core::NewOrder& request) noexcept { return submit(request); }

RequestId Client::ping() noexcept { return submit(core::Ping{}); }

RequestId Client::submit_request(const core::Request& request) noexcept {
  return session_ ? session_->submit(request) : 0;
}

bool Client::poll(Report& report) noexcept {
  if (!session_) return false;
  if (!session_->queued.empty()) {
    report = session_->queued.front();
    session_->queued.pop_front();
    return true;
  }
  return session_->read(report) == RingResult::kDone;
}

std::uint64_t Client::heartbeat() const noexcept {
  if (!session_) return 0;
  // SYNC POINT heartbeat: pairs with ipc::Session::beat; nothing is read because of it.
  return ipc::load_word(session_->link.reports_header()->heartbeat, std::memory_order_relaxed);
}

EngineState Client::engine_state() const noexcept {
  return session_ ? session_->state() : EngineState::kGone;
}

EngineState Client::check_socket() noexcept {
  return session_ ? session_->look_at_socket() : EngineState::kGone;
}

const std::string& Client::end_reason() const noexcept {
  static const std::string kNone;
  return session_ ? session_->end_reason : kNone;
}

int Client::socket_handle() const noexcept { return session_ ? session_->link.socket.get() : -1; }

namespace {

Failure not_logged_on() { return {ClientError::kEngineGone, "not logged on"}; }

}  // namespace

Failure Client::wait(RequestId request, Report& reply, std::chrono::milliseconds timeout) {
  if (!session_) return not_logged_on();
  if (request == 0 || request > session_->requests.last_sequence()) {
    return {ClientError::kBadArgument, "that request was never sent"};
  }
  // Earlier blocking calls may have met the reply already.
  auto& queued = session_->queued;
  const auto found = std::find_if(queued.begin(), queued.end(), [request](const Report& report) {
    return replied_request(report) == request;
  });
  if (found != queued.end()) {
    reply = *found;
    queued.erase(found);
    return {};
  }
  return session_->await(request, reply, deadline_after(timeout));
}

Failure Client::call_request(const core::Request& request, Report& reply,
                             std::chrono::milliseconds timeout) {
  if (!session_) return not_logged_on();
  RequestId id = 0;
  return session_->call(request, id, reply, deadline_after(timeout));
}

Failure Client::open_orders(core::OmsId oms_id, core::AccountId account_id,
                            std::vector<core::OpenOrderRow>& rows, core::Receipt& refused,
                            std::chrono::milliseconds timeout) {
  rows.clear();
  refused = {};
  if (!session_) return not_logged_on();
  const Deadline deadline = deadline_after(timeout);
  core::OpenOrdersQuery query;
  query.oms_id = oms_id;
  query.account_id = account_id;
  core::PageEnd end;
  do {
    Failure failed = session_->page<core::OpenOrderRow>(
        query, [&rows](const core::OpenOrderRow& row) { rows.push_back(row); }, end, refused,
        deadline);
    if (failed || refused.code != core::ErrorCode::kOk) {
      rows.clear();
      return failed;
    }
    query.continuation = end.continuation;
  } while (end.header.a != 0);
  std::sort(rows.begin(), rows.end(), [](const core::OpenOrderRow& a, const core::OpenOrderRow& b) {
    return a.order_id < b.order_id;
  });
  return {};
}

Failure Client::l2_snapshot(core::OmsId oms_id, core::InstrumentId instrument_id,
                            std::int64_t depth, L2Snapshot& snapshot, core::Receipt& refused,
                            std::chrono::milliseconds timeout) {
  snapshot = {};
  refused = {};
  if (!session_) return not_logged_on();
  const Deadline deadline = deadline_after(timeout);
  const auto on_rows = [&snapshot](const core::L2Rows& rows) {
    snapshot.last_trade_price = rows.last_trade_price;
    auto& side = rows.header.b == static_cast<std::uint8_t>(core::Side::kBuy) ? snapshot.bids
                                                                              : snapshot.asks;
    const std::size_t count = std::min<std::size_t>(rows.header.a, core::kL2RowsPerMessage);
    side.insert(side.end(), rows.rows, rows.rows + count);
  };
  core::L2Query query;
  query.oms_id = oms_id;
  query.instrument_id = instrument_id;
  query.depth = depth;
  core::PageEnd end;
  bool first = true;
  while (true) {
    Failure failed = session_->page<core::L2Rows>(query, on_rows, end, refused, deadline);
    if (failed || refused.code != core::ErrorCode::kOk) {
      snapshot = {};
      return failed;
    }
    if (first) snapshot.md_update_id = end.md_update_id;
    first = false;
    if (end.md_update_id != snapshot.md_update_id) {
      // The book changed between two pages: from the start, as long as the deadline allows.
      snapshot = {};
      query.continuation = 0;
      query.continuation_price = 0;
      first = true;
      if (Clock::now() >= deadline) {
        return {ClientError::kTimeout, "the book changed faster than it could be read"};
      }
      continue;
    }
    if (end.header.a == 0) return {};
    query.continuation = end.continuation;
    query.continuation_price = end.continuation_price;
  }
}

RequestId replied_request(const Report& report) noexcept {
  switch (static_cast<core::ReportType>(report.type())) {
    case core::ReportType::kReceipt:
    case core::ReportType::kOrderAccepted:
    case core::ReportType::kOrderStatus:
    case core::ReportType::kOpenOrder:
    case core::ReportType::kL2Rows:
    case core::ReportType::kPageEnd:
    case core::ReportType::kPong:
      return report.words[kReplyWord];
    default:
      return 0;
  }
}

}  // namespace shmatch
