// Frames and payloads: what becomes a request, what the codec refuses, and what it leaves to the
// engine.
#include "tools/request_codec.h"

#include <gtest/gtest.h>

namespace shmatch::tools {
namespace {

JsonValue json(std::string_view text) {
  JsonValue value;
  std::string fault;
  EXPECT_TRUE(parse_json(text, value, fault)) << text << ": " << fault;
  return value;
}

EncodedRequest encoded(Function function, std::string_view payload) {
  return encode_request(function, json(payload));
}

template <class Message>
Message message_of(Function function, std::string_view payload) {
  const EncodedRequest request = encoded(function, payload);
  EXPECT_FALSE(request.refused()) << payload << ": " << request.fault;
  EXPECT_TRUE(request.request.is<Message>()) << payload;
  EXPECT_TRUE(core::well_formed(request.request)) << payload;
  return request.request.as<Message>();
}

core::CancelOrder cancel(std::string_view payload) {
  return message_of<core::CancelOrder>(Function::kCancelOrder, payload);
}

core::NewOrder new_order(std::string_view payload) {
  return message_of<core::NewOrder>(Function::kSendOrder, payload);
}

// A payload for OMS 1 with one more key.
std::string with(std::string_view key, std::string_view value) {
  return "{\"OMSId\":1,\"" + std::string(key) + "\":" + std::string(value) + "}";
}

std::string refusal(Function function, std::string_view payload) {
  const EncodedRequest request = encoded(function, payload);
  EXPECT_TRUE(request.refused()) << payload;
  return request.fault;
}

bool mentions(std::string_view text, std::string_view word) {
  return text.find(word) != std::string_view::npos;
}

Line line(std::string_view text) { return parse_line(text); }

std::string no_frame(std::string_view text) {
  const Line result = parse_line(text);
  EXPECT_EQ(result.kind, LineKind::kNoFrame) << text;
  EXPECT_FALSE(result.fault.empty()) << text;
  return result.fault;
}

// ---- frames

TEST(Frame, ReadsEveryKey) {
  const Line result =
      line(R"({"t":1,"u":"trader4","m":0,"i":2,"n":"cancelorder","o":{"OMSId":1},"x":[]})");
  ASSERT_EQ(result.kind, LineKind::kFrame);
  EXPECT_EQ(result.frame.sequence, "2");
  EXPECT_EQ(result.frame.function, "cancelorder");
  EXPECT_EQ(result.frame.user, "trader4");
  EXPECT_EQ(result.frame.payload.members.size(), 1U);
}

TEST(Frame, NeedsOnlyFunctionAndPayload) {
  const Line result = line(R"({"n":"Ping","o":{}})");
  ASSERT_EQ(result.kind, LineKind::kFrame);
  EXPECT_EQ(result.frame.sequence, "0");
  EXPECT_EQ(result.frame.user, "");
}

TEST(Frame, TakesAPayloadThatIsAString) {
  const Line result = line(R"({"n":"CancelOrder","o":"{\"OMSId\":1,\"OrderId\":7}"})");
  ASSERT_EQ(result.kind, LineKind::kFrame);
  const EncodedRequest request = encode_request(Function::kCancelOrder, result.frame);
  ASSERT_FALSE(request.refused());
  EXPECT_EQ(request.request.as<core::CancelOrder>().order_id, 7);
}

TEST(Frame, AStringWithoutAnObjectIsRefusedByTheCall) {
  for (const char* text : {R"({"n":"Ping","o":""})", R"({"n":"Ping","o":"[1]"})",
                           R"({"n":"Ping","o":"{"})", R"({"n":"Ping","o":"7"})"}) {
    const Line result = line(text);
    ASSERT_EQ(result.kind, LineKind::kFrame) << text;
    EXPECT_TRUE(encode_request(Function::kPing, result.frame).refused()) << text;
  }
}

TEST(Frame, SkipsWhatIsNoRequest) {
  EXPECT_EQ(line(R"({"m":1,"i":2,"n":"Ping","o":"{}"})").kind, LineKind::kSkipped);
  EXPECT_EQ(line(R"({"m":5})").kind, LineKind::kSkipped);
  EXPECT_EQ(line(R"({"m":"0","n":"Ping","o":{}})").kind, LineKind::kSkipped);
  EXPECT_EQ(line(R"({"m":0,"n":"Ping","o":{}})").kind, LineKind::kFrame);
}

TEST(Frame, IgnoresBlankLines) {
  EXPECT_EQ(line("").kind, LineKind::kBlank);
  EXPECT_EQ(line(" \t\r").kind, LineKind::kBlank);
}

TEST(Frame, SaysWhyALineIsNone) {
  EXPECT_TRUE(mentions(no_frame("{"), "not JSON"));
  EXPECT_EQ(no_frame("[1]"), "not a JSON object");
  EXPECT_EQ(no_frame(R"({"o":{}})"), "n is missing");
  EXPECT_EQ(no_frame(R"({"n":7,"o":{}})"), "n is not a string");
  EXPECT_EQ(no_frame(R"({"n":"Ping"})"), "o is missing");
  EXPECT_EQ(no_frame(R"({"n":"Ping","o":null})"), "o is missing");
  EXPECT_EQ(no_frame(R"({"n":"Ping","o":[]})"), "o is neither an object nor a string");
  EXPECT_EQ(no_frame(R"({"n":"Ping","o":{},"u":1})"), "u is not a string");
  EXPECT_EQ(no_frame(R"({"n":"Ping","N":"Pong","o":{}})"), "n is given twice");
  for (const char* i : {"1.0", "1e1", "\"1\"", "true", "{}"}) {
    EXPECT_EQ(no_frame(std::string(R"({"n":"Ping","o":{},"i":)") + i + "}"), "i is not an integer");
  }
  EXPECT_TRUE(mentions(no_frame("{" + std::string(kLineSizeMax, ' ') + "}"), "longer"));
}

TEST(Frame, TakesNullForAMissingKey) {
  const Line result = line(R"({"m":null,"i":null,"u":null,"n":"Ping","o":{}})");
  ASSERT_EQ(result.kind, LineKind::kFrame) << result.fault;
  EXPECT_EQ(result.frame.sequence, "0");
  EXPECT_EQ(result.frame.user, "");
}

TEST(Frame, KeepsTheSequenceAsWritten) {
  for (const char* i : {"0", "-4", "123456789012345678901234567890"}) {
    const Line result = line(std::string(R"({"n":"Ping","o":{},"i":)") + i + "}");
    ASSERT_EQ(result.kind, LineKind::kFrame);
    EXPECT_EQ(result.frame.sequence, i);
  }
}

TEST(Functions, AreFoundInAnyCase) {
  EXPECT_EQ(find_function("SENDORDER"), Function::kSendOrder);
  EXPECT_EQ(find_function("CancelOrder"), Function::kCancelOrder);
  EXPECT_EQ(find_function("getorderstatus"), Function::kGetOrderStatus);
  EXPECT_EQ(find_function("GetOpenOrders"), Function::kGetOpenOrders);
  EXPECT_EQ(find_function("GetL2Snapshot"), Function::kGetL2Snapshot);
  EXPECT_EQ(find_function("ping"), Function::kPing);
  EXPECT_EQ(find_function("CancelAllOrders"), std::nullopt);
  EXPECT_EQ(find_function(""), std::nullopt);
}

// ---- ids

TEST(Ids, AreNumbersOrStringsOfDigits) {
  const core::CancelOrder message =
      cancel(R"({"omsid":"1","ACCOUNTID":2,"OrderId":"007","clorderid":9223372036854775807})");
  EXPECT_EQ(message.oms_id, 1);
  EXPECT_EQ(message.account_id, 2);
  EXPECT_EQ(message.order_id, 7);
  EXPECT_EQ(message.cl_ord_id, 9223372036854775807);
}

TEST(Ids, ZeroNullAndAbsentAreOne) {
  for (const char* id : {"0", "null", "\"0\"", "-0", "\"000\""}) {
    EXPECT_EQ(cancel(with("OrderId", id)).order_id, 0) << id;
  }
  EXPECT_EQ(cancel(R"({"OMSId":1})").order_id, 0);
}

TEST(Ids, RefuseWhatTheRingCannotCarry) {
  for (const char* key : {"AccountId", "OrderId", "ClOrderId"}) {
    for (const char* value :
         {"true", "false", "1.5", "5.0", "1e2", "{}", "[]", "[7]", "-1", "9223372036854775808",
          "\"\"", "\"x\"", "\"-1\"", "\"1.0\"", "\" 1\"", "\"9223372036854775808\"", "1e400"}) {
      EXPECT_TRUE(mentions(refusal(Function::kCancelOrder, with(key, value)), key)) << value;
    }
  }
  EXPECT_TRUE(mentions(refusal(Function::kCancelOrder, R"({"OMSId":true})"), "OMSId must be"));
}

TEST(Ids, AMissingOmsIdIsRefused) {
  for (const char* payload : {"{}", R"({"OMSId":0})", R"({"OMSId":null,"OrderId":1})"}) {
    for (const Function function : {Function::kCancelOrder, Function::kSendOrder,
                                    Function::kGetOrderStatus, Function::kGetOpenOrders}) {
      EXPECT_EQ(refusal(function, payload), "OMSId is required");
    }
  }
  EXPECT_EQ(cancel(R"({"OMSId":2,"OrderId":1})").oms_id, 2);
}

TEST(Keys, TwiceWithOneValueCountOnce) {
  EXPECT_EQ(cancel(R"({"OMSId":1,"OrderId":7,"orderid":"7"})").order_id, 7);
  EXPECT_EQ(cancel(R"({"OMSId":1,"ClOrderId":7,"ClientOrderId":7})").cl_ord_id, 7);
  EXPECT_EQ(cancel(R"({"OMSId":1,"ClOrderId":0,"ClientOrderId":7})").cl_ord_id, 7);
  EXPECT_EQ(cancel(R"({"OMSId":1,"ClientOrderId":7,"ClOrderId":null})").cl_ord_id, 7);
  EXPECT_EQ(new_order(R"({"OMSId":1,"ClOrderId":7})").cl_ord_id, 7);
  EXPECT_EQ(new_order(R"({"OMSId":1,"Side":"Sell","side":1})").side, core::Side::kSell);
  EXPECT_EQ(new_order(R"({"OMSId":1,"Quantity":2,"quantity":"2.0"})").quantity(),
            (core::Decimal{2, 0}));
}

TEST(Keys, TwiceWithDifferentValuesAreRefused) {
  for (const char* payload : {R"({"OMSId":1,"OMSId":2})", R"({"OMSId":1,"OrderId":7,"orderid":8})",
                              R"({"OMSId":1,"ClOrderId":7,"ClientOrderId":8})",
                              R"({"OMSId":1,"ClOrderId":7,"ClientOrderId":7,"clorderid":9})"}) {
    EXPECT_TRUE(mentions(refusal(Function::kCancelOrder, payload), "twice")) << payload;
  }
  for (const char* payload :
       {R"({"OMSId":1,"ClOrderId":7,"ClientOrderId":8})", R"({"OMSId":1,"Side":0,"side":"Sell"})",
        R"({"OMSId":1,"Quantity":1,"QUANTITY":2})",
        R"({"OMSId":1,"PostOnly":true,"postonly":0})"}) {
    EXPECT_TRUE(mentions(refusal(Function::kSendOrder, payload), "twice")) << payload;
  }
}

TEST(Keys, UnknownOnesAreIgnored) {
  EXPECT_EQ(cancel(R"({"OMSId":1,"OrderId":7,"Foo":{"Bar":[true]},"Quantity":"x"})").order_id, 7);
  EXPECT_EQ(new_order(R"({"OMSId":1,"PegPriceType":"3","StopPrice":{}})").oms_id, 1);
}

// ---- SendOrder

TEST(SendOrder, CarriesEveryField) {
  const core::NewOrder order =
      new_order(R"({"OMSId":1,"AccountId":8,"ClientOrderId":65595247,"InstrumentId":1,"Side":0,)"
                R"("OrderType":2,"TimeInForce":1,"Quantity":2.0,"LimitPrice":236.47})");
  EXPECT_EQ(order.oms_id, 1);
  EXPECT_EQ(order.account_id, 8);
  EXPECT_EQ(order.instrument_id, 1);
  EXPECT_EQ(order.cl_ord_id, 65595247);
  EXPECT_EQ(order.side, core::Side::kBuy);
  EXPECT_EQ(order.order_type, core::OrderType::kLimit);
  EXPECT_EQ(order.time_in_force, core::TimeInForce::kGtc);
  EXPECT_EQ(order.quantity(), (core::Decimal{2, 0}));
  EXPECT_EQ(order.limit_price(), (core::Decimal{23647, -2}));
  EXPECT_EQ(order.features, 0);
}

TEST(SendOrder, AbsentFieldsHaveTheirDefaults) {
  for (const char* payload :
       {R"({"OMSId":1})",
        R"({"OMSId":1,"Side":null,"OrderType":null,"TimeInForce":null,"Quantity":null,)"
        R"("LimitPrice":null,"PostOnly":null,"Value":null,"OrderIdOCO":null})"}) {
    const core::NewOrder order = new_order(payload);
    EXPECT_EQ(order.side, core::Side::kAbsent);
    EXPECT_EQ(order.order_type, core::OrderType::kAbsent);
    EXPECT_EQ(order.time_in_force, core::TimeInForce::kGtc);
    EXPECT_EQ(order.quantity(), core::kDecimalAbsent);
    EXPECT_EQ(order.limit_price(), core::kDecimalAbsent);
    EXPECT_EQ(order.features, 0);
  }
}

TEST(Enums, AreNumbersDigitsOrNames) {
  for (const char* side : {"1", "\"1\"", "\"Sell\"", "\"sELL\"", "\"01\""}) {
    EXPECT_EQ(new_order(with("Side", side)).side, core::Side::kSell) << side;
  }
  const core::NewOrder order =
      new_order(R"({"OMSId":1,"OrderType":"stoplimit","TimeInForce":"FOK","Side":"short"})");
  EXPECT_EQ(order.order_type, core::OrderType::kStopLimit);
  EXPECT_EQ(order.time_in_force, core::TimeInForce::kFok);
  EXPECT_EQ(order.side, core::Side::kShort);
}

TEST(Enums, UnknownOnesGoToTheEngine) {
  for (const char* value : {"255", "256", "99999999999999999999", "\"Foo\"", "\"\"", "\"1.0\""}) {
    EXPECT_EQ(new_order(with("Side", value)).side, core::Side::kUnknown) << value;
    EXPECT_EQ(new_order(with("OrderType", value)).order_type, core::OrderType::kUnknown) << value;
    EXPECT_EQ(new_order(with("TimeInForce", value)).time_in_force, core::TimeInForce::kUnknown)
        << value;
  }
  const core::NewOrder order = new_order(R"({"OMSId":1,"Side":254,"OrderType":9,"TimeInForce":0})");
  EXPECT_EQ(static_cast<int>(order.side), 254);
  EXPECT_EQ(static_cast<int>(order.order_type), 9);
  EXPECT_EQ(order.time_in_force, core::TimeInForce::kUnknown);
}

TEST(Enums, OtherKindsAreRefused) {
  for (const char* key : {"Side", "OrderType", "TimeInForce"}) {
    for (const char* value : {"true", "1.0", "1.5", "1e0", "-1", "{}", "[1]"}) {
      EXPECT_TRUE(mentions(refusal(Function::kSendOrder, with(key, value)), key)) << value;
    }
  }
}

TEST(Decimals, AreJudgedByValue) {
  for (const char* value : {"2", "2.0", "\"2\"", "\"2.00\"", "20e-1", "0.2E+1"}) {
    EXPECT_EQ(new_order(with("Quantity", value)).quantity(), (core::Decimal{2, 0})) << value;
  }
}

TEST(Decimals, BadValuesGoToTheEngine) {
  EXPECT_EQ(new_order(with("Quantity", "0")).quantity(), core::Decimal{});
  EXPECT_EQ(new_order(with("Quantity", "-1")).quantity(), (core::Decimal{-1, 0}));
  for (const char* value : {"12345678901234567891", "1e400", "\"1e99\""}) {
    EXPECT_EQ(new_order(with("LimitPrice", value)).limit_price(), core::kDecimalHuge) << value;
  }
  for (const char* value :
       {"-12345678901234567891", "-1e400", "1e-400", "0.12345678901234567891"}) {
    EXPECT_EQ(new_order(with("LimitPrice", value)).limit_price(), core::kDecimalInvalid) << value;
  }
}

TEST(Decimals, OtherKindsAreRefused) {
  for (const char* key : {"Quantity", "LimitPrice", "Value"}) {
    for (const char* value : {"true", "\"\"", "\"x\"", "\"1,5\"", "{}", "[2]"}) {
      EXPECT_TRUE(mentions(refusal(Function::kSendOrder, with(key, value)), key)) << value;
    }
  }
}

TEST(Features, AreCarriedToTheEngine) {
  struct Case {
    const char* fields;
    std::uint16_t features;
  };
  const Case cases[] = {
      {R"("UseDisplayQuantity":true)", core::kFeatureDisplayQuantity},
      {R"("UseDisplayQuantity":"true")", core::kFeatureDisplayQuantity},
      {R"("PostOnly":1)", core::kFeaturePostOnly},
      {R"("OrderIdOCO":5)", core::kFeatureOco},
      {R"("Value":0.5)", core::kFeatureValue},
      {R"("Value":1e400)", core::kFeatureValue},
      {R"("UseDisplayQuantity":false,"PostOnly":0,"OrderIdOCO":0,"Value":"0.0")", 0},
      {R"("UseDisplayQuantity":"false","DisplayQuantity":3)", 0},
      {R"("PostOnly":true,"orderidoco":"9","VALUE":"3","usedisplayquantity":1)",
       core::kFeaturesAll},
  };
  for (const Case& wanted : cases) {
    EXPECT_EQ(new_order(std::string(R"({"OMSId":1,)") + wanted.fields + "}").features,
              wanted.features)
        << wanted.fields;
  }
}

TEST(Features, OtherKindsAreRefused) {
  refusal(Function::kSendOrder, with("PostOnly", "2"));
  refusal(Function::kSendOrder, with("PostOnly", "\"yes\""));
  refusal(Function::kSendOrder, with("PostOnly", "{}"));
  refusal(Function::kSendOrder, with("UseDisplayQuantity", "0.5"));
  refusal(Function::kSendOrder, with("OrderIdOCO", "true"));
  refusal(Function::kSendOrder, with("OrderIdOCO", "-1"));
}

// ---- queries

TEST(Queries, CarryTheirFields) {
  const auto status = message_of<core::OrderStatusQuery>(
      Function::kGetOrderStatus, R"({"OMSId":1,"AccountId":2,"OrderId":3})");
  EXPECT_EQ(status.oms_id, 1);
  EXPECT_EQ(status.account_id, 2);
  EXPECT_EQ(status.order_id, 3);
  const auto open =
      message_of<core::OpenOrdersQuery>(Function::kGetOpenOrders, with("AccountId", "\"2\""));
  EXPECT_EQ(open.account_id, 2);
  EXPECT_EQ(open.continuation, 0U);
  const auto book = message_of<core::L2Query>(Function::kGetL2Snapshot,
                                              R"({"OMSId":1,"InstrumentId":3,"Depth":"10"})");
  EXPECT_EQ(book.instrument_id, 3);
  EXPECT_EQ(book.depth, 10);
  message_of<core::Ping>(Function::kPing, R"({"OMSId":true})");
}

TEST(Queries, L2SnapshotNamesWhatItNeeds) {
  for (const char* payload :
       {"{}", R"({"OMSId":1,"InstrumentId":3})", R"({"OMSId":1,"Depth":3})",
        R"({"InstrumentId":1,"Depth":3})", R"({"OMSId":1,"InstrumentId":3,"Depth":null})",
        R"({"OMSId":1,"InstrumentId":0,"Depth":1})"}) {
    EXPECT_EQ(refusal(Function::kGetL2Snapshot, payload),
              "OMSId, InstrumentId and Depth are Required")
        << payload;
  }
  for (const char* depth : {"0", "-1", "\"0\"", "1.0", "true"}) {
    const std::string payload =
        std::string(R"({"OMSId":1,"InstrumentId":3,"Depth":)") + depth + "}";
    EXPECT_TRUE(mentions(refusal(Function::kGetL2Snapshot, payload), "Depth must be")) << depth;
  }
}

}  // namespace
}  // namespace shmatch::tools
