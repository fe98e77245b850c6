#include "tools/request_text.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>

#include "tools/enum_names.h"
#include "tools/request_codec.h"
#include "tools/text_view.h"

namespace shmatch::tools {

namespace {

// Decimals that stand for "no number that 64 bits hold" and "beyond every limit": any spelling that
// the codec reads back as the same will do.
constexpr std::string_view kInvalidSpelling = "1e-41";
constexpr std::string_view kHugeSpelling = "1e41";

// mantissa * 10^exponent without an exponent.
std::string plain_decimal(core::Decimal value) {
  if (value.mantissa == 0) return "0";
  std::string digits = std::to_string(value.mantissa);
  const std::string sign = digits.front() == '-' ? "-" : "";
  digits.erase(0, sign.size());
  if (value.exponent >= 0) {
    return sign + digits + std::string(static_cast<std::size_t>(value.exponent), '0');
  }
  const auto decimals = static_cast<std::size_t>(-value.exponent);
  if (digits.size() <= decimals) digits.insert(0, decimals + 1 - digits.size(), '0');
  digits.insert(digits.size() - decimals, 1, '.');
  return sign + digits;
}

// Empty for an absent one. `increment` is null where the instrument is not known.
std::string decimal_text(core::Decimal value, const core::Increment* increment) {
  if (value.exponent == core::kExponentAbsent) return "";
  if (value.exponent == core::kExponentHuge) return std::string(kHugeSpelling);
  if (value.exponent == core::kExponentIncrements) {
    if (increment == nullptr || value.mantissa <= 0) return std::to_string(value.mantissa);
    return core::format_increments(static_cast<core::Wide>(value.mantissa), *increment);
  }
  if (value.exponent < core::kExponentMin || value.exponent > core::kExponentMax) {
    return std::string(kInvalidSpelling);
  }
  return plain_decimal(value);
}

struct Amount {
  std::string quantity;
  std::string price;
};

Amount amounts_of(const core::NewOrder& order, const ReferenceData& reference) {
  const core::Instrument* instrument = reference.instrument(order.instrument_id);
  return {decimal_text(order.quantity(), instrument == nullptr ? nullptr : &instrument->lot),
          decimal_text(order.limit_price(), instrument == nullptr ? nullptr : &instrument->tick)};
}

class PayloadWriter {
 public:
  PayloadWriter() : writer_(buffer_) { writer_.StartObject(); }

  void id(std::string_view name, std::int64_t value) {
    if (value <= 0) return;
    key(name);
    writer_.Int64(value);
  }
  void number(std::string_view name, const std::string& text) {
    if (text.empty()) return;
    key(name);
    writer_.RawValue(text.data(), text.size(), rapidjson::kNumberType);
  }
  // By name where the value has one: that is what people read.
  template <class Enum>
  void enumeration(std::string_view name, Enum value) {
    key(name);
    const std::string_view known = name_of(value);
    if (known == name_of(static_cast<Enum>(0xFE))) {
      writer_.Uint(static_cast<unsigned>(value));
    } else {
      text(known);
    }
  }
  void flag(std::string_view name) {
    key(name);
    writer_.Bool(true);
  }
  std::string take() {
    writer_.EndObject();
    return {buffer_.GetString(), buffer_.GetSize()};
  }

 private:
  void key(std::string_view name) {
    writer_.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
  }
  void text(std::string_view value) {
    writer_.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
  }

  rapidjson::StringBuffer buffer_;
  rapidjson::Writer<rapidjson::StringBuffer> writer_;
};

void write_new_order(PayloadWriter& json, const core::NewOrder& order,
                     const ReferenceData& reference) {
  const Amount amount = amounts_of(order, reference);
  json.id("OMSId", order.oms_id);
  json.id("AccountId", order.account_id);
  json.id("InstrumentId", order.instrument_id);
  json.id("ClientOrderId", order.cl_ord_id);
  if (order.side != core::Side::kAbsent) json.enumeration("Side", order.side);
  if (order.order_type != core::OrderType::kAbsent) {
    json.enumeration("OrderType", order.order_type);
  }
  json.enumeration("TimeInForce", order.time_in_force);
  json.number("Quantity", amount.quantity);
  json.number("LimitPrice", amount.price);
  if ((order.features & core::kFeatureDisplayQuantity) != 0) json.flag("UseDisplayQuantity");
  if ((order.features & core::kFeaturePostOnly) != 0) json.flag("PostOnly");
  if ((order.features & core::kFeatureOco) != 0) json.id("OrderIdOCO", 1);
  if ((order.features & core::kFeatureValue) != 0) json.id("Value", 1);
}

std::string new_order_sentence(const core::NewOrder& order, const ReferenceData& reference) {
  const Amount amount = amounts_of(order, reference);
  std::string sentence = " ";
  sentence += name_of(order.side);
  sentence += " " + amount.quantity + " " + symbol_of(order.instrument_id, reference);
  if (order.order_type == core::OrderType::kLimit) {
    sentence += " at " + amount.price;
  } else {
    sentence += " ";
    sentence += name_of(order.order_type);
  }
  sentence += ", ";
  sentence += name_of(order.time_in_force);
  sentence += ", account " + std::to_string(order.account_id);
  if (order.cl_ord_id > 0) sentence += ", ClOrderId " + std::to_string(order.cl_ord_id);
  return sentence;
}

std::string cancel_sentence(const core::CancelOrder& cancel) {
  std::string sentence;
  if (cancel.order_id > 0) sentence += " order " + std::to_string(cancel.order_id);
  if (cancel.cl_ord_id > 0) sentence += " ClOrderId " + std::to_string(cancel.cl_ord_id);
  if (cancel.account_id > 0) sentence += " of account " + std::to_string(cancel.account_id);
  return sentence.empty() ? " without a key" : sentence;
}

}  // namespace

std::string_view request_name(core::RequestType type) noexcept {
  switch (type) {
    case core::RequestType::kCancelOrder:
      return function_name(Function::kCancelOrder);
    case core::RequestType::kNewOrder:
      return function_name(Function::kSendOrder);
    case core::RequestType::kOrderStatus:
      return function_name(Function::kGetOrderStatus);
    case core::RequestType::kOpenOrders:
      return function_name(Function::kGetOpenOrders);
    case core::RequestType::kL2Snapshot:
      return function_name(Function::kGetL2Snapshot);
    case core::RequestType::kPing:
    case core::RequestType::kNone:
      break;
  }
  return function_name(Function::kPing);
}

std::string request_json(const core::Request& request, const ReferenceData& reference) {
  PayloadWriter json;
  switch (static_cast<core::RequestType>(request.type())) {
    case core::RequestType::kCancelOrder: {
      const auto cancel = request.as<core::CancelOrder>();
      json.id("OMSId", cancel.oms_id);
      json.id("AccountId", cancel.account_id);
      json.id("OrderId", cancel.order_id);
      json.id("ClOrderId", cancel.cl_ord_id);
      break;
    }
    case core::RequestType::kNewOrder:
      write_new_order(json, request.as<core::NewOrder>(), reference);
      break;
    case core::RequestType::kOrderStatus: {
      const auto query = request.as<core::OrderStatusQuery>();
      json.id("OMSId", query.oms_id);
      json.id("AccountId", query.account_id);
      json.id("OrderId", query.order_id);
      break;
    }
    case core::RequestType::kOpenOrders: {
      const auto query = request.as<core::OpenOrdersQuery>();
      json.id("OMSId", query.oms_id);
      json.id("AccountId", query.account_id);
      break;
    }
    case core::RequestType::kL2Snapshot: {
      const auto query = request.as<core::L2Query>();
      json.id("OMSId", query.oms_id);
      json.id("InstrumentId", query.instrument_id);
      json.id("Depth", query.depth);
      break;
    }
    case core::RequestType::kPing:
    case core::RequestType::kNone:
      break;
  }
  return json.take();
}

std::string request_frame(const core::Request& request, const ReferenceData& reference,
                          std::uint64_t number, core::TimeNs time, std::string_view user) {
  std::string frame = R"({"m":0,"i":)" + std::to_string(number) + R"(,"n":")";
  frame += request_name(static_cast<core::RequestType>(request.type()));
  frame += R"(","o":)" + request_json(request, reference);
  frame += R"(,"t":)" + std::to_string(time);
  if (!user.empty()) frame += R"(,"u":)" + json_string(user);
  return frame + "}";
}

std::string request_sentence(const core::Request& request, const ReferenceData& reference) {
  std::string sentence(request_name(static_cast<core::RequestType>(request.type())));
  if (request.is<core::CancelOrder>()) {
    sentence += cancel_sentence(request.as<core::CancelOrder>());
  } else if (request.is<core::NewOrder>()) {
    sentence += new_order_sentence(request.as<core::NewOrder>(), reference);
  }
  return sentence;
}

std::string json_string(std::string_view text) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  writer.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
  return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace shmatch::tools
