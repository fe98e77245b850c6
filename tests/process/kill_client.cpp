#include "tests/process/kill_client.h"

#include <sched.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <deque>
#include <thread>
#include <utility>
#include <vector>

#include "core/input_record.h"
#include "ipc/report_mark.h"
#include "tests/process/kill_engine.h"
#include "tests/process/trading.h"
#include "tests/unit/random.h"

namespace shmatch::process_test {
namespace {

constexpr std::size_t kWindow = 64;
constexpr std::size_t kWindowAtLeisure = 4;
constexpr std::chrono::milliseconds kPause{1};
// Working orders of one client; many are filled before it cancels them.
constexpr std::size_t kOrdersMax = 100;
constexpr core::Ticks kMiddle = 1000;
constexpr std::uint64_t kPrices = 9;  // so near that many orders meet
constexpr std::uint64_t kQuantities = 5;
// Empty polls before the kernel is asked whether the engine is there.
constexpr std::uint32_t kPollsPerLook = 64;

bool ends_reply(const Report& report) {
  return replied_request(report) != 0 && !report.is<core::OpenOrderRow>() &&
         !report.is<core::L2Rows>();
}

class Trading {
 public:
  Trading(const Trader& trader, Ledger& ledger)
      : trader_(trader),
        ledger_(ledger),
        random_(trader.seed),
        next_client_id_(trader.first_client_id) {}

  // A session begins, or goes on.
  void begin(const SessionInfo& session) {
    ledger_.opened(session);
    next_number_ = session.last_request + 1;
    // Those up to the last request are answered among the missed reports, if they were not before;
    // questions never are.
    std::erase_if(under_way_, [&](const UnderWay& request) {
      return !request.is_input || request.number > session.last_request;
    });
  }

  // Until the engine is gone.
  bool run(Client& client) {
    std::uint32_t idle = 0;
    while (true) {
      if (!fill_window(client)) return false;
      if (trader_.at_leisure) std::this_thread::sleep_for(kPause);
      if (take_reports(client)) {
        idle = 0;
        continue;
      }
      ::sched_yield();
      if (++idle % kPollsPerLook != 0) continue;
      if (client.check_socket() == EngineState::kServing) continue;
      // What it had written before counts.
      take_reports(client);
      return true;
    }
  }

 private:
  struct UnderWay {
    RequestId number = 0;
    bool is_input = false;
  };

  bool fill_window(Client& client) {
    const std::size_t window = trader_.at_leisure ? kWindowAtLeisure : kWindow;
    while (under_way_.size() < window && ledger_.room()) {
      const core::Request request = next_request();
      ledger_.sending(next_number_, request);
      const RequestId number = submit(client, request);
      // A session that has ended meanwhile takes nothing.
      if (number == 0 && client.check_socket() != EngineState::kServing) return true;
      if (number != next_number_) {
        std::fprintf(stderr, "request %llu became %llu\n",
                     static_cast<unsigned long long>(next_number_),
                     static_cast<unsigned long long>(number));
        return false;
      }
      under_way_.push_back({next_number_++, core::is_input(request)});
    }
    return true;
  }

  static RequestId submit(Client& client, const core::Request& request) {
    if (request.is<core::NewOrder>()) return client.submit(request.as<core::NewOrder>());
    if (request.is<core::CancelOrder>()) return client.submit(request.as<core::CancelOrder>());
    if (request.is<core::OpenOrdersQuery>()) {
      return client.submit(request.as<core::OpenOrdersQuery>());
    }
    return client.submit(request.as<core::OrderStatusQuery>());
  }

  bool take_reports(Client& client) {
    bool any = false;
    for (Report report; client.poll(report); any = true) {
      ledger_.heard(report);
      // Replies come in the order of their requests.
      while (ends_reply(report) && !under_way_.empty() &&
             under_way_.front().number <= replied_request(report)) {
        under_way_.pop_front();
      }
      if (report.is<core::OrderAccepted>()) {
        newest_order_ = report.as<core::OrderAccepted>().order_id;
      }
    }
    return any;
  }

  core::Request next_request() {
    core::Request request;
    const std::uint64_t chance = random_.below(100);
    if (chance == 0) {
      request.assign(core::OpenOrdersQuery{.oms_id = 1, .account_id = trader_.account});
    } else if (chance < 4 && newest_order_ != 0) {
      request.assign(core::OrderStatusQuery{.oms_id = 1, .order_id = newest_order_});
    } else if (!orders_.empty() && random_.below(kOrdersMax) < orders_.size()) {
      request.assign(cancel_of_some_order());
    } else {
      request.assign(new_order());
    }
    return request;
  }

  core::CancelOrder cancel_of_some_order() {
    const std::size_t index = random_.below(orders_.size());
    const core::CancelOrder cancel{
        .oms_id = 1, .account_id = trader_.account, .cl_ord_id = orders_[index]};
    orders_[index] = orders_.back();
    orders_.pop_back();
    return cancel;
  }

  core::NewOrder new_order() {
    const core::Side side = random_.one_in(2) ? core::Side::kBuy : core::Side::kSell;
    const auto price = kMiddle + static_cast<core::Ticks>(random_.below(kPrices)) -
                       static_cast<core::Ticks>(kPrices / 2);
    core::NewOrder order =
        limit_order(trader_.account, side, 1 + static_cast<core::Lots>(random_.below(kQuantities)),
                    price, next_client_id_);
    if (random_.one_in(16)) {
      order.time_in_force = core::TimeInForce::kIoc;
    } else {
      orders_.push_back(next_client_id_);
    }
    ++next_client_id_;
    return order;
  }

  const Trader& trader_;
  Ledger& ledger_;
  tests::Random random_;
  core::ClOrdId next_client_id_;
  RequestId next_number_ = 1;
  std::deque<UnderWay> under_way_;
  std::vector<core::ClOrdId> orders_;  // that may still work
  core::OrderId newest_order_ = 0;
};

// Asks one thing after the other.
class Questions {
 public:
  Questions(Client& client, Ledger& ledger) : client_(client), ledger_(ledger) {}

  // False when the engine went away instead of answering.
  template <class Question>
  bool ask(const Question& question) {
    core::Request request;
    request.assign(question);
    ledger_.sending(++number_, request);
    if (client_.submit(question) != number_) return false;
    const Clock::time_point deadline = Clock::now() + kPatience;
    for (std::uint32_t looks = 1; !take_answer(); ++looks) {
      ::sched_yield();
      if (looks % kPollsPerLook != 0) continue;
      // What it had written before it went counts.
      if (client_.check_socket() != EngineState::kServing) return take_answer();
      if (Clock::now() >= deadline) return false;
    }
    return true;
  }

  bool ask_open_orders(core::AccountId account) {
    core::OpenOrdersQuery query{.oms_id = 1, .account_id = account};
    do {
      if (!ask(query) || !last_.is<core::PageEnd>()) return false;
      query.continuation = last_.as<core::PageEnd>().continuation;
    } while (last_.as<core::PageEnd>().header.a != 0);
    return true;
  }

 private:
  bool take_answer() {
    while (client_.poll(last_)) {
      ledger_.heard(last_);
      if (ends_reply(last_)) return true;
    }
    return false;
  }

  Client& client_;
  Ledger& ledger_;
  RequestId number_ = 0;
  Report last_;
};

// True when `failed` is what the death of an engine looks like to one who logs on.
bool engine_died(const Failure& failed) {
  return failed.error == ClientError::kNoEngine || failed.error == ClientError::kEngineGone;
}

// Where an earlier process of the same session stopped, for the logon of its successor. False when
// there was none.
bool remember(const Ledger& ledger, LogonOptions& options) {
  bool known = false;
  std::size_t at = 0;
  ipc::Mark seen;
  core::EngineRun run;
  for (Ledger::Entry entry; ledger.read(at, entry);) {
    if (entry.kind == Ledger::Kind::kSession) {
      known = true;
      run = {entry.words[0], entry.words[1]};
      // A fresh session, or reports that never were, do not count.
      const bool goes_on = entry.words.size() > 2;
      const core::Sequence end = goes_on ? entry.words[3] : 1;
      if (end != 0 && seen.sequence >= end) seen = {end, 0};
    } else if (entry.kind == Ledger::Kind::kReport) {
      Report report;
      std::ranges::copy(entry.words, report.words);
      seen = std::max(seen, ipc::mark_behind(report));
    }
  }
  options.resumable = true;
  options.resume = true;
  options.seen_sequence = seen.sequence;
  options.seen_ordinal = seen.ordinal;
  options.seen_run = run;
  return known;
}

// Tries until an engine has taken the client, while engines come and go. `attempt` gives up soon.
template <class Attempt>
Failure connect(Ledger& ledger, const Attempt& attempt) {
  Failure failed;
  eventually([&] {
    const std::uint64_t deaths = ledger.deaths();
    failed = attempt();
    if (failed) ledger.rest(deaths);
    return !failed || failed.error == ClientError::kNoMemory ||
           failed.error == ClientError::kBadArgument || failed.error == ClientError::kInvalidReport;
  });
  return failed;
}

}  // namespace

int trade(const Trader& trader, Ledger& ledger) {
  Client client;
  if (const Failure failed = client.logon(trader.options)) {
    if (engine_died(failed)) return 0;
    std::fprintf(stderr, "logon: %s\n", failed.text.c_str());
    return 1;
  }
  Trading trading(trader, ledger);
  trading.begin(client.session());
  return trading.run(client) ? 0 : 1;
}

int trade_on(const Trader& trader, Ledger& ledger, bool may_lose) {
  constexpr Milliseconds kAttempt{100};
  Trading trading(trader, ledger);
  LogonOptions options = trader.options;
  options.timeout = kAttempt;
  bool known = remember(ledger, options);
  Client client;
  Failure failed = connect(ledger, [&] { return client.logon(options); });
  while (!failed) {
    const SessionInfo& session = client.session();
    if (known && !may_lose && (!session.resumed || session.gap || session.lost_from != 0)) {
      std::fprintf(stderr, "session %u is lost, or a part of it\n", session.serial);
      return 1;
    }
    known = true;
    trading.begin(session);
    if (!trading.run(client)) return 1;
    failed = connect(ledger, [&] { return client.resume(kAttempt); });
  }
  std::fprintf(stderr, "no way back into the session: %s\n", failed.text.c_str());
  return 1;
}

bool ask(const LogonOptions& options, const std::vector<core::OrderId>& orders, Ledger& ledger) {
  Client client;
  if (const Failure failed = client.logon(options)) return false;
  ledger.opened(client.session());
  Questions questions(client, ledger);
  for (core::AccountId account = 1; account <= kTraders; ++account) {
    if (!questions.ask_open_orders(account)) return false;
  }
  for (const core::OrderId order : orders) {
    if (!questions.ask(core::OrderStatusQuery{.oms_id = 1, .order_id = order})) return false;
  }
  return true;
}

}  // namespace shmatch::process_test
