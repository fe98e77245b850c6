#include "tools/session_group.h"

#include <sched.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "tools/report_codec.h"

namespace shmatch::tools {

namespace {

// An engine that is alive answers far sooner; one that does not is reported, never waited for for
// ever.
constexpr std::chrono::seconds kSilenceMax{5};

}  // namespace

SessionGroup::SessionGroup(const GlobalOptions& global) : global_(global) {
  Session& session = add(log_on(global, "exec"));
  by_user_.emplace("", &session);
  by_user_.emplace(session.client.session().user_name, &session);
}

SessionGroup::Session& SessionGroup::add(Client client) {
  Session& session = sessions_.emplace_back();
  session.client = std::move(client);
  // The first fence tells where in the engine's order this session's stream begins.
  ping(session);
  await_pong(session);
  return session;
}

bool SessionGroup::choose(const std::string& user, std::string& refusal) {
  const auto known = by_user_.find(user);
  if (known != by_user_.end()) {
    chosen_ = known->second;
    return true;
  }
  const auto refused = refusals_.find(user);
  if (refused != refusals_.end()) {
    refusal = refused->second;
    return false;
  }
  Client client;
  const Failure failure = client.logon(logon_options(global_, user, "exec"));
  if (failure.error == ClientError::kRefused || failure.error == ClientError::kBadArgument ||
      failure.error == ClientError::kNoMemory) {
    refusal = failure.text;
    refusals_.emplace(user, failure.text);
    return false;
  }
  // The engine served us before, so whatever else failed, it is gone now.
  if (failure) throw ExitError(kExitGone, failure.text);
  chosen_ = &add(std::move(client));
  by_user_.emplace(user, chosen_);
  return true;
}

std::string SessionGroup::execute(const core::Request& request) {
  const ReferenceData& reference = chosen_->client.reference();
  Report reply;
  switch (static_cast<core::RequestType>(request.type())) {
    case core::RequestType::kCancelOrder:
      reply = call(request.as<core::CancelOrder>());
      break;
    case core::RequestType::kNewOrder:
      reply = call(request.as<core::NewOrder>());
      break;
    case core::RequestType::kOrderStatus:
      reply = call(request.as<core::OrderStatusQuery>());
      break;
    case core::RequestType::kOpenOrders:
      return open_orders(request.as<core::OpenOrdersQuery>());
    case core::RequestType::kL2Snapshot:
      return l2_snapshot(request.as<core::L2Query>());
    case core::RequestType::kPing:
    case core::RequestType::kNone:
      ping(*chosen_);
      await_pong(*chosen_);
      return pong_json();
  }
  if (reply.is<core::OrderAccepted>()) return accepted_json(reply.as<core::OrderAccepted>());
  if (reply.is<core::OrderStatusReply>()) {
    return order_json(reply.as<core::OrderStatusReply>(), reference);
  }
  return receipt_json(reply.as<core::Receipt>(), reference);
}

template <class Message>
Report SessionGroup::call(const Message& message) {
  Session& own = *chosen_;
  own.awaited = submit(own, message);
  // This session's fence can travel right behind the request. Those of the others cannot start
  // before the engine has applied it.
  ping(own);
  own.fenced = true;
  wait(own, [&] { return own.awaited == 0; });
  return own.reply;
}

std::string SessionGroup::open_orders(const core::OpenOrdersQuery& query) {
  Client& client = chosen_->client;
  std::vector<core::OpenOrderRow> rows;
  core::Receipt refused;
  require(client.open_orders(query.oms_id, query.account_id, rows, refused));
  if (refused.code != core::ErrorCode::kOk) return receipt_json(refused, client.reference());
  return open_orders_json(rows, client.reference());
}

std::string SessionGroup::l2_snapshot(const core::L2Query& query) {
  Client& client = chosen_->client;
  Client::L2Snapshot book;
  core::Receipt refused;
  require(client.l2_snapshot(query.oms_id, query.instrument_id, query.depth, book, refused));
  if (refused.code != core::ErrorCode::kOk) return receipt_json(refused, client.reference());
  return l2_snapshot_json(
      {query.instrument_id, book.md_update_id, book.last_trade_price, book.bids, book.asks},
      client.reference());
}

void SessionGroup::fence() {
  for (Session& session : sessions_) {
    if (!session.fenced) ping(session);
    session.fenced = false;
  }
  for (Session& session : sessions_) await_pong(session);
}

template <class Message>
RequestId SessionGroup::submit(Session& session, const Message& message) {
  RequestId id = session.client.submit(message);
  if (id == 0) {
    wait(session, [&] {
      id = session.client.submit(message);
      return id != 0;
    });
  }
  return id;
}

void SessionGroup::ping(Session& session) {
  session.ping = submit(session, core::Ping{.fence = 1});
}

void SessionGroup::await_pong(Session& session) {
  wait(session, [&] { return session.ping == 0; });
}

template <class Done>
void SessionGroup::wait(Session& session, Done done) {
  constexpr unsigned kPollsBeforeYield = 1000;
  constexpr std::chrono::milliseconds kCheckInterval{20};
  std::chrono::steady_clock::time_point silent_since;
  std::chrono::steady_clock::time_point next_check;
  Report report;
  for (unsigned idle = 0; !done();) {
    if (session.client.poll(report)) {
      take(session, report);
      idle = 0;
      continue;
    }
    if (session.gone) throw_engine_gone(session.client);
    // An engine that runs on another core answers within these polls; else it may need this one.
    if (++idle < kPollsBeforeYield) continue;
    const auto now = std::chrono::steady_clock::now();
    if (idle == kPollsBeforeYield) {
      silent_since = now;
      next_check = now + kCheckInterval;
    }
    sched_yield();
    if (now < next_check) continue;
    next_check = now + kCheckInterval;
    session.gone = session.client.check_socket() != EngineState::kServing;
    if (!session.gone && now - silent_since > kSilenceMax) {
      throw ExitError(kExitGone, "the engine does not answer");
    }
  }
}

void SessionGroup::take(Session& session, const Report& report) {
  const auto header = report.as<core::ReportHeader>();
  const RequestId replied = replied_request(report);
  if (replied != 0) {
    if (replied == session.ping) {
      session.ping = 0;
      session.received = header.engine_sequence;
    } else if (replied == session.awaited) {
      session.awaited = 0;
      session.reply = report;
    }
    return;
  }
  const auto place = events_.try_emplace({header.engine_sequence, header.ordinal});
  if (!place.second) return;
  std::optional<std::string> frame = event_frame(report, session.client.reference());
  if (frame) place.first->second = std::move(*frame) + "\n";
}

std::string SessionGroup::take_events() {
  core::Sequence complete = std::numeric_limits<core::Sequence>::max();
  for (const Session& session : sessions_) complete = std::min(complete, session.received);
  return hand_out(complete);
}

std::string SessionGroup::take_all_events() {
  return hand_out(std::numeric_limits<core::Sequence>::max());
}

std::string SessionGroup::hand_out(core::Sequence up_to) {
  std::string lines;
  auto event = events_.begin();
  for (; event != events_.end() && event->first.first <= up_to; ++event) lines += event->second;
  events_.erase(events_.begin(), event);
  return lines;
}

}  // namespace shmatch::tools
