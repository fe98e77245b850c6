#include "tools/command.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <utility>

#include "tools/report_codec.h"
#include "tools/text_view.h"

namespace shmatch::tools {

namespace {

int exit_status_of(ClientError error) noexcept {
  switch (error) {
    case ClientError::kNone:
      return kExitDone;
    case ClientError::kBadArgument:
      return kExitUsage;
    case ClientError::kNoEngine:
    case ClientError::kRefused:
    case ClientError::kNoMemory:
      return kExitNoEngine;
    case ClientError::kEngineGone:
    case ClientError::kTimeout:
    case ClientError::kRingFull:
    case ClientError::kInvalidReport:
      break;
  }
  return kExitGone;
}

}  // namespace

LogonOptions logon_options(const GlobalOptions& global, const std::string& user,
                           std::string_view command) {
  LogonOptions options;
  options.socket = global.socket;
  options.user = user;
  options.session_name = "shmatch " + std::string(command);
  options.cancel_on_disconnect = false;
  options.whole_objects = true;
  options.all_accounts = true;
  options.timeout = kLogonTimeout;
  return options;
}

Client log_on(const GlobalOptions& global, std::string_view command) {
  Client client;
  require_logon(client.logon(logon_options(global, global.user, command)));
  return client;
}

void require_logon(const Failure& failure) {
  if (failure.error == ClientError::kTimeout || failure.error == ClientError::kEngineGone) {
    throw ExitError(kExitNoEngine, failure.text);
  }
  require(failure);
}

void require(const Failure& failure) {
  if (failure) throw ExitError(exit_status_of(failure.error), failure.text);
}

void throw_engine_gone(const Client& client) {
  const std::string& reason = client.end_reason();
  throw ExitError(kExitGone, reason.empty() ? "the engine went away"
                                            : "the engine ended the session: " + reason);
}

void PayloadFlags::add(CLI::App& command, const std::string& flags, std::string key,
                       const std::string& help, std::string value) {
  const bool has_default = !value.empty();
  Flag& flag = flags_.emplace_back(Flag{std::move(key), std::move(value), nullptr});
  flag.option = command.add_option(flags, flag.value, help);
  if (has_default) flag.option->capture_default_str();
}

void PayloadFlags::add_oms_id(CLI::App& command) {
  add(command, "--oms-id", "OMSId", "OMSId of the engine", "1");
}

core::Request PayloadFlags::encode(Function function) const {
  JsonValue payload;
  payload.kind = JsonValue::Kind::kObject;
  for (const Flag& flag : flags_) {
    if (flag.option->count() == 0 && flag.value.empty()) continue;
    JsonValue value;
    value.kind = JsonValue::Kind::kString;
    value.text = flag.value;
    payload.members.push_back(JsonMember{flag.key, std::move(value)});
  }
  EncodedRequest encoded = encode_request(function, payload);
  if (encoded.refused()) throw ExitError(kExitUsage, encoded.fault);
  return encoded.request;
}

int show_refusal(const core::Receipt& receipt, const Client& client, bool json) {
  print_line(json ? receipt_json(receipt, client.reference())
                  : refusal_sentence(receipt, client.reference()));
  return kExitRefused;
}

void print(std::string_view text) {
  if (text.empty()) return;
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (!written || std::fflush(stdout) != 0) {
    throw ExitError(kExitUsage, "standard output does not take what is written to it");
  }
}

void print_line(std::string_view text) {
  std::string line(text);
  line += '\n';
  print(line);
}

}  // namespace shmatch::tools
