#include "tests/process/exec_session.h"

#include <algorithm>
#include <cctype>
#include <stdexcept>

#include "core/decimal.h"

namespace shmatch::process_test {

using tools::JsonMember;
using tools::JsonValue;
using Kind = JsonValue::Kind;

namespace {

// A frame that no test sends itself: its answer is the fence behind the events of the frame before.
constexpr std::string_view kFenceNumber = "987654321";

const JsonValue* find(const JsonValue& object, std::string_view key) {
  for (const JsonMember& each : object.members) {
    if (each.key == key) return &each.value;
  }
  return nullptr;
}

std::string show(const JsonValue& value) {
  switch (value.kind) {
    case Kind::kNull:
      return "null";
    case Kind::kBool:
      return value.boolean ? "true" : "false";
    case Kind::kNumber:
      return value.text;
    case Kind::kString:
      return '"' + value.text + '"';
    case Kind::kArray:
      return "an array of " + std::to_string(value.items.size());
    case Kind::kObject:
      return "an object of " + std::to_string(value.members.size());
  }
  return "";
}

bool digit(char letter) { return std::isdigit(static_cast<unsigned char>(letter)) != 0; }

bool fits(std::string_view text, std::string_view pattern) {
  while (!pattern.empty()) {
    if (text.empty()) return false;
    if (pattern.front() == '#') {
      if (!digit(text.front())) return false;
      while (!text.empty() && digit(text.front())) text.remove_prefix(1);
    } else {
      if (text.front() != pattern.front()) return false;
      text.remove_prefix(1);
    }
    pattern.remove_prefix(1);
  }
  return text.empty();
}

bool same_number(const std::string& a, const std::string& b) {
  core::Decimal first;
  core::Decimal second;
  if (a == b) return true;
  return core::parse_decimal(a, first) && core::parse_decimal(b, second) && first == second &&
         first != core::kDecimalInvalid && first != core::kDecimalHuge;
}

std::string in(std::string_view place, const std::string& fault) {
  return fault.empty() ? fault : std::string(place) + ": " + fault;
}

std::string scalar_difference(const JsonValue& actual, const JsonValue& expected) {
  bool same = actual.kind == expected.kind;
  if (same && actual.kind == Kind::kBool) same = actual.boolean == expected.boolean;
  if (same && actual.kind == Kind::kNumber) same = same_number(actual.text, expected.text);
  if (same && actual.kind == Kind::kString) same = fits(actual.text, expected.text);
  return same ? "" : show(actual) + " instead of " + show(expected);
}

}  // namespace

std::string difference(const JsonValue& actual, const JsonValue& expected) {
  if (expected.kind == Kind::kString && expected.text == "*") return "";
  if (actual.kind != expected.kind || actual.items.size() != expected.items.size()) {
    return show(actual) + " instead of " + show(expected);
  }
  for (std::size_t i = 0; i < expected.items.size(); ++i) {
    const std::string fault = difference(actual.items[i], expected.items[i]);
    if (!fault.empty()) return in("element " + std::to_string(i), fault);
  }
  for (std::size_t i = 0; i < std::max(actual.members.size(), expected.members.size()); ++i) {
    if (i == actual.members.size()) return "no member " + expected.members[i].key;
    if (i == expected.members.size()) return "a member " + actual.members[i].key + " too many";
    const std::string& key = expected.members[i].key;
    if (actual.members[i].key != key) return actual.members[i].key + " stands instead of " + key;
    const std::string fault = difference(actual.members[i].value, expected.members[i].value);
    if (!fault.empty()) return in(key, fault);
  }
  return scalar_difference(actual, expected);
}

JsonValue json(std::string_view text) {
  JsonValue value;
  std::string fault;
  if (!tools::parse_json(text, value, fault)) {
    throw std::runtime_error(fault + ": " + std::string(text));
  }
  return value;
}

std::string member(const JsonValue& object, std::string_view key) {
  const JsonValue* value = find(object, key);
  if (value == nullptr) return "absent";
  return value->kind == Kind::kString ? value->text : show(*value);
}

Frame parse_frame(const std::string& line) {
  JsonValue root = json(line);
  Frame frame;
  frame.line = line;
  frame.kind = member(root, "m");
  frame.sequence = frame.kind == "3" ? "" : member(root, "i");
  frame.function = member(root, "n");
  const JsonValue* payload = find(root, "o");
  if (payload == nullptr) throw std::runtime_error("a frame without o: " + line);
  frame.payload = *payload;
  return frame;
}

core::OrderId ExecSession::Answer::order_id() const {
  if ((*this)["status"] != "Accepted") throw std::runtime_error("not accepted: " + reply.line);
  return std::stoll((*this)["OrderId"]);
}

ExecSession::ExecSession(const TestEngine& engine, std::string_view user)
    : process_(Process::execute(engine.shmatch({"--user", std::string(user), "exec"}))) {}

std::string ExecSession::next_line() {
  auto line = process_.read_line();
  if (!line) throw std::runtime_error("exec fell silent: " + process_.errors());
  return *line;
}

ExecSession::Answer ExecSession::call(std::string_view line) {
  const std::string fence = R"({"m":0,"i":)" + std::string(kFenceNumber) + R"(,"n":"Ping","o":{}})";
  if (!process_.write_line(line) || !process_.write_line(fence)) {
    throw std::runtime_error("exec no longer reads: " + process_.errors());
  }
  Answer answer;
  for (answer.reply = parse_frame(next_line()); answer.reply.kind == "3";) {
    answer.earlier.push_back(std::move(answer.reply));
    answer.reply = parse_frame(next_line());
  }
  for (;;) {
    Frame frame = parse_frame(next_line());
    if (frame.sequence == kFenceNumber) break;
    if (frame.kind != "3") throw std::runtime_error("a second reply: " + frame.line);
    answer.events.push_back(std::move(frame));
  }
  return answer;
}

ExecSession::Answer ExecSession::call(std::string_view user, std::string_view function,
                                      std::string_view payload) {
  const std::string name = user.empty() ? "" : R"("u":")" + std::string(user) + R"(",)";
  return call("{" + name + R"("m":0,"i":4,"n":")" + std::string(function) + R"(","o":)" +
              std::string(payload) + "}");
}

core::OrderId ExecSession::place(std::string_view user, core::AccountId account, char side,
                                 int quantity, int price, std::string_view more) {
  return call(user, "SendOrder",
              R"({"OMSId":1,"InstrumentId":3,"AccountId":)" + std::to_string(account) +
                  R"(,"Side":)" + (side == 'B' ? "0" : "1") + R"(,"OrderType":2,"Quantity":)" +
                  std::to_string(quantity) + R"(,"LimitPrice":)" + std::to_string(price) +
                  std::string(more) + "}")
      .order_id();
}

int ExecSession::close() {
  process_.close_input();
  return process_.wait().value_or(-1);
}

}  // namespace shmatch::process_test
