#include "ipc/logon_check.h"

#include <algorithm>

#include "ipc/memory_layout.h"

namespace shmatch::ipc {
namespace {

// Null when a process of `uid` may not log on as anybody.
const LogonRule* rule_of(const ServerOptions& options, uid_t uid) {
  const auto& rules = options.logon_rules;
  const auto rule = std::find_if(rules.begin(), rules.end(),
                                 [uid](const LogonRule& each) { return each.uid == uid; });
  return rule == rules.end() || rule->users.empty() ? nullptr : &*rule;
}

Refusal not_configured(uid_t uid) {
  return {FarewellReason::kUidNotConfigured,
          "uid " + std::to_string(uid) + " may not log on to this engine"};
}

std::optional<Refusal> choose_user(const ServerOptions& options, uid_t uid, std::string_view name,
                                   const core::User*& user) {
  const LogonRule* const rule = rule_of(options, uid);
  if (rule == nullptr) return not_configured(uid);
  const auto& users = options.configuration.users;
  const auto found = std::find_if(users.begin(), users.end(), [&](const core::User& each) {
    return name.empty() ? each.id == rule->users.front() : each.name == name;
  });
  if (found == users.end()) {
    return Refusal{FarewellReason::kUnknownUser, "unknown user " + printable(name)};
  }
  if (std::find(rule->users.begin(), rule->users.end(), found->id) == rule->users.end()) {
    return Refusal{FarewellReason::kUserNotAllowed,
                   "uid " + std::to_string(uid) + " may not log on as " + found->name};
  }
  user = &*found;
  return std::nullopt;
}

std::optional<Refusal> check_rings(const ServerOptions& options, const LogonRequest& request) {
  if (valid_slot_count(request.request_slots, kRequestSlotsMin, options.request_slots_max) &&
      valid_slot_count(request.report_slots, kReportSlotsMin, options.report_slots_max)) {
    return std::nullopt;
  }
  return Refusal{FarewellReason::kBadRingSize,
                 "ring sizes must be powers of two: " + std::to_string(kRequestSlotsMin) + " to " +
                     std::to_string(options.request_slots_max) + " request slots, " +
                     std::to_string(kReportSlotsMin) + " to " +
                     std::to_string(options.report_slots_max) + " report slots"};
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out(text);
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c < 0x20 || c > 0x7E; }, '?');
  return out;
}

std::optional<Refusal> check_logon(const ServerOptions& options, uid_t uid,
                                   const LogonRequest& request, const core::User*& user,
                                   core::Logon& logon) {
  if (auto refusal = choose_user(options, uid, get_text(request.user), user)) return refusal;
  if (auto refusal = check_rings(options, request)) return refusal;
  const std::string_view name = get_text(request.session_name);
  const bool resumable = (request.flags & (kLogonResumable | kLogonResume)) != 0;
  if (resumable && (name.empty() || name.size() >= kNameBytes)) {
    return Refusal{FarewellReason::kBadSessionName,
                   "a session that is to be resumed is known by its name, of 1 to 31 characters"};
  }
  logon = {.user_id = user->id,
           .cancel_on_disconnect = (request.flags & kLogonCancelOnDisconnect) != 0,
           .whole_objects = (request.flags & kLogonWholeObjects) != 0,
           .all_accounts = (request.flags & kLogonAllAccounts) != 0,
           .resumable = resumable};
  set_text(logon.name, name);
  return std::nullopt;
}

std::optional<Refusal> check_watch(const ServerOptions& options, uid_t uid) {
  if (rule_of(options, uid) != nullptr) return std::nullopt;
  return not_configured(uid);
}

}  // namespace shmatch::ipc
