#include "tests/process/frame_stream.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace shmatch::process_test {

namespace {

// "" is the user that exec was started as.
constexpr const char* kUsers[] = {"alice", "bob", "carol", "operator", "", "reader", "idle"};
// By account: someone who may trade for it.
constexpr const char* kOwners[] = {"operator", "alice", "bob", "bob", "carol"};
constexpr const char* kTypes[] = {"Unknown",    "Market",    "Limit",
                                  "StopMarket", "StopLimit", "TrailingStopMarket"};
constexpr const char* kTimes[] = {"Unknown", "GTC", "OPG", "IOC", "FOK", "GTX", "GTD"};
constexpr const char* kSides[] = {"Buy", "Sell", "Short", "Unknown"};
constexpr core::InstrumentId kBtc = 1;
constexpr core::InstrumentId kTest = 3;
constexpr std::size_t kRecent = 60;

template <std::size_t Size>
const char* name_in(const char* const (&names)[Size], std::uint8_t value) {
  return value < Size ? names[value] : nullptr;
}

std::string decimal_text(core::Decimal value) {
  return std::to_string(value.mantissa) + "e" + std::to_string(value.exponent);
}

}  // namespace

ConfigText stream_config() {
  ConfigText config;
  config.user("operator", ::getuid(), "Operator", "[]")
      .user("alice", ::getuid(), "Trading", "[1, 2]")
      .user("bob", ::getuid(), "Trading", "[2, 3]")
      .user("carol", ::getuid(), "Trading", "[4]")
      .user("reader", ::getuid(), "AccountReadOnly", "[1]")
      .user("idle", ::getuid(), "", "[3]")
      .capacity("working_orders = 120\nfinished_orders = 300\nsessions = 16\n");
  return config;
}

class FrameStream::Payload {
 public:
  void add(const std::string& key, const std::string& value) {
    members_.push_back("\"" + key + "\":" + value);
  }
  // Members in an order that `pick(bound)` chooses: their order means nothing.
  template <class Pick>
  std::string text(Pick pick) {
    for (std::size_t i = members_.size(); i > 1; --i) {
      std::swap(members_[i - 1], members_[pick(i)]);
    }
    std::string text;
    for (const std::string& member : members_) text += (text.empty() ? "" : ",") + member;
    return "{" + text + "}";
  }

 private:
  std::vector<std::string> members_;
};

std::uint64_t FrameStream::random() {
  state_ += 0x9E37'79B9'7F4A'7C15;
  std::uint64_t mixed = state_;
  mixed = (mixed ^ (mixed >> 30)) * 0xBF58'476D'1CE4'E5B9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94D0'49BB'1331'11EB;
  return mixed ^ (mixed >> 31);
}

void FrameStream::accepted(core::OrderId id) {
  newest_.id = id;
  sent_.push_back(newest_);
}

std::string FrameStream::spell_key(const char* key) {
  std::string text = key;
  const std::uint64_t way = below(12);
  if (way > 1) return text;
  for (char& letter : text) {
    const auto plain = static_cast<unsigned char>(letter);
    letter = static_cast<char>(way == 0 ? std::tolower(plain) : std::toupper(plain));
  }
  return text;
}

// 0 is left out, null, or 0: the three are one thing.
void FrameStream::write_id(Payload& payload, const char* key, std::int64_t value) {
  const std::string text = std::to_string(value);
  const std::uint64_t way = below(10);
  if (value == 0 && way < 6) return;
  if (value == 0 && way < 8) return payload.add(spell_key(key), "null");
  payload.add(spell_key(key), way == 9 ? "\"" + text + "\"" : text);
}

void FrameStream::write_enum(Payload& payload, const char* key, std::uint8_t value,
                             const char* name) {
  if (value == 255) return;
  const std::string number = std::to_string(value);
  const std::uint64_t way = below(4);
  if (name != nullptr && way == 0)
    return payload.add(spell_key(key), "\"" + std::string(name) + "\"");
  payload.add(spell_key(key), way == 1 ? "\"" + number + "\"" : number);
}

void FrameStream::write_amount(Payload& payload, const char* key, core::Decimal value) {
  if (value == core::kDecimalAbsent) return;
  const std::uint64_t way = below(4);
  if (way == 0) return payload.add(spell_key(key), decimal_text(value));
  if (way == 1) return payload.add(spell_key(key), "\"" + decimal_text(value) + "\"");
  // The same value with one digit more.
  payload.add(spell_key(key),
              decimal_text({value.mantissa * 10, static_cast<std::int8_t>(value.exponent - 1)}));
}

// Now and then something that no request can carry comes along.
std::string FrameStream::finish(Payload payload, bool& refused) {
  refused = percent(2);
  if (refused) {
    constexpr std::array kFaults = {
        "true", "1.5", "-1", "{}", "[1]", "\"x\"", "99999999999999999999"};
    // A second AccountId that is none spoils the first one too.
    payload.add("AccountId", kFaults[below(kFaults.size())]);
  }
  if (percent(5)) payload.add("SomethingElse", R"([{"a":null},1.25e3])");
  std::string text = payload.text([this](std::uint64_t bound) { return below(bound); });
  if (!percent(20)) return text;
  // As on AlphaPoint's wire: the object as a string.
  std::string wire = "\"";
  for (const char letter : text) {
    if (letter == '"' || letter == '\\') wire += '\\';
    wire += letter;
  }
  return wire + "\"";
}

// Mostly someone whom the request's account lets in.
std::string FrameStream::pick_user(core::AccountId account) {
  const bool known = account >= 0 && account < static_cast<core::AccountId>(std::size(kOwners));
  if (known && percent(80)) return kOwners[account];
  return kUsers[below(std::size(kUsers))];
}

core::AccountId FrameStream::pick_account() {
  return percent(3) ? 99 : static_cast<core::AccountId>(1 + below(4));
}

void FrameStream::make_odd(core::NewOrder& order) {
  const auto any = static_cast<std::uint8_t>(below(9));
  switch (below(11)) {
    case 0:
      order.oms_id = 2;
      break;
    case 1:
      order.account_id = 0;
      break;
    case 2:
      order.instrument_id = static_cast<core::InstrumentId>(below(2) * 77);
      break;
    case 3:
      order.side = static_cast<core::Side>(any < 5 ? any : 255);
      break;
    case 4:
      order.order_type = static_cast<core::OrderType>(any < 8 ? any : 255);
      break;
    case 5:
      order.time_in_force = static_cast<core::TimeInForce>(any);
      break;
    case 6:
      order.set_quantity(percent(50) ? core::kDecimalAbsent : core::Decimal{0, 0});
      break;
    case 7:
      order.set_limit_price(percent(50) ? core::kDecimalAbsent : core::Decimal{-5, 0});
      break;
    case 8:
      order.set_quantity({1, -9});
      break;
    case 9:
      order.set_limit_price({1, 18});
      break;
    default:
      order.features = core::kFeaturePostOnly;
      break;
  }
}

core::Request FrameStream::new_order(std::string& payload, bool& refused) {
  core::NewOrder order;
  order.oms_id = 1;
  order.account_id = pick_account();
  order.instrument_id = percent(50) ? kBtc : kTest;
  if (percent(40)) order.cl_ord_id = static_cast<core::ClOrdId>(1 + below(40));
  order.side = percent(50) ? core::Side::kBuy : core::Side::kSell;
  order.order_type = percent(8) ? core::OrderType::kMarket : core::OrderType::kLimit;
  const std::uint64_t time = below(100);
  if (time < 8) order.time_in_force = core::TimeInForce::kIoc;
  if (time >= 95) order.time_in_force = core::TimeInForce::kFok;
  const auto quantity = static_cast<std::int64_t>(1 + below(20));
  // The sides overlap by a quarter: most orders rest, and enough of them trade.
  const std::uint64_t lowest = order.side == core::Side::kBuy ? 970 : 1000;
  const auto price = static_cast<std::int64_t>(lowest + below(40));
  const bool btc = order.instrument_id == kBtc;
  order.set_quantity({quantity, static_cast<std::int8_t>(btc ? -3 : 0)});
  order.set_limit_price({price, static_cast<std::int8_t>(btc ? -2 : 0)});
  if (order.order_type == core::OrderType::kMarket && percent(70)) {
    order.set_limit_price(core::kDecimalAbsent);
  }
  if (percent(10)) make_odd(order);
  newest_ = {0, order.account_id, order.cl_ord_id};
  account_ = order.account_id;

  Payload fields;
  fields.add(spell_key("OMSId"), std::to_string(order.oms_id));
  write_id(fields, "AccountId", order.account_id);
  write_id(fields, "InstrumentId", order.instrument_id);
  write_id(fields, "ClientOrderId", order.cl_ord_id);
  const auto side = static_cast<std::uint8_t>(order.side);
  const auto type = static_cast<std::uint8_t>(order.order_type);
  const auto force = static_cast<std::uint8_t>(order.time_in_force);
  write_enum(fields, "Side", side, name_in(kSides, side));
  write_enum(fields, "OrderType", type, name_in(kTypes, type));
  if (force != 1 || percent(50)) write_enum(fields, "TimeInForce", force, name_in(kTimes, force));
  write_amount(fields, "Quantity", order.quantity());
  write_amount(fields, "LimitPrice", order.limit_price());
  if (order.features != 0) fields.add("PostOnly", "true");
  payload = finish(std::move(fields), refused);
  core::Request request;
  request.assign(order);
  return request;
}

core::Request FrameStream::cancel_order(std::string& payload, bool& refused) {
  core::CancelOrder cancel;
  cancel.oms_id = percent(1) ? 5 : 1;
  if (sent_.empty() || percent(2)) {
    cancel.order_id = percent(50) ? 0 : static_cast<core::OrderId>(1'000'000'000 + below(1000));
  } else {
    const std::size_t reach = std::min(percent(5) ? sent_.size() : kRecent, sent_.size());
    const Sent& order = sent_[sent_.size() - 1 - below(reach)];
    account_ = order.account;
    const bool by_client_id = order.client_id != 0 && percent(50);
    if (!by_client_id) cancel.order_id = order.id;
    if (by_client_id || percent(20)) cancel.cl_ord_id = order.client_id;
    if (by_client_id || percent(30)) cancel.account_id = order.account;
  }
  if (percent(4)) cancel.account_id = pick_account();
  if (percent(2)) cancel.account_id = 0;
  if (percent(2)) cancel.cl_ord_id = static_cast<core::ClOrdId>(1 + below(40));

  Payload fields;
  fields.add(spell_key("OMSId"), std::to_string(cancel.oms_id));
  write_id(fields, "AccountId", cancel.account_id);
  write_id(fields, "OrderId", cancel.order_id);
  write_id(fields, percent(80) ? "ClOrderId" : "ClientOrderId", cancel.cl_ord_id);
  payload = finish(std::move(fields), refused);
  core::Request request;
  request.assign(cancel);
  return request;
}

core::Request FrameStream::query(std::string& function, std::string& payload) {
  const std::string oms = percent(95) ? "1" : "3";
  core::Request request;
  if (percent(40)) {
    core::OrderStatusQuery status;
    status.oms_id = std::stoll(oms);
    status.order_id =
        sent_.empty()
            ? 7
            : sent_[sent_.size() - 1 - below(std::min<std::size_t>(sent_.size(), 400))].id;
    if (percent(40)) status.account_id = pick_account();
    function = "GetOrderStatus";
    payload = R"({"OMSId":)" + oms + R"(,"OrderId":)" + std::to_string(status.order_id) +
              R"(,"AccountId":)" + std::to_string(status.account_id) + "}";
    request.assign(status);
  } else if (percent(40)) {
    core::OpenOrdersQuery open;
    open.oms_id = std::stoll(oms);
    open.account_id = pick_account();
    function = "GetOpenOrders";
    payload = R"({"OMSId":)" + oms + R"(,"AccountId":)" + std::to_string(open.account_id) + "}";
    request.assign(open);
  } else if (percent(80)) {
    core::L2Query book;
    book.oms_id = std::stoll(oms);
    book.instrument_id = percent(45) ? kBtc : percent(90) ? kTest : 55;
    book.depth = static_cast<std::int64_t>(1 + below(30));
    function = "GetL2Snapshot";
    payload = R"({"OMSId":)" + oms + R"(,"InstrumentId":)" + std::to_string(book.instrument_id) +
              R"(,"Depth":)" + std::to_string(book.depth) + "}";
    request.assign(book);
  } else {
    function = "Ping";
    payload = "{}";
    request.assign(core::Ping{});
  }
  return request;
}

Call FrameStream::next() {
  Call call;
  call.sequence = std::to_string(2 * ++calls_);
  std::string payload;
  bool refused = false;
  core::Request request;
  const std::uint64_t kind = below(100);
  if (kind < 50) {
    call.function = "SendOrder";
    request = new_order(payload, refused);
  } else if (kind < 94) {
    call.function = "CancelOrder";
    request = cancel_order(payload, refused);
  } else {
    request = query(call.function, payload);
  }
  if (!refused) call.request = request;
  call.user = pick_user(account_);
  const std::string user = call.user.empty() ? "" : R"("u":")" + call.user + R"(",)";
  call.line = "{" + user + R"("m":0,"i":)" + call.sequence + R"(,"n":")" + call.function +
              R"(","o":)" + payload + "}";
  return call;
}

}  // namespace shmatch::process_test
