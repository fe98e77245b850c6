// open-orders and book: what works, and what the market shows.
#include <CLI/CLI.hpp>
#include <memory>
#include <vector>

#include "tools/command.h"
#include "tools/report_codec.h"
#include "tools/text_view.h"

namespace shmatch::tools {

namespace {

bool refused(const core::Receipt& receipt) noexcept { return receipt.code != core::ErrorCode::kOk; }

int run_open_orders(const GlobalOptions& global, const PayloadFlags& flags) {
  const auto query = flags.encode(Function::kGetOpenOrders).as<core::OpenOrdersQuery>();
  Client client = log_on(global, "open-orders");
  std::vector<core::OpenOrderRow> rows;
  core::Receipt receipt;
  require(client.open_orders(query.oms_id, query.account_id, rows, receipt));
  if (refused(receipt)) return show_refusal(receipt, client, global.json);
  print(global.json ? open_orders_json(rows, client.reference()) + "\n"
                    : orders_table(rows, client.reference()));
  return kExitDone;
}

int run_book(const GlobalOptions& global, const PayloadFlags& flags) {
  const auto query = flags.encode(Function::kGetL2Snapshot).as<core::L2Query>();
  Client client = log_on(global, "book");
  Client::L2Snapshot snapshot;
  core::Receipt receipt;
  require(client.l2_snapshot(query.oms_id, query.instrument_id, query.depth, snapshot, receipt));
  if (refused(receipt)) return show_refusal(receipt, client, global.json);
  const BookView book{query.instrument_id, snapshot.md_update_id, snapshot.last_trade_price,
                      snapshot.bids, snapshot.asks};
  print(global.json ? l2_snapshot_json(book, client.reference()) + "\n"
                    : book_ladder(book, client.reference()));
  return kExitDone;
}

}  // namespace

void add_open_orders_command(CLI::App& app, CommandLine& line) {
  auto flags = std::make_shared<PayloadFlags>();
  CLI::App* command =
      app.add_subcommand("open-orders", "List an account's working orders (GetOpenOrders)");
  flags->add_oms_id(*command);
  flags->add(*command, "--account-id", "AccountId", "account whose orders are listed");
  command->footer("Example:\n  shmatch open-orders --account-id 1");
  command->callback([&line, flags] {
    line.run = [&line, flags] { return run_open_orders(line.global, *flags); };
  });
}

void add_book_command(CLI::App& app, CommandLine& line) {
  auto flags = std::make_shared<PayloadFlags>();
  CLI::App* command = app.add_subcommand("book", "Show the order book (GetL2Snapshot)");
  flags->add_oms_id(*command);
  flags->add(*command, "--instrument-id", "InstrumentId", "instrument whose book is shown");
  flags->add(*command, "--depth", "Depth", "price levels a side", "10");
  command->footer("Example:\n  shmatch book --instrument-id 3 --depth 5");
  command->callback(
      [&line, flags] { line.run = [&line, flags] { return run_book(line.global, *flags); }; });
}

}  // namespace shmatch::tools
