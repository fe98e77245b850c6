#include "tools/demo_replay.h"

#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/interprocess/anonymous_shared_memory.hpp>
#include <boost/interprocess/mapped_region.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <string_view>
#include <unordered_set>

#include "ipc/client.h"
#include "tools/amounts.h"

namespace shmatch::tools {
namespace {

// Logs on to the demo's own engine. It was ready before, so one that is not there now has gone.
Failure log_on_to_engine(Client& client, const LogonOptions& options) {
  Failure failure = client.logon(options);
  if (failure.error == ClientError::kNoEngine) failure.text = "the engine went away";
  return failure;
}

using Clock = std::chrono::steady_clock;

// An engine that is alive answers far sooner.
constexpr std::chrono::seconds kSilenceMax{5};
constexpr std::chrono::milliseconds kProgressEach{100};
// Events of others' orders arrive while this client waits for a processor.
constexpr std::uint32_t kReportSlots = 1U << 14;

struct Text {
  char bytes[256] = {};

  void set(std::string_view text) noexcept {
    const std::size_t size = std::min(text.size(), sizeof(bytes) - 1);
    std::memcpy(bytes, text.data(), size);
    bytes[size] = '\0';
  }
};

// A client's part of the shared memory. Only `answered` is read while the client runs; the rest is
// read after the kernel has reported its end.
struct alignas(64) ClientShare {
  std::atomic<std::uint64_t> answered{0};  // pairs with nothing: a number to look at
  Tally tally;
  Text user;
  Text no_logon;
  Text fault;  // why it ended with another status than 0
};

struct ReplayShare {
  // Clients that have nothing in flight any more. SYNC POINT quiet: a client's increment (release)
  // pairs with the others' loads (acquire): who reads the full number sends its last ping after the
  // engine has executed every request of all of them.
  std::atomic<std::uint32_t> quiet{0};
  ClientShare clients[kUsersPerLogMax];
};

class ReplayClient {
 public:
  ReplayClient(const UserFrames& frames, std::uint32_t clients, ReplayShare& share,
               ClientShare& own)
      : frames_(frames), clients_(clients), share_(share), own_(own), tally_(own.tally) {}

  void run(const std::string& socket) {
    if (!log_on(socket)) {
      share_.quiet.fetch_add(1, std::memory_order_release);
      return;
    }
    send_all();
    share_.quiet.fetch_add(1, std::memory_order_release);
    // Until all are quiet, requests of others still cause events for this one.
    wait_until([&] { return share_.quiet.load(std::memory_order_acquire) == clients_; }, false);
    RequestId ping = 0;
    wait_until([&] { return (ping = client_.ping()) != 0; }, true);
    wait_until([&] { return last_replied_ == ping; }, true);
    tally_.working = working_.size();
  }

 private:
  // False when the engine refuses this user.
  bool log_on(const std::string& socket) {
    LogonOptions options;
    options.socket = socket;
    options.user = frames_.user;
    options.session_name = "demo";
    options.cancel_on_disconnect = false;
    options.all_accounts = true;
    options.report_slots = kReportSlots;
    const Failure failure = log_on_to_engine(client_, options);
    if (failure.error == ClientError::kRefused || failure.error == ClientError::kBadArgument) {
      own_.no_logon.set(failure.text);
      return false;
    }
    require(failure);
    own_.user.set(client_.session().user_name);
    return true;
  }

  void send_all() {
    for (const core::Request& request : frames_.requests) {
      if (request.is<core::OpenOrdersQuery>() || request.is<core::L2Query>()) {
        ask(request);
        continue;
      }
      wait_until([&] { return in_flight_ < kRequestsInFlight; }, true);
      wait_until([&] { return submit(request) != 0; }, true);
      ++in_flight_;
    }
    wait_until([&] { return in_flight_ == 0; }, true);
  }

  RequestId submit(const core::Request& request) noexcept {
    switch (static_cast<core::RequestType>(request.type())) {
      case core::RequestType::kCancelOrder:
        return client_.submit(request.as<core::CancelOrder>());
      case core::RequestType::kNewOrder:
        return client_.submit(request.as<core::NewOrder>());
      case core::RequestType::kOrderStatus:
        return client_.submit(request.as<core::OrderStatusQuery>());
      default:
        return client_.ping();
    }
  }

  // Queries whose answers come in pages are left to the library, which fetches them all.
  void ask(const core::Request& request) {
    core::Receipt refused;
    if (request.is<core::OpenOrdersQuery>()) {
      const auto query = request.as<core::OpenOrdersQuery>();
      std::vector<core::OpenOrderRow> rows;
      require(client_.open_orders(query.oms_id, query.account_id, rows, refused));
    } else {
      const auto query = request.as<core::L2Query>();
      Client::L2Snapshot book;
      require(client_.l2_snapshot(query.oms_id, query.instrument_id, query.depth, book, refused));
    }
    count_reply(RequestKind::kQuery, refused.refusal());
  }

  // Takes reports until `done`. An engine that owes a reply must not be silent for long.
  template <class Done>
  void wait_until(Done done, bool engine_owes) {
    constexpr unsigned kPollsBetweenChecks = 1024;
    Clock::time_point silent_since{};
    Report report;
    for (unsigned idle = 0; !done();) {
      if (client_.poll(report)) {
        take(report);
        silent_since = {};
        continue;
      }
      ::sched_yield();
      if (++idle % kPollsBetweenChecks != 0) continue;
      if (client_.check_socket() != EngineState::kServing) {
        const std::string& reason = client_.end_reason();
        throw DemoError(kDemoEngineGone, reason.empty() ? "the engine went away" : reason);
      }
      const auto now = Clock::now();
      if (silent_since == Clock::time_point{}) silent_since = now;
      if (engine_owes && now - silent_since > kSilenceMax) {
        throw DemoError(kDemoEngineGone, "the engine does not answer");
      }
    }
  }

  void take(const Report& report) {
    const RequestId replied = replied_request(report);
    if (replied == 0) {
      ++tally_.events;
      take_event(report);
      return;
    }
    last_replied_ = replied;
    // The ping at the end comes when nothing else is in flight, and is no part of the log.
    if (in_flight_ == 0) return;
    --in_flight_;
    if (report.is<core::Receipt>()) {
      const auto receipt = report.as<core::Receipt>();
      count_reply(kind_of(static_cast<core::RequestType>(receipt.request_type)), receipt.refusal());
    } else if (report.is<core::OrderAccepted>()) {
      working_.insert(report.as<core::OrderAccepted>().order_id);
      count_reply(RequestKind::kOrder, {});
    } else {
      count_reply(RequestKind::kQuery, {});
    }
  }

  void count_reply(RequestKind kind, const core::Refusal& refusal) {
    own_.answered.fetch_add(1, std::memory_order_relaxed);
    if (refusal.code == core::ErrorCode::kOk) {
      ++tally_.done[kind];
      return;
    }
    const auto detail = std::min(static_cast<std::size_t>(refusal.detail), kDetailsMax - 1);
    RefusalCount& count = tally_.refused[detail];
    if (count.counts.sum() == 0) count.example = refusal;
    ++count.counts[kind];
  }

  void take_event(const Report& report) {
    const auto header = report.as<core::ReportHeader>();
    if (report.is<core::OrderEntered>()) {
      note_state(header, report.as<core::OrderEntered>().order_id);
    } else if (report.is<core::OrderChanged>()) {
      note_state(header, report.as<core::OrderChanged>().order_id);
    } else if (report.is<core::Trade>() && !core::trade_is_maker(header) &&
               working_.contains(report.as<core::Trade>().order_id)) {
      ++tally_.trades;
    }
  }

  void note_state(const core::ReportHeader& header, core::OrderId order_id) {
    const core::OrderState state = core::order_state(header);
    if (state == core::OrderState::kWorking || working_.erase(order_id) == 0) return;
    if (state == core::OrderState::kFullyExecuted) {
      ++tally_.filled;
    } else if (core::cancel_reason(header) == core::CancelReason::kNoMoreMarket) {
      ++tally_.no_more_market;
    } else {
      ++tally_.canceled;
    }
  }

  static void require(const Failure& failure) {
    if (!failure) return;
    const bool ours = failure.error == ClientError::kNoMemory;
    throw DemoError(ours ? kDemoFailed : kDemoEngineGone, failure.text);
  }

  const UserFrames& frames_;
  const std::uint32_t clients_;
  ReplayShare& share_;
  ClientShare& own_;
  Tally& tally_;
  Client client_;
  std::unordered_set<core::OrderId> working_;  // accepted for this client and not ended
  std::uint32_t in_flight_ = 0;
  RequestId last_replied_ = 0;
};

[[noreturn]] void run_client(ReplayClient& client, ClientShare& own, const std::string& socket,
                             pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  int status = 0;
  try {
    if (::getppid() != parent) ::_exit(kDemoFailed);
    client.run(socket);
  } catch (const DemoError& error) {
    own.fault.set(error.what());
    status = error.status;
  } catch (const std::exception& error) {
    own.fault.set(error.what());
    status = kDemoFailed;
  }
  ::_exit(status);
}

// The client processes and the memory shared with them.
class Fleet {
 public:
  Fleet(const RequestLog& log, const DemoEngine& engine)
      : log_(log),
        engine_(engine),
        memory_(boost::interprocess::anonymous_shared_memory(sizeof(ReplayShare))),
        share_(new (memory_.get_address()) ReplayShare) {
    const auto count = static_cast<std::uint32_t>(log.users.size());
    const pid_t parent = ::getpid();
    // What is buffered now must not be written by each child as well.
    std::fflush(nullptr);
    for (std::uint32_t i = 0; i < count; ++i) {
      ReplayClient client(log.users[i], count, *share_, share_->clients[i]);
      const pid_t id = ::fork();
      if (id == 0) run_client(client, share_->clients[i], engine.socket(), parent);
      running_.push_back({i, std::make_unique<Child>(id)});
    }
  }

  // Waits until every client has ended well.
  void watch(const StopSignals& signals, const ShowProgress& show) {
    while (!running_.empty()) {
      std::vector<int> handles;
      for (const Running& running : running_) handles.push_back(running.process->handle());
      handles.push_back(engine_.process().handle());
      const int ended = wait_readable(handles, signals, kProgressEach);
      show(answered());
      if (ended < 0) continue;
      if (static_cast<std::size_t>(ended) == running_.size()) {
        throw DemoError(kDemoEngineGone, "the engine went away: " + engine_.last_words());
      }
      take_end(static_cast<std::size_t>(ended));
    }
  }

  std::vector<ClientResult> results() const {
    std::vector<ClientResult> results;
    for (std::size_t i = 0; i < log_.users.size(); ++i) {
      const UserFrames& frames = log_.users[i];
      const ClientShare& share = share_->clients[i];
      ClientResult& result = results.emplace_back();
      result.no_logon = share.no_logon.bytes;
      result.user = result.no_logon.empty() ? share.user.bytes : frames.user;
      result.frames = frames.requests.size() + frames.malformed.sum();
      result.tally = share.tally;
      if (!result.no_logon.empty()) continue;
      const std::uint64_t replies = result.tally.done.sum() + result.tally.refusals().sum();
      if (replies != frames.requests.size()) {
        throw DemoError(kDemoFailed,
                        result.user + " sent " + std::to_string(frames.requests.size()) +
                            " requests and got " + std::to_string(replies) + " replies");
      }
      // The codec has answered these already.
      RefusalCount& malformed =
          result.tally.refused[static_cast<std::size_t>(core::Detail::kMalformed)];
      malformed.counts = frames.malformed;
      malformed.example = {core::ErrorCode::kInvalidRequest, core::Detail::kMalformed, 0, 0};
    }
    return results;
  }

 private:
  struct Running {
    std::uint32_t number;
    std::unique_ptr<Child> process;
  };

  std::uint64_t answered() const noexcept {
    std::uint64_t sum = 0;
    for (const ClientShare& client : share_->clients) {
      sum += client.answered.load(std::memory_order_relaxed);
    }
    return sum;
  }

  void take_end(std::size_t place) {
    const std::uint32_t number = running_[place].number;
    const int status = running_[place].process->reap();
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(place));
    if (status == 0) return;
    const std::string fault = share_->clients[number].fault.bytes;
    throw DemoError(fault.empty() ? kDemoFailed : status,
                    fault.empty() ? "the client process of " + log_.users[number].user +
                                        " ended with status " + std::to_string(status)
                                  : fault);
  }

  const RequestLog& log_;
  const DemoEngine& engine_;
  boost::interprocess::mapped_region memory_;
  ReplayShare* share_;
  std::vector<Running> running_;
};

}  // namespace

KindCounts Tally::refusals() const noexcept {
  KindCounts sum;
  for (const RefusalCount& count : refused) sum += count.counts;
  return sum;
}

Tally& Tally::operator+=(const Tally& more) noexcept {
  done += more.done;
  for (std::size_t i = 0; i < kDetailsMax; ++i) {
    if (refused[i].counts.sum() == 0) refused[i].example = more.refused[i].example;
    refused[i].counts += more.refused[i].counts;
  }
  events += more.events;
  trades += more.trades;
  filled += more.filled;
  canceled += more.canceled;
  no_more_market += more.no_more_market;
  working += more.working;
  return *this;
}

std::vector<ClientResult> replay(const RequestLog& log, const DemoEngine& engine,
                                 const StopSignals& signals, const ShowProgress& show) {
  Fleet fleet(log, engine);
  fleet.watch(signals, show);
  return fleet.results();
}

EngineView look_at(const DemoEngine& engine) {
  Client client;
  LogonOptions options;
  options.socket = engine.socket();
  options.session_name = "demo";
  if (const Failure failure = log_on_to_engine(client, options)) {
    throw DemoError(kDemoEngineGone, failure.text);
  }
  EngineView view;
  view.reference = client.reference();
  for (const core::Instrument& instrument : view.reference.instruments()) {
    Client::L2Snapshot book;
    core::Receipt refused;
    const Failure failure =
        client.l2_snapshot(view.reference.oms_id(), instrument.id,
                           std::numeric_limits<std::int32_t>::max(), book, refused);
    if (failure) throw DemoError(kDemoEngineGone, failure.text);
    if (book.bids.empty() && book.asks.empty() && book.last_trade_price == 0) continue;
    const Amounts amounts(view.reference, instrument.id);
    BookSummary& summary = view.books.emplace_back();
    summary.symbol = instrument.symbol;
    summary.bid_levels = book.bids.size();
    summary.ask_levels = book.asks.size();
    if (!book.bids.empty()) summary.best_bid = amounts.price(book.bids.front().price);
    if (!book.asks.empty()) summary.best_ask = amounts.price(book.asks.front().price);
    if (book.last_trade_price != 0) summary.last_trade = amounts.price(book.last_trade_price);
  }
  return view;
}

}  // namespace shmatch::tools
