#include "tools/demo_report.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <iterator>
#include <string_view>
#include <utility>

namespace shmatch::tools {
namespace {

// The first column is flush left, the others flush right.
class Table {
 public:
  explicit Table(std::vector<std::string> heading) { add(std::move(heading)); }

  void add(std::vector<std::string> row) {
    widths_.resize(std::max(widths_.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths_[i] = std::max(widths_[i], static_cast<int>(row[i].size()));
    }
    rows_.push_back({std::move(row), ""});
  }

  // A line of its own below the row that was added last.
  void add_note(std::string text) { rows_.back().note = std::move(text); }

  void print() const {
    for (const Row& row : rows_) {
      std::printf("  %-*s", widths_[0], row.cells[0].c_str());
      for (std::size_t i = 1; i < row.cells.size(); ++i) {
        std::printf("  %*s", widths_[i], row.cells[i].c_str());
      }
      std::printf("\n");
      if (!row.note.empty()) std::printf("    %s\n", row.note.c_str());
    }
  }

 private:
  struct Row {
    std::vector<std::string> cells;
    std::string note;
  };

  std::vector<int> widths_;
  std::vector<Row> rows_;
};

void heading(std::string_view text) {
  std::printf("\n%.*s\n", static_cast<int>(text.size()), text.data());
}

std::string text_of(std::uint64_t number) { return with_separators(number); }

// "1 line", "2 lines".
std::string counted(std::uint64_t number, const std::string& noun) {
  return with_separators(number) + " " + noun + (number == 1 ? "" : "s");
}

std::string display_name(const std::string& user) { return user.empty() ? "(no user)" : user; }

std::string ratio_text(double ratio) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.2f", ratio);
  return text;
}

// By Detail.
constexpr std::string_view kDetailNames[] = {"None",
                                             "Stopping",
                                             "JournalFailed",
                                             "RateLimited",
                                             "WrongOms",
                                             "NoOrderKey",
                                             "NoAccountForClOrdId",
                                             "NoPermission",
                                             "ForeignAccount",
                                             "ForeignOrder",
                                             "UnknownOrder",
                                             "UnknownClOrdId",
                                             "KeysDisagree",
                                             "Filled",
                                             "CanceledByUser",
                                             "NoMoreMarket",
                                             "CanceledOnDisconnect",
                                             "NotCancellable",
                                             "FieldMissing",
                                             "UnknownEnum",
                                             "UnknownAccount",
                                             "UnknownInstrument",
                                             "NotPositive",
                                             "NotMultiple",
                                             "UnsupportedSide",
                                             "UnsupportedType",
                                             "UnsupportedTimeInForce",
                                             "UnsupportedFeature",
                                             "DuplicateClOrdId",
                                             "MaxWorkingOrders",
                                             "MaxQuantity",
                                             "MaxPrice",
                                             "MaxOrderIds",
                                             "Malformed",
                                             "MaxPriceLevels"};
static_assert(std::size(kDetailNames) == static_cast<std::size_t>(core::kDetailLast) + 1);

// A number for a detail that is newer than the table.
std::string detail_name(std::size_t detail) {
  return detail < std::size(kDetailNames) ? std::string(kDetailNames[detail])
                                          : "detail " + std::to_string(detail);
}

void add_client(Table& table, const ClientResult& result) {
  const Tally& tally = result.tally;
  table.add({display_name(result.user), text_of(result.frames),
             text_of(tally.done[RequestKind::kOrder]), text_of(tally.done[RequestKind::kCancel]),
             text_of(tally.done[RequestKind::kQuery]), text_of(tally.refusals().sum()),
             text_of(tally.trades), text_of(tally.events)});
}

void print_outcomes(const KindCounts& sent, const Tally& all) {
  const KindCounts refused = all.refusals();
  std::printf("\n  orders   %s sent, %s accepted, %s refused\n",
              text_of(sent[RequestKind::kOrder]).c_str(),
              text_of(all.done[RequestKind::kOrder]).c_str(),
              text_of(refused[RequestKind::kOrder]).c_str());
  std::printf(
      "           of those accepted: %s filled, %s canceled by request,\n"
      "           %s ended for lack of a market (IOC, FOK, Market), %s still working\n",
      text_of(all.filled).c_str(), text_of(all.canceled).c_str(),
      text_of(all.no_more_market).c_str(), text_of(all.working).c_str());
  std::printf("  cancels  %s sent, %s done, %s refused\n",
              text_of(sent[RequestKind::kCancel]).c_str(),
              text_of(all.done[RequestKind::kCancel]).c_str(),
              text_of(refused[RequestKind::kCancel]).c_str());
  std::printf("  trades   %s\n", text_of(all.trades).c_str());
  std::printf("  events   %s received\n", text_of(all.events).c_str());
}

std::string malformed_example(const RequestLog& log) {
  for (const UserFrames& frames : log.users) {
    if (!frames.malformed_example.empty()) return frames.malformed_example;
  }
  return "";
}

}  // namespace

std::string with_separators(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t i = text.size(); i > 3; i -= 3) text.insert(i - 3, ",");
  return text;
}

void print_log(const std::string& path, const RequestLog& log) {
  heading("Log");
  std::printf("  %s\n", path.c_str());
  std::printf("  %s: %s, %s, %s\n", counted(log.frames.sum(), "frame").c_str(),
              counted(log.frames[RequestKind::kOrder], "order").c_str(),
              counted(log.frames[RequestKind::kCancel], "cancel").c_str(),
              log.frames[RequestKind::kQuery] == 1
                  ? "1 query"
                  : (text_of(log.frames[RequestKind::kQuery]) + " queries").c_str());
  if (log.skipped > 0) {
    std::printf("  left out: %s whose m is not 0\n", counted(log.skipped, "frame").c_str());
  }
  if (log.unknown_functions > 0) {
    std::printf("  left out: %s of functions that this engine does not have\n",
                counted(log.unknown_functions, "frame").c_str());
  }
  if (log.no_frames > 0) {
    std::printf("  left out: %s without a frame; the first is %s\n",
                counted(log.no_frames, "line").c_str(), log.no_frame_example.c_str());
  }
}

void print_engine(const DemoEngine& engine, std::size_t clients) {
  heading("Replay");
  std::printf("  engine   process %d, default configuration, --idle yield\n",
              static_cast<int>(engine.process().id()));
  std::printf("  clients  %s, up to %u requests in flight each, as fast as the engine answers\n",
              clients == 1 ? "1 process" : (text_of(clients) + " processes").c_str(),
              kRequestsInFlight);
  std::fflush(stdout);
}

Progress::~Progress() {
  if (drawn_) std::printf("\n");
}

void Progress::show(std::uint64_t answered) {
  constexpr int kWidth = 40;
  const std::uint64_t tenths = answered * 10 / total_;
  if (terminal_) {
    const int filled = static_cast<int>(answered * kWidth / total_);
    std::printf("\r  [%.*s%*s] %3" PRIu64 " %%  %s of %s answered", filled,
                "########################################", kWidth - filled, "",
                answered * 100 / total_, text_of(answered).c_str(), text_of(total_).c_str());
    drawn_ = true;
  } else if (tenths > tenths_) {
    std::printf("  %3" PRIu64 " %%  %s of %s answered\n", answered * 100 / total_,
                text_of(answered).c_str(), text_of(total_).c_str());
  }
  tenths_ = tenths;
  std::fflush(stdout);
}

void print_results(const RequestLog& log, const std::vector<ClientResult>& results,
                   double seconds) {
  heading("What happened");
  ClientResult all;
  all.user = "all";
  Table clients(
      {"client", "frames", "orders", "cancels", "queries", "refused", "trades", "events"});
  for (const ClientResult& result : results) {
    add_client(clients, result);
    all.frames += result.frames;
    all.tally += result.tally;
  }
  add_client(clients, all);
  clients.print();
  for (const ClientResult& result : results) {
    if (result.no_logon.empty()) continue;
    std::printf("  %s could not log on, its frames were not sent: %s\n",
                display_name(result.user).c_str(), result.no_logon.c_str());
  }
  print_outcomes(log.frames, all.tally);
  std::printf("  time     %.2f s for all clients together\n", seconds);
  if (results.size() > 1) {
    std::printf(
        "\n  The clients race, so what depends on who comes first (trades, cancels that come "
        "too late)\n  differs from run to run. `shmatch exec` replays a log exactly.\n");
  }
}

void print_refusals(const RequestLog& log, const std::vector<ClientResult>& results,
                    const ReferenceData& reference) {
  heading("Refused, by reason");
  Tally all;
  for (const ClientResult& result : results) all += result.tally;
  if (all.refusals().sum() == 0) {
    std::printf("  nothing\n");
    return;
  }
  std::vector<std::size_t> given;
  for (std::size_t i = 0; i < kDetailsMax; ++i) {
    if (all.refused[i].counts.sum() != 0) given.push_back(i);
  }
  std::stable_sort(given.begin(), given.end(), [&](std::size_t a, std::size_t b) {
    return all.refused[a].example.code < all.refused[b].example.code;
  });
  Table table({"code", "orders", "cancels", "queries"});
  for (const std::size_t i : given) {
    const auto& [counts, example] = all.refused[i];
    const auto detail = static_cast<core::Detail>(i);
    const std::string_view message = core::is_order_reject(detail) ? core::order_reject_text(detail)
                                                                   : core::error_text(example.code);
    table.add({std::to_string(static_cast<unsigned>(example.code)) + " " + std::string(message) +
                   ": " + detail_name(i),
               text_of(counts[RequestKind::kOrder]), text_of(counts[RequestKind::kCancel]),
               text_of(counts[RequestKind::kQuery])});
    table.add_note("e.g. " + (detail == core::Detail::kMalformed ? malformed_example(log)
                                                                 : reference.describe(example)));
  }
  table.print();
}

void print_books(const std::vector<BookSummary>& books) {
  heading("Books afterwards");
  Table table({"instrument", "bid levels", "best bid", "best ask", "ask levels", "last trade"});
  for (const BookSummary& book : books) {
    const auto price = [](const std::string& text) { return text.empty() ? "-" : text; };
    table.add({book.symbol, text_of(book.bid_levels), price(book.best_bid), price(book.best_ask),
               text_of(book.ask_levels), price(book.last_trade)});
  }
  table.print();
}

void print_latency(const Latency& latency) {
  heading("Latency");
  std::printf(
      "  a fresh engine spins on cpu %d, one client on cpu %d; one request in flight\n"
      "  floor: two cache lines go to and fro between these cpus, nothing else\n"
      "  %s of %s round trips, floor and engine in turn; reading the timer costs "
      "%.0f ns\n\n",
      latency.engine_cpu, latency.client_cpu,
      counted(static_cast<std::uint64_t>(latency.rounds), "round").c_str(),
      text_of(latency.round_trips).c_str(), latency.timer_cost_ns);
  Table table({"nanoseconds", "p50", "p90", "p99", "p99.9", "p50 / floor", "(range)"});
  for (const LatencyRow& row : latency.rows) {
    std::vector<std::string> cells = {row.name};
    for (const double value : row.nanoseconds) {
      cells.push_back(text_of(static_cast<std::uint64_t>(value + 0.5)));
    }
    cells.push_back(ratio_text(row.ratio.median));
    cells.push_back("(" + ratio_text(row.ratio.low) + " to " + ratio_text(row.ratio.high) + ")");
    table.add(std::move(cells));
  }
  table.print();
}

void print_no_latency(const std::string& reason) {
  heading("Latency");
  std::printf("  not shown: %s\n", reason.c_str());
}

}  // namespace shmatch::tools
