#include "tools/record_text.h"

#include <cstring>

#include "tools/request_text.h"
#include "tools/text_view.h"

namespace shmatch::tools {

namespace {

bool has_session(core::InputKind kind) noexcept {
  return kind == core::InputKind::kLogon || kind == core::InputKind::kRequest ||
         kind == core::InputKind::kEndSession || kind == core::InputKind::kResume ||
         kind == core::InputKind::kForgetSession;
}

std::string session_name(const core::Logon& logon) {
  return {logon.name, strnlen(logon.name, sizeof logon.name)};
}

std::string choices(const core::Logon& logon) {
  std::string text;
  if (logon.cancel_on_disconnect) text += ", cancel on disconnect";
  if (logon.whole_objects) text += ", whole objects";
  if (logon.all_accounts) text += ", all accounts";
  if (logon.resumable) text += ", resumable";
  return text;
}

std::string choices_json(const core::Logon& logon) {
  const auto flag = [](const char* name, bool value) {
    return std::string(",\"") + name + (value ? "\":true" : "\":false");
  };
  return flag("cancel_on_disconnect", logon.cancel_on_disconnect) +
         flag("whole_objects", logon.whole_objects) + flag("all_accounts", logon.all_accounts) +
         flag("resumable", logon.resumable);
}

}  // namespace

std::string input_name(core::InputKind kind) {
  switch (kind) {
    case core::InputKind::kLogon:
      return "logon";
    case core::InputKind::kRequest:
      return "request";
    case core::InputKind::kEndSession:
      return "end_session";
    case core::InputKind::kSweep:
      return "sweep";
    case core::InputKind::kStopAccepting:
      return "stop_accepting";
    case core::InputKind::kRestart:
      return "restart";
    case core::InputKind::kResume:
      return "resume";
    case core::InputKind::kForgetSession:
      return "forget_session";
    case core::InputKind::kNone:
      break;
  }
  return "unknown";
}

void RecordText::configure(const core::Configuration& configuration) {
  reference_ = ReferenceData(configuration);
  if (users_.size() < configuration.capacities.sessions) {
    users_.resize(configuration.capacities.sessions);
  }
}

void RecordText::see(const InputRecord& record) {
  if (record.kind() != core::InputKind::kLogon || record.slot() >= users_.size()) return;
  users_[record.slot()] = core::decode_logon(record.words.data()).user_id;
}

std::string_view RecordText::user_name(core::SessionSlot slot) const {
  return slot < users_.size() ? reference_.user_name(users_[slot]) : std::string_view();
}

std::string RecordText::what(const InputRecord& record) const {
  const std::uint64_t* words = record.words.data();
  switch (record.kind()) {
    case core::InputKind::kLogon: {
      const core::Logon logon = core::decode_logon(words);
      const std::string name = session_name(logon);
      return "logon" + (name.empty() ? std::string() : " \"" + name + "\"") + choices(logon);
    }
    case core::InputKind::kResume:
      return "resume" + choices(core::decode_logon(words));
    case core::InputKind::kRequest:
      return "request " + std::to_string(core::request_number(words)) + ": " +
             request_sentence(core::decode_request(words), reference_);
    case core::InputKind::kEndSession:
      return "end of the session";
    case core::InputKind::kStopAccepting: {
      const core::Refusal refusal{core::ErrorCode::kServerError,
                                  static_cast<core::Detail>(record.words[2])};
      return "stop accepting: " + reference_.describe(refusal);
    }
    case core::InputKind::kSweep:
      return "sweep of ended sessions' orders";
    case core::InputKind::kRestart:
      return "restart of the engine";
    case core::InputKind::kForgetSession:
      return "the session is forgotten";
    case core::InputKind::kNone:
      break;
  }
  return "no known kind of record";
}

std::string RecordText::line(const InputRecord& record) const {
  std::string line = std::to_string(record.sequence) + "  " + utc_time(record.time()) + "  ";
  if (has_session(record.kind())) {
    line += "session " + std::to_string(record.slot());
    const std::string_view user = user_name(record.slot());
    if (!user.empty()) line += " (" + std::string(user) + ")";
    line += "  ";
  }
  return line + what(record);
}

std::string RecordText::json(const InputRecord& record) const {
  std::string json = R"({"sequence":)" + std::to_string(record.sequence);
  json += R"(,"time_ns":)" + std::to_string(record.time());
  json += R"(,"kind":")" + input_name(record.kind()) + "\"";
  if (has_session(record.kind())) {
    json += R"(,"session":)" + std::to_string(record.slot());
    json += R"(,"user":)" + json_string(user_name(record.slot()));
  }
  const std::uint64_t* words = record.words.data();
  if (record.kind() == core::InputKind::kLogon || record.kind() == core::InputKind::kResume) {
    const core::Logon logon = core::decode_logon(words);
    if (record.kind() == core::InputKind::kLogon) {
      json += R"(,"name":)" + json_string(session_name(logon));
    }
    json += choices_json(logon);
  } else if (record.kind() == core::InputKind::kRequest) {
    const core::Request request = core::decode_request(words);
    json += R"(,"i":)" + std::to_string(core::request_number(words));
    json += R"(,"n":")";
    json += request_name(static_cast<core::RequestType>(request.type()));
    json += R"(","o":)" + request_json(request, reference_);
  } else if (record.kind() == core::InputKind::kStopAccepting) {
    json += R"(,"detail":)" + std::to_string(record.words[2]);
  }
  return json + "}";
}

}  // namespace shmatch::tools
