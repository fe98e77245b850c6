// The tables of what CancelOrder and SendOrder are answered, row by row, through `shmatch exec`
// as a black box: exact codes and texts, the receipt first, exactly one outcome event for a
// cancel that was taken and none for one that was refused.
#include <gtest/gtest.h>
#include <unistd.h>

#include <map>
#include <string>
#include <vector>

#include "ipc/client.h"
#include "tests/process/engine.h"
#include "tests/process/exec_session.h"

namespace shmatch::process_test {
namespace {

using Answer = ExecSession::Answer;
using Orders = std::map<std::string, core::OrderId>;

ConfigText rules_config() {
  ConfigText config = usual_config();
  config.user("reader", ::getuid(), "AccountReadOnly", "[1]").user("idle", ::getuid(), "", "[1]");
  return config;
}

std::string cancel_payload(core::OrderId order) {
  return R"({"OMSId":1,"OrderId":)" + std::to_string(order) + "}";
}

// `text` with each {name} replaced by that order's id.
std::string with_ids(std::string text, const Orders& orders) {
  for (const auto& [name, id] : orders) {
    const std::string key = "{" + name + "}";
    for (std::size_t at = text.find(key); at != std::string::npos; at = text.find(key)) {
      text.replace(at, key.size(), std::to_string(id));
    }
  }
  return text;
}

// Whether `words`, in which # stands for a number, occurs in `text`.
bool mentions(const std::string& text, const std::string& words) {
  for (std::size_t from = 0; from < text.size(); ++from) {
    std::size_t at = from;
    bool fits = true;
    for (const char expected : words) {
      const std::size_t first = at;
      if (expected == '#') {
        while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
        fits = at > first;
      } else {
        fits = at < text.size() && text[at++] == expected;
      }
      if (!fits) break;
    }
    if (fits) return true;
  }
  return false;
}

std::string state_of(ExecSession& exec, core::OrderId order) {
  return exec.call("operator", "GetOrderStatus", cancel_payload(order))["OrderState"];
}

// An order of account 1 that ends because its session does.
core::OrderId order_canceled_on_disconnect(const TestEngine& engine, ExecSession& exec) {
  Client client;
  EXPECT_FALSE(client.logon(engine.options("alice")));
  core::NewOrder order;
  order.oms_id = 1;
  order.account_id = 1;
  order.instrument_id = 3;
  order.cl_ord_id = 17;
  order.side = core::Side::kBuy;
  order.order_type = core::OrderType::kLimit;
  order.set_quantity({1, 0});
  order.set_limit_price({1, 0});
  core::Report reply;
  EXPECT_FALSE(client.call(order, reply));
  const core::OrderId id = reply.as<core::OrderAccepted>().order_id;
  client.logoff();
  EXPECT_TRUE(eventually([&] { return state_of(exec, id) == "Canceled"; }));
  return id;
}

// Orders in every state that the table tells apart.
Orders make_orders(const TestEngine& engine, ExecSession& exec) {
  Orders orders;
  orders["open"] = exec.place("alice", 1, 'B', 10, 10, R"(,"ClientOrderId":11)");
  orders["other"] = exec.place("alice", 2, 'B', 10, 10, R"(,"ClientOrderId":12)");
  orders["bob"] = exec.place("bob", 3, 'B', 5, 9, R"(,"ClientOrderId":31)");
  orders["bobs_dead"] = exec.place("bob", 3, 'B', 5, 9, R"(,"ClientOrderId":32)");
  EXPECT_EQ(exec.call("bob", "CancelOrder", cancel_payload(orders["bobs_dead"]))["result"], "true");
  orders["filled"] = exec.place("alice", 1, 'S', 5, 20, R"(,"ClientOrderId":13)");
  EXPECT_GT(exec.place("bob", 3, 'B', 5, 20), 0);
  orders["canceled"] = exec.place("alice", 1, 'B', 1, 1, R"(,"ClientOrderId":14)");
  EXPECT_EQ(exec.call("alice", "CancelOrder", cancel_payload(orders["canceled"]))["result"],
            "true");
  orders["removed"] = exec.place("alice", 1, 'B', 1, 1, R"(,"ClientOrderId":15)");
  EXPECT_EQ(exec.call("operator", "CancelOrder", cancel_payload(orders["removed"]))["result"],
            "true");
  orders["immediate"] = exec.place("alice", 1, 'B', 1, 1, R"(,"ClientOrderId":16,"TimeInForce":3)");
  orders["disconnected"] = order_canceled_on_disconnect(engine, exec);
  return orders;
}

struct Refusal {
  const char* row;
  const char* user;
  const char* payload;
  const char* code;
  const char* text;
  const char* detail;  // words that occur in it
};

constexpr const char* kInvalid = "Invalid Request";
constexpr const char* kNoRight = "Not Authorized";
constexpr const char* kNotFound = "Resource Not Found";

constexpr Refusal kCancelRefusals[] = {
    {"3 wrong OMS", "alice", R"({"OMSId":2,"OrderId":{open}})", "100", kInvalid, "OMSId: 2"},
    {"3 no OMS", "alice", R"({"OrderId":{open}})", "100", kInvalid, "OMSId is required"},
    {"3 OMS null", "alice", R"({"OMSId":null,"OrderId":{open}})", "100", kInvalid, "OMSId"},
    {"3 no key", "alice", R"({"OMSId":1})", "100", kInvalid, "OrderId"},
    {"3 keys of 0", "alice", R"({"OMSId":1,"OrderId":0,"ClOrderId":0,"AccountId":1})", "100",
     kInvalid, "OrderId"},
    {"3 client id alone", "alice", R"({"OMSId":1,"ClOrderId":11})", "100", kInvalid, "AccountId"},
    {"3 a fraction", "alice", R"({"OMSId":1,"OrderId":1.5})", "100", kInvalid, "OrderId must be"},
    {"3 negative", "alice", R"({"OMSId":1,"OrderId":-1})", "100", kInvalid, "OrderId must be"},
    {"3 a boolean", "alice", R"({"OMSId":1,"OrderId":true})", "100", kInvalid, "OrderId must be"},
    {"3 an object", "alice", R"({"OMSId":1,"OrderId":{}})", "100", kInvalid, "OrderId must be"},
    {"3 2^63", "alice", R"({"OMSId":1,"OrderId":9223372036854775808})", "100", kInvalid, "OrderId"},
    {"3 before 4", "idle", R"({"OMSId":2,"OrderId":{open}})", "100", kInvalid, "OMSId: 2"},
    {"4 read only", "reader", R"({"OMSId":1,"OrderId":{open}})", "20", kNoRight, "permission"},
    {"4 none", "idle", R"({"OMSId":1,"OrderId":{open}})", "20", kNoRight, "permission"},
    {"4 before 5", "reader", R"({"OMSId":1,"AccountId":3,"OrderId":{bob}})", "20", kNoRight,
     "permission"},
    {"4 before 7", "reader", R"({"OMSId":1,"OrderId":999})", "20", kNoRight, "permission"},
    {"5 foreign", "alice", R"({"OMSId":1,"AccountId":3,"ClOrderId":31})", "20", kNoRight,
     "account 3"},
    {"5 unconfigured", "alice", R"({"OMSId":1,"AccountId":99,"ClOrderId":1})", "20", kNoRight,
     "account 99"},
    {"5 before 7", "alice", R"({"OMSId":1,"AccountId":3,"OrderId":999})", "20", kNoRight,
     "account 3"},
    {"5 before 8", "alice", R"({"OMSId":1,"AccountId":3,"OrderId":{open}})", "20", kNoRight,
     "account 3"},
    {"6 alive", "alice", R"({"OMSId":1,"OrderId":{bob}})", "20", kNoRight, "order {bob}"},
    {"6 dead", "alice", R"({"OMSId":1,"OrderId":{bobs_dead}})", "20", kNoRight,
     "order {bobs_dead}"},
    {"6 before 8", "alice", R"({"OMSId":1,"AccountId":1,"OrderId":{bob}})", "20", kNoRight,
     "order {bob}"},
    {"7 never issued", "alice", R"({"OMSId":1,"OrderId":999999})", "104", kNotFound, "999999"},
    {"7 largest id", "alice", R"({"OMSId":1,"OrderId":9223372036854775807})", "104", kNotFound,
     "9223372036854775807"},
    {"7 client id", "alice", R"({"OMSId":1,"AccountId":1,"ClOrderId":888})", "104", kNotFound,
     "888"},
    {"7 other account's", "alice", R"({"OMSId":1,"AccountId":2,"ClOrderId":11})", "104", kNotFound,
     "11"},
    {"7 Operator, no such account", "operator", R"({"OMSId":1,"AccountId":99,"ClOrderId":1})",
     "104", kNotFound, "account 99"},
    {"8 other account", "alice", R"({"OMSId":1,"AccountId":2,"OrderId":{open}})", "104", kNotFound,
     "keys disagree"},
    {"8 other client id", "alice", R"({"OMSId":1,"OrderId":{open},"ClOrderId":12})", "104",
     kNotFound, "keys disagree"},
    {"8 both", "alice", R"({"OMSId":1,"AccountId":2,"OrderId":{open},"ClOrderId":12})", "104",
     kNotFound, "keys disagree"},
    {"8 Operator", "operator", R"({"OMSId":1,"AccountId":99,"OrderId":{open}})", "104", kNotFound,
     "keys disagree"},
    {"8 before 9", "alice", R"({"OMSId":1,"AccountId":2,"OrderId":{filled}})", "104", kNotFound,
     "keys disagree"},
    {"9 filled", "alice", R"({"OMSId":1,"OrderId":{filled}})", "104", kNotFound,
     "filled by trade #, engine sequence #"},
    {"9 filled, by client id", "alice", R"({"OMSId":1,"AccountId":1,"ClOrderId":13})", "104",
     kNotFound, "filled by trade #, engine sequence #"},
    {"9 canceled by its user", "alice", R"({"OMSId":1,"OrderId":{canceled}})", "104", kNotFound,
     "canceled by user alice, engine sequence #"},
    {"9 canceled by an Operator", "alice", R"({"OMSId":1,"OrderId":{removed}})", "104", kNotFound,
     "canceled by user operator, engine sequence #"},
    {"9 no more market", "alice", R"({"OMSId":1,"OrderId":{immediate}})", "104", kNotFound,
     "no more market"},
    {"9 on disconnect", "alice", R"({"OMSId":1,"OrderId":{disconnected}})", "104", kNotFound,
     "session of user alice ended, engine sequence #"},
    {"9 Operator", "operator", R"({"OMSId":1,"OrderId":{bobs_dead}})", "104", kNotFound,
     "canceled by user bob, engine sequence #"},
};

void expect_refusal(const Answer& answer, const Refusal& expected, const Orders& orders) {
  const std::string detail = answer["detail"];
  EXPECT_EQ(difference(answer.reply.payload,
                       json(R"({"result":false,"errormsg":")" + std::string(expected.text) +
                            R"(","errorcode":)" + expected.code + R"(,"detail":"*"})")),
            "")
      << answer.reply.line;
  EXPECT_TRUE(mentions(detail, with_ids(expected.detail, orders))) << detail;
  EXPECT_TRUE(answer.earlier.empty()) << answer.earlier.front().line;
  EXPECT_TRUE(answer.events.empty()) << answer.events.front().line;
}

TEST(CancelOrder, IsRefusedByEveryRowOfItsTable) {
  TestEngine engine(rules_config());
  ExecSession exec(engine, "operator");
  const Orders orders = make_orders(engine, exec);
  for (const Refusal& refusal : kCancelRefusals) {
    SCOPED_TRACE(refusal.row);
    expect_refusal(exec.call(refusal.user, "CancelOrder", with_ids(refusal.payload, orders)),
                   refusal, orders);
  }
  for (const char* name : {"open", "other", "bob"}) {
    EXPECT_EQ(state_of(exec, orders.at(name)), "Working") << name;
  }
  EXPECT_EQ(exec.close(), 0);
}

void expect_canceled(const Answer& answer, core::OrderId order) {
  EXPECT_EQ(difference(answer.reply.payload,
                       json(R"({"result":true,"errormsg":null,"errorcode":0,"detail":null})")),
            "")
      << answer.reply.line;
  EXPECT_TRUE(answer.earlier.empty()) << answer.earlier.front().line;
  ASSERT_EQ(answer.events.size(), 1u);
  const tools::JsonValue& event = answer.events[0].payload;
  EXPECT_EQ(answer.events[0].function, "OrderStateEvent");
  EXPECT_EQ(member(event, "OrderId"), std::to_string(order));
  EXPECT_EQ(member(event, "OrderState"), "Canceled");
  EXPECT_EQ(member(event, "ChangeReason"), "UserModified");
  EXPECT_EQ(member(event, "CancelReason"), "UserModified");
  EXPECT_EQ(member(event, "Quantity"), "0");
  EXPECT_EQ(member(event, "OrderFlag"), "AddedToBook, RemovedFromBook");
}

TEST(CancelOrder, IsTakenWithEveryWayToNameAnOrder) {
  TestEngine engine(rules_config());
  ExecSession exec(engine, "bob");
  struct Way {
    const char* user;
    const char* payload;
  };
  constexpr Way kWays[] = {
      {"alice", R"({"OMSId":1,"OrderId":{new}})"},
      {"alice", R"({"OMSId":1,"AccountId":1,"OrderId":{new}})"},
      {"alice", R"({"OMSId":1,"AccountId":1,"ClOrderId":7})"},
      {"alice", R"({"OMSId":1,"AccountId":1,"OrderId":{new},"ClOrderId":7})"},
      {"alice", R"({"OMSId":1,"OrderId":{new},"ClOrderId":7})"},
      {"operator", R"({"OMSId":1,"OrderId":{new}})"},
      {"operator", R"({"OMSId":1,"AccountId":1,"ClOrderId":7})"},
      {"alice", R"({"omsid":"1","orderID":"{new}","accountId":null,"ClOrderId":0})"},
      {"alice", R"({"OMSId":1,"AccountId":"1","ClientOrderId":"7"})"},
      {"alice", R"("{\"OMSId\":1,\"OrderId\":{new}}")"},
      {"alice", R"({"OMSId":1,"OrderId":{new},"Unknown":[1,{"x":null}]})"},
  };
  for (const Way& way : kWays) {
    SCOPED_TRACE(way.payload);
    // The pair (AccountId, ClOrderId) is free again each time, and names the newest order.
    const Orders orders = {{"new", exec.place("alice", 1, 'B', 2, 5, R"(,"ClientOrderId":7)")}};
    expect_canceled(exec.call(way.user, "CancelOrder", with_ids(way.payload, orders)),
                    orders.at("new"));
  }
  EXPECT_EQ(exec.close(), 0);
}

TEST(CancelOrder, ThatLostToAFillIsToldWhichTradeItWas) {
  TestEngine engine(rules_config());
  ExecSession exec(engine, "operator");
  const core::OrderId order = exec.place("alice", 1, 'S', 5, 20);
  const Answer taken = exec.call("bob", "SendOrder",
                                 R"({"OMSId":1,"AccountId":3,"InstrumentId":3,"Side":"Buy",)"
                                 R"("OrderType":"Market","Quantity":5})");
  // The taker's trade, the maker's trade, the maker's state, the taker's state.
  ASSERT_EQ(taken.events.size(), 4u);
  EXPECT_EQ(taken.events[0].function, "OrderTradeEvent");
  EXPECT_EQ(taken.events[1].function, "OrderTradeEvent");
  const std::string trade = member(taken.events[0].payload, "TradeId");
  EXPECT_EQ(member(taken.events[1].payload, "TradeId"), trade);
  EXPECT_EQ(member(taken.events[1].payload, "OrderId"), std::to_string(order));
  const Answer late = exec.call("alice", "CancelOrder", cancel_payload(order));
  EXPECT_EQ(late["errorcode"], "104");
  EXPECT_TRUE(mentions(late["detail"], "trade " + trade + ",")) << late["detail"];
}

TEST(CancelOrder, OfAnOrderThatTheEngineForgotIs104) {
  TestEngine engine(rules_config().capacity("finished_orders = 2\nsessions = 8\n"));
  ExecSession exec(engine, "alice");
  core::OrderId oldest = 0;
  for (int i = 0; i < 3; ++i) {
    const core::OrderId order = exec.place("alice", 1, 'B', 1, 1);
    EXPECT_EQ(exec.call("alice", "CancelOrder", cancel_payload(order))["result"], "true");
    if (i == 0) oldest = order;
  }
  const Answer forgotten = exec.call("alice", "CancelOrder", cancel_payload(oldest));
  EXPECT_EQ(forgotten["errorcode"], "104");
  EXPECT_TRUE(mentions(forgotten["detail"], "ended too long ago")) << forgotten["detail"];
  const Answer known = exec.call("alice", "CancelOrder", cancel_payload(oldest + 1));
  EXPECT_TRUE(mentions(known["detail"], "canceled by user alice")) << known["detail"];
}

TEST(RateLimit, Answers101BeforeAnythingElseAndChangesNothing) {
  TestEngine engine(rules_config().add("[rate_limit]\nrequests_per_second = 1\nburst = 3\n"));
  ExecSession exec(engine, "alice");
  const core::OrderId order = exec.place("alice", 1, 'B', 1, 1);
  int refused = 0;
  for (int i = 0; i < 6; ++i) {
    const Answer answer = exec.call("", "CancelOrder", R"({"OMSId":2,"OrderId":1})");
    if (answer["errorcode"] == "100") continue;
    ++refused;
    expect_refusal(answer, {"2", "alice", "", "101", "Operation Failed", "1 requests a second"},
                   {});
  }
  EXPECT_GE(refused, 2);
  const Answer order_refused =
      exec.call("", "SendOrder", R"({"OMSId":2,"AccountId":1,"InstrumentId":3})");
  EXPECT_EQ(order_refused["errorcode"], "101") << order_refused.reply.line;
  // The limit is each session's own, and queries are free.
  EXPECT_EQ(exec.call("alice", "GetOrderStatus", cancel_payload(order))["OrderState"], "Working");
  EXPECT_GT(exec.place("bob", 3, 'B', 1, 1), 0);
}

// ----------------------------------------------------------------------------------------
// SendOrder

// A valid order with members replaced or, with an empty value, left out.
std::string order_with(const std::vector<std::pair<const char*, const char*>>& changes) {
  std::vector<std::pair<std::string, std::string>> members = {
      {"OMSId", "1"},     {"AccountId", "1"}, {"InstrumentId", "3"}, {"Side", "0"},
      {"OrderType", "2"}, {"Quantity", "5"},  {"LimitPrice", "10"}};
  for (const auto& change : changes) {
    std::erase_if(members, [&](const auto& each) { return each.first == change.first; });
    if (change.second[0] != '\0') members.emplace_back(change.first, change.second);
  }
  std::string text;
  for (const auto& [key, value] : members) {
    text += (text.empty() ? "{\"" : ",\"") + key + "\":" + value;
  }
  return text + "}";
}

struct OrderRefusal {
  const char* row;
  const char* user;
  std::vector<std::pair<const char*, const char*>> changes;
  const char* code;
  const char* text;
  const char* detail;
};

std::vector<OrderRefusal> field_refusals() {
  return {
      {"3 wrong OMS", "alice", {{"OMSId", "2"}}, "100", kInvalid, "OMSId: 2"},
      {"3 no OMS", "alice", {{"OMSId", ""}}, "100", kInvalid, "OMSId is required"},
      {"3 no account", "alice", {{"AccountId", ""}}, "100", kInvalid, "AccountId is required"},
      {"3 no instrument", "alice", {{"InstrumentId", ""}}, "100", kInvalid, "InstrumentId is"},
      {"3 no side", "alice", {{"Side", ""}}, "100", kInvalid, "Side is required"},
      {"3 no type", "alice", {{"OrderType", "null"}}, "100", kInvalid, "OrderType is required"},
      {"3 no quantity", "alice", {{"Quantity", ""}}, "100", kInvalid, "Quantity is required"},
      {"3 no price", "alice", {{"LimitPrice", ""}}, "100", kInvalid, "LimitPrice is required"},
      {"3 unknown side", "alice", {{"Side", "3"}}, "100", kInvalid, "Side"},
      {"3 unknown side name", "alice", {{"Side", "\"Up\""}}, "100", kInvalid, "Side"},
      {"3 unknown type", "alice", {{"OrderType", "8"}}, "100", kInvalid, "OrderType"},
      {"3 type 0", "alice", {{"OrderType", "0"}}, "100", kInvalid, "OrderType"},
      {"3 unknown time in force", "alice", {{"TimeInForce", "7"}}, "100", kInvalid, "TimeInForce"},
      {"3 before 4", "idle", {{"Side", ""}}, "100", kInvalid, "Side is required"},
      {"4 read only", "reader", {}, "20", kNoRight, "permission"},
      {"4 none", "idle", {}, "20", kNoRight, "permission"},
      {"4 foreign", "alice", {{"AccountId", "3"}}, "20", kNoRight, "account 3"},
      {"4 unconfigured", "alice", {{"AccountId", "99"}}, "20", kNoRight, "account 99"},
      {"4 Operator, unconfigured",
       "operator",
       {{"AccountId", "99"}},
       "104",
       kNotFound,
       "account 99"},
      {"4 before 5",
       "alice",
       {{"AccountId", "3"}, {"InstrumentId", "9"}},
       "20",
       kNoRight,
       "account 3"},
      {"5 instrument",
       "alice",
       {{"InstrumentId", "10000"}},
       "100",
       kInvalid,
       "Invalid InstrumentId: 10000"},
      {"5 before 6",
       "alice",
       {{"InstrumentId", "9"}, {"Quantity", "0"}},
       "100",
       kInvalid,
       "Invalid InstrumentId: 9"},
  };
}

std::vector<OrderRefusal> amount_refusals() {
  constexpr const char* kNot = "Operation Not Supported";
  return {
      {"6 quantity 0", "alice", {{"Quantity", "0"}}, "100", kInvalid, "Quantity must be positive"},
      {"6 negative", "alice", {{"Quantity", "-1"}}, "100", kInvalid, "Quantity must be positive"},
      {"6 lot", "alice", {{"Quantity", "1.5"}}, "100", kInvalid, "Quantity is not a multiple"},
      {"6 price 0", "alice", {{"LimitPrice", "0.0"}}, "100", kInvalid, "LimitPrice must be"},
      {"6 tick",
       "alice",
       {{"LimitPrice", "10.5"}},
       "100",
       kInvalid,
       "LimitPrice is not a multiple"},
      {"6 a rounding away",
       "alice",
       {{"InstrumentId", "1"}, {"LimitPrice", "10.000000000000000001"}},
       "100",
       kInvalid,
       "LimitPrice is not a multiple"},
      {"6 before 7",
       "alice",
       {{"Quantity", "1.5"}, {"TimeInForce", "2"}},
       "100",
       kInvalid,
       "Quantity is not a multiple"},
      {"7 short", "alice", {{"Side", "\"Short\""}}, "106", kNot, "Side 2"},
      {"7 stop", "alice", {{"OrderType", "\"StopLimit\""}}, "106", kNot, "OrderType 4"},
      {"7 time in force", "alice", {{"TimeInForce", "\"GTD\""}}, "106", kNot, "TimeInForce 6"},
      {"7 iceberg", "alice", {{"UseDisplayQuantity", "true"}}, "106", kNot, "UseDisplayQuantity"},
      {"7 post only", "alice", {{"PostOnly", "true"}}, "106", kNot, "PostOnly"},
      {"7 OCO", "alice", {{"OrderIdOCO", "5"}}, "106", kNot, "OrderIdOCO"},
      {"7 before 8", "alice", {{"Side", "2"}, {"ClientOrderId", "50"}}, "106", kNot, "Side 2"},
  };
}

void expect_order_refusals(ExecSession& exec, const std::vector<OrderRefusal>& refusals) {
  for (const OrderRefusal& each : refusals) {
    SCOPED_TRACE(each.row);
    expect_refusal(exec.call(each.user, "SendOrder", order_with(each.changes)),
                   {each.row, each.user, "", each.code, each.text, each.detail}, {});
  }
}

TEST(SendOrder, IsRefusedByEveryRowOfItsTable) {
  TestEngine engine(rules_config());
  ExecSession exec(engine, "operator");
  EXPECT_GT(exec.call("alice", "SendOrder", order_with({{"ClientOrderId", "50"}})).order_id(), 0);
  expect_order_refusals(exec, field_refusals());
  expect_order_refusals(exec, amount_refusals());
  const Answer open = exec.call("alice", "GetOpenOrders", R"({"OMSId":1,"AccountId":1})");
  EXPECT_EQ(open.reply.payload.items.size(), 1u) << open.reply.line;
}

TEST(SendOrder, WithTheClientIdOfAWorkingOrderIsRejected) {
  TestEngine engine(rules_config());
  ExecSession exec(engine, "alice");
  const tools::JsonValue rejected =
      json(R"({"status":"Rejected","errormsg":"Invalid_ClientOrderId","errorcode":101})");
  const std::string order = order_with({{"ClientOrderId", "50"}});
  const core::OrderId first = exec.call("alice", "SendOrder", order).order_id();
  const Answer second = exec.call("alice", "SendOrder", order);
  EXPECT_EQ(difference(second.reply.payload, rejected), "") << second.reply.line;
  EXPECT_TRUE(second.events.empty());
  // Another account may use the number, and the same one when the order has ended.
  EXPECT_GT(
      exec.call("alice", "SendOrder", order_with({{"ClientOrderId", "50"}, {"AccountId", "2"}}))
          .order_id(),
      first);
  expect_canceled(exec.call("alice", "CancelOrder", cancel_payload(first)), first);
  EXPECT_GT(exec.call("alice", "SendOrder", order).order_id(), first);
}

TEST(SendOrder, BeyondACapacityIsRejectedAndChangesNothing) {
  TestEngine engine(rules_config().capacity("working_orders = 2\nsessions = 8\n"));
  ExecSession exec(engine, "alice");
  const core::OrderId first = exec.place("alice", 1, 'B', 1, 1);
  exec.place("alice", 1, 'B', 1, 1);
  const Answer full = exec.call("alice", "SendOrder", order_with({}));
  EXPECT_EQ(difference(full.reply.payload, json(R"({"status":"Rejected",
                "errormsg":"Max_Working_Orders","errorcode":101})")),
            "")
      << full.reply.line;
  EXPECT_TRUE(full.events.empty());
  const Answer huge = exec.call("alice", "SendOrder", order_with({{"Quantity", "1e16"}}));
  EXPECT_EQ(huge["errormsg"], "Max_Quantity") << huge.reply.line;
  const Answer dear = exec.call("alice", "SendOrder", order_with({{"LimitPrice", "1e16"}}));
  EXPECT_EQ(dear["errormsg"], "Max_Price") << dear.reply.line;
  expect_canceled(exec.call("alice", "CancelOrder", cancel_payload(first)), first);
  exec.place("alice", 1, 'B', 1, 1);
}

TEST(SendOrder, BeyondTheCapacityForPriceLevelsIsRejectedAndChangesNothing) {
  TestEngine engine(rules_config().capacity("price_levels = 1\nsessions = 8\n"));
  ExecSession exec(engine, "alice");
  const core::OrderId first = exec.place("alice", 1, 'B', 1, 1);
  const Answer full = exec.call("alice", "SendOrder", order_with({{"LimitPrice", "2"}}));
  EXPECT_EQ(difference(full.reply.payload, json(R"({"status":"Rejected",
                "errormsg":"Max_Price_Levels","errorcode":101})")),
            "")
      << full.reply.line;
  EXPECT_TRUE(full.events.empty());
  exec.place("alice", 1, 'B', 1, 1);
  expect_canceled(exec.call("alice", "CancelOrder", cancel_payload(first)), first);
}

}  // namespace
}  // namespace shmatch::process_test
