#include "tools/replay_book.h"

#include <unordered_set>
#include <vector>

#include "core/state_view.h"
#include "ipc/reference_data.h"
#include "tools/report_codec.h"
#include "tools/request_text.h"
#include "tools/text_view.h"

namespace shmatch::tools {

namespace {

// The level's accounts, counted order by order.
std::uint32_t accounts_in(const core::LevelView& level, const core::StateView& state) {
  std::unordered_set<core::AccountId> accounts;
  core::OrderView order;
  for (core::OrderId id = level.first; id != 0 && state.find(id, order); id = order.behind) {
    accounts.insert(order.account_id);
  }
  return static_cast<std::uint32_t>(accounts.size());
}

std::vector<core::L2Row> rows_of(const core::StateView& state, core::InstrumentId instrument,
                                 core::Side side, std::uint32_t depth) {
  std::vector<core::L2Row> rows;
  core::LevelView level;
  core::Ticks price = 0;
  while (rows.size() < depth && state.next_level(instrument, side, price, level)) {
    price = level.price;
    rows.push_back({.price = level.price,
                    .quantity_low = core::low_word(level.quantity),
                    .quantity_high = core::high_word(level.quantity),
                    .order_count = level.order_count,
                    .account_count = accounts_in(level, state),
                    .time_ns = level.changed});
  }
  return rows;
}

struct Book {
  core::Instrument instrument;
  std::vector<core::L2Row> bids;
  std::vector<core::L2Row> asks;
  std::uint64_t update_id = 0;
  core::Ticks last_trade_price = 0;

  BookView view() const { return {instrument.id, update_id, last_trade_price, bids, asks}; }
};

std::vector<Book> books_of(const core::MatchingEngine& engine,
                           const core::Configuration& configuration, core::InstrumentId only,
                           std::uint32_t depth) {
  const core::StateView state(engine);
  std::vector<Book> books;
  for (const core::Instrument& instrument : configuration.instruments) {
    if (only != 0 && only != instrument.id) continue;
    Book book{instrument, rows_of(state, instrument.id, core::Side::kBuy, depth),
              rows_of(state, instrument.id, core::Side::kSell, depth),
              state.update_id(instrument.id), engine.last_trade_price(instrument.id)};
    const bool untouched = book.update_id == 0 && book.last_trade_price == 0;
    if (only == 0 && untouched) continue;
    books.push_back(std::move(book));
  }
  return books;
}

}  // namespace

std::string book_text(const core::MatchingEngine& engine, const core::Configuration& configuration,
                      core::InstrumentId instrument, std::uint32_t depth) {
  const ReferenceData reference(configuration);
  const std::vector<Book> books = books_of(engine, configuration, instrument, depth);
  if (books.empty()) return "No order was ever in a book.\n";
  std::string text;
  for (const Book& book : books) {
    if (!text.empty()) text += "\n";
    text += book_ladder(book.view(), reference);
  }
  return text;
}

std::string book_json(const core::MatchingEngine& engine, const core::Configuration& configuration,
                      core::InstrumentId instrument, std::uint32_t depth) {
  const ReferenceData reference(configuration);
  std::string json = R"({"sequence":)" + std::to_string(engine.last_sequence()) + R"(,"books":[)";
  bool first = true;
  for (const Book& book : books_of(engine, configuration, instrument, depth)) {
    json += first ? "{" : ",{";
    first = false;
    json += R"("instrument":)" + std::to_string(book.instrument.id);
    json += R"(,"symbol":)" + json_string(book.instrument.symbol);
    json += R"(,"snapshot":)" + l2_snapshot_json(book.view(), reference) + "}";
  }
  return json + "]}";
}

}  // namespace shmatch::tools
