#include "tests/process/expected_exec.h"

#include <stdexcept>
#include <tuple>
#include <utility>

namespace shmatch::process_test {

namespace {

bool is_event(const core::Report& report) {
  return report.is<core::OrderStateWhole>() || report.is<core::TradeWhole>();
}

std::string reply_frame(const Call& call, const std::string& payload) {
  return R"({"m":1,"i":)" + call.sequence + R"(,"n":")" + call.function + R"(","o":)" + payload +
         "}";
}

// The id that the engine gave an order which it accepted.
core::OrderId accepted_order(const Frame& reply) {
  if (member(reply.payload, "status") != "Accepted") return 0;
  return std::stoll(member(reply.payload, "OrderId"));
}

}  // namespace

ExpectedExec::ExpectedExec(const TestEngine& engine, const core::Configuration& configuration,
                           const std::string& user)
    : configuration_(configuration),
      reference_(configuration_, sink_),
      text_(configuration_),
      exec_(Process::execute(engine.shmatch({"--user", user, "exec"}))) {
  sessions_[""] = session(user);
}

ExpectedExec::Session& ExpectedExec::session(const std::string& user) {
  const auto known = sessions_.find(user);
  if (known != sessions_.end()) return known->second;
  core::Logon logon;
  logon.whole_objects = true;
  logon.all_accounts = true;
  for (const core::User& each : configuration_.users) {
    if (each.name == user) logon.user_id = each.id;
  }
  if (logon.user_id == 0) throw std::runtime_error("a user that is not configured: " + user);
  const auto slot = static_cast<core::SessionSlot>(sessions_.size());
  reference_.logon(slot, logon, ++now_);
  return sessions_[user] = Session{slot, 0};
}

ExpectedExec::Made ExpectedExec::sort(reference::Received received,
                                      core::SessionSlot asking) const {
  Made made;
  std::map<std::pair<core::Sequence, std::uint32_t>, core::Report> events;
  for (const auto& [slot, reports] : received) {
    for (const core::Report& report : reports) {
      if (!is_event(report)) {
        if (slot == asking) made.replies.push_back(report);
        continue;
      }
      const auto header = report.as<core::OrderStateWhole>().header;
      events.emplace(std::pair{header.engine_sequence, header.ordinal}, report);
    }
  }
  for (const auto& [key, report] : events) made.events.push_back(report);
  return made;
}

ExpectedExec::Made ExpectedExec::apply(const Call& call) {
  Session& asking = session(call.user);
  reference_.request(asking.slot, ++asking.last_request, *call.request, ++now_);
  return sort(sink_.take(), asking.slot);
}

void ExpectedExec::count(const Call& call, const core::Report& reply) {
  if (reply.is<core::OrderAccepted>()) {
    ++totals_.orders;
  } else if (reply.is<core::Receipt>()) {
    const auto code = reply.as<core::Receipt>().code;
    if (code != core::ErrorCode::kOk) {
      ++totals_.refused[code];
    } else if (call.request->is<core::CancelOrder>()) {
      ++totals_.cancels;
    }
  }
}

std::string ExpectedExec::compare_frame(const Call& call, const Frame& actual,
                                        const std::string& expected) {
  const std::string fault = difference(json(actual.line), json(expected));
  if (fault.empty()) return fault;
  return "call " + std::to_string(totals_.calls) + ": " + fault + "\n  sent     " + call.line +
         "\n  printed  " + actual.line + "\n  expected " + expected;
}

std::string ExpectedExec::compare(const Call& call) {
  ++totals_.calls;
  entered_ = 0;
  if (!exec_.write_line(call.line)) throw std::runtime_error("exec ended: " + exec_.errors());
  const auto next = [&] {
    auto line = exec_.read_line();
    if (!line) throw std::runtime_error("exec printed too little for " + call.line);
    return parse_frame(*line);
  };
  const Frame reply = next();
  if (!call.request) {
    session(call.user);
    ++totals_.refused[core::ErrorCode::kInvalidRequest];
    return compare_frame(call, reply,
                         reply_frame(call, refusal_text(core::ErrorCode::kInvalidRequest)));
  }
  if (const core::OrderId id = accepted_order(reply)) reference_.next_order_id(id);
  const Made made = apply(call);
  count(call, made.replies.at(0));
  if (made.replies[0].is<core::OrderAccepted>()) {
    entered_ = made.replies[0].as<core::OrderAccepted>().order_id;
  }
  totals_.trades = reference_.trade_count();
  std::string fault =
      compare_frame(call, reply, reply_frame(call, text_.reply(*call.request, made.replies)));
  for (std::size_t i = 0; i < made.events.size() && fault.empty(); ++i) {
    fault = compare_frame(call, next(), text_.event(made.events[i]));
  }
  return fault;
}

int ExpectedExec::close() {
  exec_.close_input();
  const int status = exec_.wait().value_or(-1);
  return exec_.output().empty() ? status : -1;
}

}  // namespace shmatch::process_test
