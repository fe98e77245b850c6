// send, cancel, status: one call about one order.
#include <CLI/CLI.hpp>
#include <vector>

#include "tools/command.h"
#include "tools/report_codec.h"
#include "tools/text_view.h"

namespace shmatch::tools {

namespace {

// Everything that the input which `reply` answers has caused: a ping is answered behind all of it.
std::vector<Report> events_of(Client& client, const core::ReportHeader& reply) {
  Report pong;
  require(client.call(core::Ping{.fence = 1}, pong));
  std::vector<Report> events;
  for (Report report; client.poll(report);) {
    if (report.as<core::ReportHeader>().engine_sequence == reply.engine_sequence) {
      events.push_back(report);
    }
  }
  return events;
}

int run_send(const GlobalOptions& global, const PayloadFlags& flags) {
  const auto request = flags.encode(Function::kSendOrder).as<core::NewOrder>();
  Client client = log_on(global, "send");
  Report reply;
  require(client.call(request, reply));
  if (reply.is<core::Receipt>()) {
    return show_refusal(reply.as<core::Receipt>(), client, global.json);
  }
  const auto accepted = reply.as<core::OrderAccepted>();
  if (global.json) {
    print_line(accepted_json(accepted));
    return kExitDone;
  }
  std::string text = "Accepted as order " + std::to_string(accepted.order_id) + ".\n";
  for (const Report& event : events_of(client, accepted.header)) {
    if (event.is<core::TradeWhole>()) {
      const auto trade = event.as<core::TradeWhole>();
      if (trade.order_id != accepted.order_id) continue;
      text += trade_sentence(trade, client.reference()) + "\n";
    } else if (event.is<core::OrderStateWhole>()) {
      const auto order = event.as<core::OrderStateWhole>();
      if (order.order_id != accepted.order_id) continue;
      text += order_sentence(order, client.reference()) + "\n";
    }
  }
  print(text);
  return kExitDone;
}

int run_cancel(const GlobalOptions& global, const PayloadFlags& flags) {
  const auto request = flags.encode(Function::kCancelOrder).as<core::CancelOrder>();
  Client client = log_on(global, "cancel");
  Report reply;
  require(client.call(request, reply));
  const auto receipt = reply.as<core::Receipt>();
  if (receipt.code != core::ErrorCode::kOk) return show_refusal(receipt, client, global.json);
  if (global.json) {
    print_line(receipt_json(receipt, client.reference()));
    return kExitDone;
  }
  std::string text = "The engine took the cancel.\n";
  for (const Report& event : events_of(client, receipt.header)) {
    if (!event.is<core::OrderStateWhole>()) continue;
    text += order_sentence(event.as<core::OrderStateWhole>(), client.reference()) + "\n";
  }
  print(text);
  return kExitDone;
}

int run_status(const GlobalOptions& global, const PayloadFlags& flags) {
  const auto request = flags.encode(Function::kGetOrderStatus).as<core::OrderStatusQuery>();
  Client client = log_on(global, "status");
  Report reply;
  require(client.call(request, reply));
  if (reply.is<core::Receipt>()) {
    return show_refusal(reply.as<core::Receipt>(), client, global.json);
  }
  const auto order = reply.as<core::OrderStatusReply>();
  print(global.json ? order_json(order, client.reference()) + "\n"
                    : order_details(order, client.reference()));
  return kExitDone;
}

}  // namespace

void add_send_command(CLI::App& app, CommandLine& line) {
  auto flags = std::make_shared<PayloadFlags>();
  CLI::App* command = app.add_subcommand("send", "Send an order (SendOrder)");
  flags->add_oms_id(*command);
  flags->add(*command, "--account-id", "AccountId", "account that trades");
  flags->add(*command, "--instrument-id", "InstrumentId", "instrument to trade");
  flags->add(*command, "--side", "Side", "Buy or Sell, or 0 or 1");
  flags->add(*command, "--order-type", "OrderType", "Limit or Market, or 2 or 1");
  flags->add(*command, "--time-in-force", "TimeInForce", "GTC (default), IOC or FOK, or 1, 3 or 4");
  flags->add(*command, "--quantity", "Quantity", "quantity, a multiple of the instrument's lot");
  flags->add(*command, "--limit-price", "LimitPrice", "price, a multiple of the instrument's tick");
  flags->add(*command, "--client-order-id,--cl-ord-id", "ClientOrderId",
             "your own id; unique among the account's working orders");
  command->footer(
      "The reply is printed, and for people also what became of the order at once.\n"
      "Example:\n"
      "  shmatch send --account-id 1 --instrument-id 3 --side Buy --order-type Limit \\\n"
      "    --quantity 5 --limit-price 100 --client-order-id 7");
  command->callback(
      [&line, flags] { line.run = [&line, flags] { return run_send(line.global, *flags); }; });
}

void add_cancel_command(CLI::App& app, CommandLine& line) {
  auto flags = std::make_shared<PayloadFlags>();
  CLI::App* command = app.add_subcommand("cancel", "Cancel an order (CancelOrder)");
  flags->add_oms_id(*command);
  flags->add(*command, "--order-id", "OrderId", "the engine's id of the order");
  flags->add(*command, "--account-id", "AccountId",
             "account of the order; needed with --cl-ord-id");
  flags->add(*command, "--cl-ord-id,--cl-order-id", "ClOrderId", "the client's id of the order");
  command->footer(
      "For people the receipt and the outcome are printed, with --json the receipt alone.\n"
      "Examples:\n"
      "  shmatch cancel --order-id 42\n"
      "  shmatch --json cancel --account-id 1 --cl-ord-id 7");
  command->callback(
      [&line, flags] { line.run = [&line, flags] { return run_cancel(line.global, *flags); }; });
}

void add_status_command(CLI::App& app, CommandLine& line) {
  auto flags = std::make_shared<PayloadFlags>();
  CLI::App* command = app.add_subcommand("status", "Show an order (GetOrderStatus)");
  flags->add_oms_id(*command);
  flags->add(*command, "--order-id", "OrderId", "the engine's id of the order");
  flags->add(*command, "--account-id", "AccountId", "if given, must be the order's account");
  command->footer("Example:\n  shmatch status --order-id 42");
  command->callback(
      [&line, flags] { line.run = [&line, flags] { return run_status(line.global, *flags); }; });
}

}  // namespace shmatch::tools
