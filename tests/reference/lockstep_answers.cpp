// The answers to queries: put together from their pages, and compared without what the engine may
// choose.
#include <algorithm>

#include "tests/reference/lockstep.h"
#include "tests/reference/report_text.h"

namespace shmatch::reference {

using namespace core;

namespace {

constexpr std::uint32_t kPagesMax = 100'000;

// Rows of an open-orders answer compare without what depends on their place in it.
std::string row_text(OpenOrderRow row) {
  row.header.ordinal = 0;
  row.request_sequence = 0;
  Report report;
  report.assign(row);
  return to_text(report);
}

std::string level_text(Side side, const L2Row& row) {
  return (side == Side::kBuy ? "bid " : "ask ") + std::to_string(row.price) + " quantity " +
         wide_text(wide(row.quantity_low, row.quantity_high)) + " orders " +
         std::to_string(row.order_count) + " accounts " + std::to_string(row.account_count) +
         " changed " + std::to_string(row.time_ns);
}

template <class List, class Text>
Difference differ_in_lists(const std::string& what, const List& fast, const List& plain,
                           Text text) {
  for (std::size_t i = 0; i < std::max(fast.size(), plain.size()); ++i) {
    const std::string a = i < fast.size() ? text(fast[i]) : "nothing";
    const std::string b = i < plain.size() ? text(plain[i]) : "nothing";
    if (a != b)
      return what + ", row " + std::to_string(i) + ":\n  engine    " + a + "\n  reference " + b;
  }
  return {};
}

}  // namespace

bool paged(const Request& request) {
  return request.is<OpenOrdersQuery>() || request.is<L2Query>();
}

bool continues(const Request& request) {
  return (request.is<OpenOrdersQuery>() && request.as<OpenOrdersQuery>().continuation != 0) ||
         (request.is<L2Query>() && request.as<L2Query>().continuation != 0);
}

void Lockstep::add_page(const std::vector<Report>& page, Sequence request_sequence, Answer& answer,
                        PageEnd& end) const {
  std::uint32_t ordinal = 0;
  for (const Report& report : page) {
    const auto header = report.as<ReportHeader>();
    const bool in_place = header.ordinal == ordinal++ &&
                          header.engine_sequence == reference_.last_sequence() &&
                          report.as<Pong>().request_sequence == request_sequence;
    if (!in_place) answer.fault = "a row with a wrong header: " + to_text(report);
    if (report.is<OpenOrderRow>()) {
      answer.orders.push_back(report.as<OpenOrderRow>());
    } else if (report.is<L2Rows>()) {
      const auto rows = report.as<L2Rows>();
      for (std::size_t i = 0; i < rows.header.a; ++i) {
        answer.levels.emplace_back(static_cast<Side>(rows.header.b), rows.rows[i]);
      }
      answer.last_trade_price = rows.last_trade_price;
      answer.md_update_id = rows.md_update_id;
    } else if (report.is<PageEnd>() && ordinal == page.size()) {
      end = report.as<PageEnd>();
      if (answer.levels.empty()) answer.md_update_id = end.md_update_id;
      if (answer.md_update_id != end.md_update_id) answer.fault = "pages of different books";
    } else if (report.is<Receipt>() && page.size() == 1) {
      answer.refusal = report.as<Receipt>().refusal();
    } else {
      answer.fault = "out of place: " + to_text(report);
    }
  }
}

template <class Engine>
Lockstep::Answer Lockstep::collect(Engine& engine, SessionSlot slot, Request request, TimeNs now) {
  Answer answer;
  for (std::uint32_t page = 0; page < kPagesMax; ++page) {
    ++request_sequence_;
    give_request(engine, slot, request, now);
    const Received received = take(engine);
    if (received.size() != 1 || received.begin()->first != slot) {
      answer.fault = "an answer that went to several sessions or to none";
      return answer;
    }
    PageEnd end;
    add_page(received.begin()->second, request_sequence_, answer, end);
    if (end.header.a == 0 || !answer.fault.empty()) return answer;
    if (request.is<OpenOrdersQuery>()) {
      auto query = request.as<OpenOrdersQuery>();
      query.continuation = end.continuation;
      request.assign(query);
    } else {
      auto query = request.as<L2Query>();
      query.continuation = end.continuation;
      query.continuation_price = end.continuation_price;
      request.assign(query);
    }
  }
  answer.fault = "an answer without end";
  return answer;
}

// A continuation that no answer gave may be answered with any page or none, but it must be
// answered, and may change nothing.
Difference Lockstep::give_continuation(SessionSlot slot, const Request& request, TimeNs now) {
  ++request_sequence_;
  give_request(fast_, slot, request, now);
  const Received received = fast_.take_received();
  if (received.size() != 1 || received.begin()->first != slot) {
    return "a query with a continuation of its own was answered to others or not at all";
  }
  const Report& last = received.begin()->second.back();
  if (last.is<PageEnd>() || last.is<Receipt>()) return {};
  return "a page without end: " + to_text(last);
}

Difference Lockstep::compare_answers(SessionSlot slot, const Request& request, TimeNs now) {
  Answer fast = collect(fast_, slot, request, now);
  const Answer plain = collect(reference_, slot, request, now);
  const std::string what = "answer to " + to_text(request);
  if (!fast.fault.empty()) return what + ": " + fast.fault;
  if (!plain.fault.empty()) return what + " of the reference: " + plain.fault;
  if (fast.refusal != plain.refusal) {
    return what + ": engine code " + std::to_string(static_cast<int>(fast.refusal.code)) +
           " detail " + std::to_string(static_cast<int>(fast.refusal.detail)) +
           ", reference code " + std::to_string(static_cast<int>(plain.refusal.code)) + " detail " +
           std::to_string(static_cast<int>(plain.refusal.detail)) + " (or other arguments)";
  }
  std::sort(fast.orders.begin(), fast.orders.end(),
            [](const auto& a, const auto& b) { return a.order_id < b.order_id; });
  Difference difference = differ_in_lists(what, fast.orders, plain.orders, row_text);
  if (difference) return difference;
  difference = differ_in_lists(what, fast.levels, plain.levels, [](const auto& level) {
    return level_text(level.first, level.second);
  });
  if (difference) return difference;
  difference =
      differ("LastTradePrice in the " + what, fast.last_trade_price, plain.last_trade_price);
  if (difference || !request.is<L2Query>() || fast.refusal.code != ErrorCode::kOk) {
    return difference;
  }
  return compare_book_version(request.as<L2Query>().instrument_id, fast.md_update_id);
}

// md_update_id must grow with each change of the book and must not change without one.
Difference Lockstep::compare_book_version(InstrumentId instrument, std::uint64_t md_update_id) {
  const Book* book = reference_.book(instrument);
  if (book == nullptr) return {};
  const auto known = book_versions_.find(instrument);
  if (known != book_versions_.end()) {
    const auto [changes, id] = known->second;
    const bool kept = changes == book->change_count ? md_update_id == id : md_update_id > id;
    if (!kept) {
      return "md_update_id went from " + std::to_string(id) + " to " +
             std::to_string(md_update_id) + " while the book changed " +
             std::to_string(book->change_count - changes) + " times";
    }
  }
  book_versions_[instrument] = {book->change_count, md_update_id};
  return {};
}

}  // namespace shmatch::reference
