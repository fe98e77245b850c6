// Reports as the API's JSON, compared as whole texts: keys, their order, exact decimals, times.
#include "tools/report_codec.h"

#include <gtest/gtest.h>

#include <cstring>

#include "tools/enum_names.h"
#include "tools/json.h"

namespace shmatch::tools {
namespace {

ReferenceData reference() {
  core::Configuration configuration;
  configuration.instruments = {{1, "BTCUSD", {1, -2}, {1, -8}}};
  configuration.accounts = {1, 2};
  configuration.users = {{10, "alice", core::kPermissionTrading, {1, 2}}};
  return ReferenceData(configuration);
}

bool mentions(std::string_view text, std::string_view word) {
  return text.find(word) != std::string_view::npos;
}

void set_state(core::OrderStateWhole& order, core::OrderState state, core::CancelReason reason,
               core::ChangeReason change) {
  order.header.a =
      core::pack_nibbles(static_cast<std::uint8_t>(state), static_cast<std::uint8_t>(reason));
  order.header.b = static_cast<std::uint8_t>(change);
}

// A sell order of 2 at 236.47, of which 0.5 was executed at 236.50.
core::OrderStateWhole partly_filled() {
  core::OrderStateWhole order;
  set_state(order, core::OrderState::kWorking, core::CancelReason::kNone,
            core::ChangeReason::kTrade);
  order.order_id = 42;
  order.cl_ord_id = 7;
  order.account_id = 2;
  order.price = 23'647;
  order.orig_quantity = 200'000'000;
  order.leaves = 150'000'000;
  order.executed = 50'000'000;
  const core::Wide gross = core::Wide{23'650} * 50'000'000;
  order.gross_low = core::low_word(gross);
  order.gross_high = core::high_word(gross);
  order.receive_time_ns = 1'430'438'404'518'000'199;
  order.update_time_ns = 1'430'438'405'000'999'900;
  order.inside_ask = 23'647;
  order.inside_ask_size_low = 150'000'000;
  order.last_trade_price = 23'650;
  order.instrument_id = 1;
  order.entered_by = 10;
  order.side = core::Side::kSell;
  order.order_type = core::OrderType::kLimit;
  order.order_flags = core::kFlagAddedToBook;
  return order;
}

TEST(OrderObject, HasAllFieldsInTheApisOrder) {
  EXPECT_EQ(
      order_json(partly_filled(), reference()),
      R"({"Side":"Sell","OrderId":42,"Price":236.47,"Quantity":1.5,"DisplayQuantity":1.5,)"
      R"("Instrument":1,"Account":2,"AccountName":"","OrderType":"Limit","ClientOrderId":7,)"
      R"("OrderState":"Working","ReceiveTime":1430438404518,)"
      R"("ReceiveTimeTicks":635660352045180001,"LastUpdatedTime":1430438405000,)"
      R"("LastUpdatedTimeTicks":635660352050009999,"OrigQuantity":2,"QuantityExecuted":0.5,)"
      R"("GrossValueExecuted":118.25,"ExecutableValue":0,"AvgPrice":236.5,"CounterPartyId":0,)"
      R"("ChangeReason":"Trade","OrigOrderId":42,"OrigClOrdId":7,"EnteredBy":10,)"
      R"("UserName":"alice","IsQuote":false,"InsideAsk":236.47,"InsideAskSize":1.5,)"
      R"("InsideBid":0,"InsideBidSize":0,"LastTradePrice":236.5,"RejectReason":"",)"
      R"("IsLockedIn":false,"CancelReason":"","OrderFlag":"AddedToBook","UseMargin":false,)"
      R"("StopPrice":0,"PegPriceType":"Last","PegOffset":0,"PegLimitOffset":0,)"
      R"("IpAddress":null,"IPv6a":0,"IPv6b":0,"ClientOrderIdUuid":null,"OMSId":1})");
}

TEST(OrderObject, HasFortySixFields) {
  JsonValue value;
  std::string fault;
  ASSERT_TRUE(parse_json(order_json(partly_filled(), reference()), value, fault)) << fault;
  EXPECT_EQ(value.members.size(), 46U);
}

TEST(OrderObject, TellsHowItEnded) {
  core::OrderStateWhole order = partly_filled();
  set_state(order, core::OrderState::kCanceled, core::CancelReason::kUserModified,
            core::ChangeReason::kUserModified);
  order.leaves = 0;
  order.order_flags = core::kFlagAddedToBook | core::kFlagRemovedFromBook;
  const std::string text = order_json(order, reference());
  EXPECT_TRUE(mentions(text, R"("OrderState":"Canceled")"));
  EXPECT_TRUE(mentions(text, R"("Quantity":0,"DisplayQuantity":0,)"));
  EXPECT_TRUE(mentions(text, R"("ChangeReason":"UserModified")"));
  EXPECT_TRUE(mentions(text, R"("CancelReason":"UserModified")"));
  EXPECT_TRUE(mentions(text, R"("OrderFlag":"AddedToBook, RemovedFromBook")"));
}

TEST(OrderObject, IsOneInEveryReport) {
  const core::OrderStateWhole event = partly_filled();
  core::OrderStatusReply reply;
  core::OpenOrderRow row;
  static_assert(sizeof reply == sizeof event && sizeof row == sizeof event);
  std::memcpy(static_cast<void*>(&reply), &event, sizeof event);
  std::memcpy(static_cast<void*>(&row), &event, sizeof event);
  const std::string text = order_json(event, reference());
  EXPECT_EQ(order_json(reply, reference()), text);
  EXPECT_EQ(order_json(row, reference()), text);
  const core::OpenOrderRow rows[] = {row, row};
  EXPECT_EQ(open_orders_json(rows, reference()), "[" + text + "," + text + "]");
  EXPECT_EQ(open_orders_json({}, reference()), "[]");
}

TEST(Names, AreTheApisOwn) {
  EXPECT_EQ(order_flag_text(0), "0");
  EXPECT_EQ(order_flag_text(core::kFlagRemovedFromBook), "RemovedFromBook");
  EXPECT_EQ(cancel_reason_text(core::CancelReason::kNone), "");
  EXPECT_EQ(cancel_reason_text(core::CancelReason::kNoMoreMarket), "SystemCanceled_NoMoreMarket");
  EXPECT_EQ(cancel_reason_text(core::CancelReason::kCancelOnDisconnect), "CancelOnDisconnect");
  EXPECT_EQ(name_of(core::ChangeReason::kNewInputAccepted), "NewInputAccepted");
  EXPECT_EQ(name_of(core::OrderState::kFullyExecuted), "FullyExecuted");
  EXPECT_EQ(name_of(core::TimeInForce::kIoc), "IOC");
  EXPECT_EQ(name_of(static_cast<core::OrderType>(77)), "Unknown");
}

core::TradeWhole trade() {
  core::TradeWhole trade;
  trade.header.a = core::pack_nibbles(static_cast<std::uint8_t>(core::Side::kBuy),
                                      static_cast<std::uint8_t>(core::Direction::kUpTick));
  trade.header.b = 1;
  trade.trade_id = 3;
  trade.order_id = 42;
  trade.price = 23'647;
  trade.quantity = 150'000'000;
  trade.time_ns = 1'430'438'404'518'000'000;
  trade.cl_ord_id = 7;
  trade.account_id = 2;
  trade.contra_account_id = 1;
  trade.leaves = 1;
  trade.instrument_id = 1;
  return trade;
}

TEST(TradeObject, HasItsFieldsInOrder) {
  EXPECT_EQ(
      trade_json(trade(), reference()),
      R"({"OMSId":1,"TradeId":3,"OrderId":42,"AccountId":2,"ClientOrderId":7,"InstrumentId":1,)"
      R"("Side":"Buy","Quantity":1.5,"Price":236.47,"Value":354.705,)"
      R"("TradeTime":635660352045180000,"ContraAcctId":1,"OrderTradeRevision":1,)"
      R"("Direction":"UpTick","CounterPartyClientUserId":0,"NotionalProductId":0,)"
      R"("NotionalRate":0,"NotionalValue":0,"MakerTaker":"Maker","RemainingQuantity":0.00000001,)"
      R"("TradeTimeMS":1430438404518})");
}

TEST(Receipts, AreTheGenericObject) {
  core::Receipt receipt;
  receipt.request_type = static_cast<std::uint32_t>(core::RequestType::kCancelOrder);
  EXPECT_EQ(receipt_json(receipt, reference()),
            R"({"result":true,"errormsg":null,"errorcode":0,"detail":null})");
  receipt.code = core::ErrorCode::kNotFound;
  receipt.detail = core::Detail::kCanceledByUser;
  receipt.argument0 = 10;
  receipt.argument1 = 5;
  EXPECT_EQ(receipt_json(receipt, reference()),
            R"({"result":false,"errormsg":"Resource Not Found","errorcode":104,)"
            R"("detail":"the order was canceled by user alice, engine sequence 5"})");
  EXPECT_EQ(generic_json(core::ErrorCode::kInvalidRequest, "say \"why\""),
            R"({"result":false,"errormsg":"Invalid Request","errorcode":100,)"
            R"("detail":"say \"why\""})");
}

TEST(Receipts, OfSendOrderCanBeRejects) {
  core::Receipt receipt;
  receipt.request_type = static_cast<std::uint32_t>(core::RequestType::kNewOrder);
  receipt.code = core::ErrorCode::kOperationFailed;
  receipt.detail = core::Detail::kDuplicateClOrdId;
  EXPECT_EQ(receipt_json(receipt, reference()),
            R"({"status":"Rejected","errormsg":"Invalid_ClientOrderId","errorcode":101})");
  receipt.detail = core::Detail::kRateLimited;
  EXPECT_TRUE(mentions(receipt_json(receipt, reference()), R"("result":false)"));
  core::OrderAccepted accepted;
  accepted.order_id = 6500;
  EXPECT_EQ(accepted_json(accepted), R"({"status":"Accepted","errormsg":"","OrderId":6500})");
}

TEST(L2Snapshot, IsArraysOfTen) {
  core::L2Row bid;
  bid.price = 23'600;
  bid.quantity_low = 150'000'000;
  bid.order_count = 2;
  bid.account_count = 1;
  bid.time_ns = 1'430'438'404'518'999'999;
  core::L2Row ask = bid;
  ask.price = 23'647;
  ask.quantity_high = 1;
  ask.quantity_low = 0;
  const core::L2Row bids[] = {bid};
  const core::L2Row asks[] = {ask};
  EXPECT_EQ(l2_snapshot_json({1, 99, 23'650, bids, asks}, reference()),
            "[[99,1,1430438404518,0,236.5,2,236,1,1.5,0],"
            "[99,1,1430438404518,0,236.5,2,236.47,1,184467440737.09551616,1]]");
  EXPECT_EQ(l2_snapshot_json({9, 0, 0, {}, {}}, reference()), "[]");
}

TEST(Frames, CarryTheSequenceAndNameAsSent) {
  EXPECT_EQ(reply_frame("4", "cancelORDER", pong_json()),
            R"({"m":1,"i":4,"n":"cancelORDER","o":{"msg":"PONG"}})");
  EXPECT_EQ(error_frame("-4", "a\"\n", "Endpoint Not Found"),
            R"({"m":5,"i":-4,"n":"a\"\n","o":"Endpoint Not Found"})");
}

TEST(Frames, ShowEventsAndNothingElse) {
  core::Report report;
  report.assign(partly_filled());
  EXPECT_EQ(event_frame(report, reference()), R"({"m":3,"n":"OrderStateEvent","o":)" +
                                                  order_json(partly_filled(), reference()) + "}");
  report.assign(trade());
  EXPECT_EQ(event_frame(report, reference()),
            R"({"m":3,"n":"OrderTradeEvent","o":)" + trade_json(trade(), reference()) + "}");
  report.assign(core::Pong{});
  EXPECT_EQ(event_frame(report, reference()), std::nullopt);
}

}  // namespace
}  // namespace shmatch::tools
