#include "ipc/client.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "ipc/client_session.h"

namespace shmatch {
namespace {

using Clock = std::chrono::steady_clock;
using ipc::Deadline;

// "For ever" is a year: adding more to the clock would overflow.
Deadline deadline_after(std::chrono::milliseconds timeout) noexcept {
  constexpr std::chrono::milliseconds kYear = std::chrono::hours(24 * 365);
  return Clock::now() + std::min(timeout, kYear);
}

Failure not_logged_on() { return {ClientError::kEngineGone, "not logged on"}; }

}  // namespace

Client::Client() = default;
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

Failure Client::logon(const LogonOptions& options) {
  logoff();
  const auto retry =
      options.resume || options.resumable ? Session::Retry::kWhileInUse : Session::Retry::kNever;
  return Session::open(options, retry, deadline_after(options.timeout), session_);
}

Failure Client::resume(std::chrono::milliseconds timeout) {
  if (!session_) return not_logged_on();
  if (!session_->options().resumable && !session_->options().resume) {
    return {ClientError::kBadArgument, "this session was not logged on as one to be resumed"};
  }
  session_->leave();
  std::unique_ptr<Session> next;
  if (Failure failed = Session::open(session_->resumption(), Session::Retry::kWhileAway,
                                     deadline_after(timeout), next)) {
    return failed;
  }
  next->take_over(*session_);
  session_ = std::move(next);
  return {};
}

void Client::logoff() noexcept { session_.reset(); }

bool Client::logged_on() const noexcept { return session_ != nullptr; }

const SessionInfo& Client::session() const noexcept {
  static const SessionInfo kNone;
  return session_ ? session_->link().info : kNone;
}

const ReferenceData& Client::reference() const noexcept {
  static const ReferenceData kNone;
  return session_ ? session_->link().reference : kNone;
}

RequestId Client::cancel(const core::CancelOrder& request) noexcept {
  return session_ ? session_->submit(request) : 0;
}

RequestId Client::send(const core::NewOrder& request) noexcept {
  return session_ ? session_->submit(request) : 0;
}

RequestId Client::ping() noexcept { return submit(core::Ping{}); }

RequestId Client::submit_request(core::Request& request) noexcept {
  return session_ ? session_->submit(request) : 0;
}

bool Client::poll(Report& report) noexcept { return session_ && session_->poll(report); }

bool Client::early_reply(Report& reply) noexcept {
  return session_ && session_->early_reply(reply);
}

std::uint64_t Client::heartbeat() const noexcept {
  if (!session_) return 0;
  // SYNC POINT heartbeat: pairs with ipc::Session::beat; nothing is read because of it.
  return ipc::load_word(session_->link().reports_header()->heartbeat, std::memory_order_relaxed);
}

EngineState Client::engine_state() const noexcept {
  return session_ ? session_->state() : EngineState::kGone;
}

EngineState Client::check_socket() noexcept {
  return session_ ? session_->look_at_socket() : EngineState::kGone;
}

const std::string& Client::end_reason() const noexcept {
  static const std::string kNone;
  return session_ ? session_->end_reason() : kNone;
}

int Client::socket_handle() const noexcept { return session_ ? session_->link().socket.get() : -1; }

Failure Client::wait(RequestId request, Report& reply, std::chrono::milliseconds timeout) {
  if (!session_) return not_logged_on();
  if (request == 0 || request > session_->last_request()) {
    return {ClientError::kBadArgument, "that request was never sent"};
  }
  // Earlier blocking calls may have met the reply already.
  if (session_->take_queued(request, reply)) return {};
  return session_->await(request, reply, deadline_after(timeout));
}

Failure Client::call_request(core::Request& request, Report& reply,
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

}  // namespace shmatch
