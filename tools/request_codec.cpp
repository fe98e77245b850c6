#include "tools/request_codec.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <span>

#include "tools/payload_reader.h"

namespace shmatch::tools {

namespace {

struct FunctionName {
  std::string_view name;
  Function function;
};

constexpr FunctionName kFunctions[] = {
    {"SendOrder", Function::kSendOrder},           {"CancelOrder", Function::kCancelOrder},
    {"GetOrderStatus", Function::kGetOrderStatus}, {"GetOpenOrders", Function::kGetOpenOrders},
    {"GetL2Snapshot", Function::kGetL2Snapshot},   {"Ping", Function::kPing},
};

bool blank(std::string_view text) noexcept {
  return text.find_first_not_of(" \t\r\n\v\f") == std::string_view::npos;
}

// The value of a frame's key; null when it is missing or JSON's null, which mean the same.
const JsonValue* find_key(const JsonValue& frame, std::string_view key) {
  for (const JsonMember& member : frame.members) {
    if (equal_ignoring_case(member.key, key)) {
      return member.value.kind == JsonValue::Kind::kNull ? nullptr : &member.value;
    }
  }
  return nullptr;
}

// A frame that gives one of its own keys twice leaves no way to know which was meant.
bool gives_twice(const JsonValue& frame, std::string_view key) {
  return std::count_if(frame.members.begin(), frame.members.end(), [&](const JsonMember& member) {
           return equal_ignoring_case(member.key, key);
         }) > 1;
}

// True when `value` says that the frame is a request.
bool is_request_kind(const JsonValue& value) noexcept {
  core::Decimal number;
  return value.kind == JsonValue::Kind::kNumber && core::parse_decimal(value.text, number) &&
         number == core::Decimal{};
}

// A note of whoever captured the frame and no part of the request: one that is no time is no fault.
core::TimeNs read_capture_time(const JsonValue& root) {
  const JsonValue* time = find_key(root, "t");
  core::TimeNs value = 0;
  if (time == nullptr || time->kind != JsonValue::Kind::kNumber) return 0;
  const char* end = time->text.data() + time->text.size();
  const auto [parsed_to, error] = std::from_chars(time->text.data(), end, value);
  return error == std::errc() && parsed_to == end && value > 0 ? value : 0;
}

// Reads `i`, `n` and `u`. Returns why they make no frame, or nothing.
std::string read_frame_names(const JsonValue& root, Frame& frame) {
  const JsonValue* sequence = find_key(root, "i");
  if (sequence != nullptr) {
    if (sequence->kind != JsonValue::Kind::kNumber || !is_integer_text(sequence->text)) {
      return "i is not an integer";
    }
    frame.sequence = sequence->text;
  }
  const JsonValue* function = find_key(root, "n");
  if (function == nullptr) return "n is missing";
  if (function->kind != JsonValue::Kind::kString) return "n is not a string";
  frame.function = function->text;

  const JsonValue* user = find_key(root, "u");
  if (user != nullptr) {
    if (user->kind != JsonValue::Kind::kString) return "u is not a string";
    frame.user = user->text;
  }
  return "";
}

// Reads `o`, which may be an object or, as on AlphaPoint's wire, a string that holds one.
std::string read_frame_payload(const JsonValue& root, Frame& frame) {
  const JsonValue* payload = find_key(root, "o");
  if (payload == nullptr) return "o is missing";
  if (payload->kind == JsonValue::Kind::kObject) {
    frame.payload = *payload;
    return "";
  }
  if (payload->kind != JsonValue::Kind::kString) return "o is neither an object nor a string";
  std::string fault;
  if (!parse_json(payload->text, frame.payload, fault)) {
    frame.payload_fault = "o is not JSON: " + fault;
  } else if (frame.payload.kind != JsonValue::Kind::kObject) {
    frame.payload_fault = "o holds JSON, but no object";
  }
  return "";
}

template <class Message>
core::Request request_of(const Message& message) noexcept {
  core::Request request;
  request.assign(message);
  return request;
}

template <class Enum>
Enum read_enum(PayloadReader& payload, std::string_view key, std::span<const EnumName> names,
               Enum unknown, Enum absent) {
  return static_cast<Enum>(payload.enumeration(key, names, static_cast<std::uint8_t>(unknown),
                                               static_cast<std::uint8_t>(absent)));
}

core::Request encode_cancel(PayloadReader& payload) {
  core::CancelOrder cancel;
  cancel.oms_id = payload.required_oms_id();
  cancel.account_id = payload.id("AccountId");
  cancel.order_id = payload.id("OrderId");
  cancel.cl_ord_id = payload.id("ClOrderId", "ClientOrderId");
  return request_of(cancel);
}

core::Request encode_new_order(PayloadReader& payload) {
  core::NewOrder order;
  order.oms_id = payload.required_oms_id();
  order.account_id = payload.id("AccountId");
  order.instrument_id = payload.id("InstrumentId");
  order.cl_ord_id = payload.id("ClientOrderId", "ClOrderId");
  order.side = read_enum(payload, "Side", side_names(), core::Side::kUnknown, core::Side::kAbsent);
  order.order_type = read_enum(payload, "OrderType", order_type_names(), core::OrderType::kUnknown,
                               core::OrderType::kAbsent);
  order.time_in_force = read_enum(payload, "TimeInForce", time_in_force_names(),
                                  core::TimeInForce::kUnknown, core::TimeInForce::kGtc);
  order.set_quantity(payload.decimal("Quantity"));
  order.set_limit_price(payload.decimal("LimitPrice"));

  const auto want = [&](bool wanted, std::uint16_t feature) {
    if (wanted) order.features = static_cast<std::uint16_t>(order.features | feature);
  };
  const core::Decimal value = payload.decimal("Value");
  want(payload.flag("UseDisplayQuantity"), core::kFeatureDisplayQuantity);
  want(payload.flag("PostOnly"), core::kFeaturePostOnly);
  want(payload.id("OrderIdOCO") != 0, core::kFeatureOco);
  want(value != core::kDecimalAbsent && value != core::Decimal{}, core::kFeatureValue);
  return request_of(order);
}

core::Request encode_order_status(PayloadReader& payload) {
  core::OrderStatusQuery query;
  query.oms_id = payload.required_oms_id();
  query.account_id = payload.id("AccountId");
  query.order_id = payload.id("OrderId");
  return request_of(query);
}

core::Request encode_open_orders(PayloadReader& payload) {
  core::OpenOrdersQuery query;
  query.oms_id = payload.required_oms_id();
  query.account_id = payload.id("AccountId");
  return request_of(query);
}

core::Request encode_l2_snapshot(PayloadReader& payload) {
  core::L2Query query;
  query.oms_id = payload.id("OMSId");
  query.instrument_id = payload.id("InstrumentId");
  query.depth = payload.id("Depth");
  if (query.oms_id == 0 || query.instrument_id == 0 || !payload.given("Depth")) {
    payload.refuse("OMSId, InstrumentId and Depth are Required");
  } else if (query.depth == 0) {
    payload.refuse("Depth must be positive");
  }
  return request_of(query);
}

core::Request encode(Function function, PayloadReader& payload) {
  switch (function) {
    case Function::kSendOrder:
      return encode_new_order(payload);
    case Function::kCancelOrder:
      return encode_cancel(payload);
    case Function::kGetOrderStatus:
      return encode_order_status(payload);
    case Function::kGetOpenOrders:
      return encode_open_orders(payload);
    case Function::kGetL2Snapshot:
      return encode_l2_snapshot(payload);
    case Function::kPing:
      break;
  }
  return request_of(core::Ping{});
}

}  // namespace

std::optional<Function> find_function(std::string_view name) {
  for (const FunctionName& known : kFunctions) {
    if (equal_ignoring_case(known.name, name)) return known.function;
  }
  return std::nullopt;
}

std::string_view function_name(Function function) noexcept {
  for (const FunctionName& known : kFunctions) {
    if (known.function == function) return known.name;
  }
  return {};
}

Line parse_line(std::string_view text) {
  Line line;
  if (blank(text)) {
    line.kind = LineKind::kBlank;
    return line;
  }
  if (text.size() > kLineSizeMax) {
    line.fault = "the line is longer than " + std::to_string(kLineSizeMax) + " bytes";
    return line;
  }
  JsonValue root;
  if (!parse_json(text, root, line.fault)) {
    line.fault.insert(0, "not JSON: ");
    return line;
  }
  if (root.kind != JsonValue::Kind::kObject) {
    line.fault = "not a JSON object";
    return line;
  }
  for (const std::string_view key : {"m", "i", "n", "o", "u"}) {
    if (gives_twice(root, key)) {
      line.fault = std::string(key) + " is given twice";
      return line;
    }
  }
  const JsonValue* kind = find_key(root, "m");
  if (kind != nullptr && !is_request_kind(*kind)) {
    line.kind = LineKind::kSkipped;
    return line;
  }
  line.frame.sequence = "0";
  line.frame.time_ns = read_capture_time(root);
  line.fault = read_frame_names(root, line.frame);
  if (line.fault.empty()) line.fault = read_frame_payload(root, line.frame);
  if (line.fault.empty()) line.kind = LineKind::kFrame;
  return line;
}

EncodedRequest encode_request(Function function, const JsonValue& payload) {
  PayloadReader reader(payload);
  EncodedRequest encoded;
  encoded.request = encode(function, reader);
  encoded.fault = reader.fault();
  return encoded;
}

EncodedRequest encode_request(Function function, const Frame& frame) {
  if (frame.payload_fault.empty()) return encode_request(function, frame.payload);
  EncodedRequest encoded;
  encoded.fault = frame.payload_fault;
  return encoded;
}

}  // namespace shmatch::tools
