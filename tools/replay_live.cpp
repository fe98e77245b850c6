#include "tools/replay_live.h"

#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <deque>
#include <new>
#include <set>
#include <thread>
#include <unordered_set>

#include "ipc/client.h"
#include "tools/command.h"
#include "tools/record_text.h"

namespace shmatch::tools {

namespace {

using Clock = Pacer::Clock;

// Requests that a session has in flight at most.
constexpr std::uint32_t kInFlight = 64;
// An engine that is alive answers far sooner.
constexpr std::chrono::seconds kSilenceMax{5};
constexpr std::uint32_t kReportSlots = 1U << 14;
constexpr std::size_t kDetailsMax = 64;
constexpr std::size_t kUsersMax = core::kUsersMax;

struct Text {
  char bytes[256] = {};

  void set(std::string_view text) noexcept {
    const std::size_t size = std::min(text.size(), sizeof(bytes) - 1);
    std::memcpy(bytes, text.data(), size);
  }
};

struct KindShare {
  LiveCounts counts;
  std::uint64_t refused[kDetailsMax] = {};  // by Detail
  core::Refusal examples[kDetailsMax] = {};
};

// A client process's part of the shared memory. Only `answered` is read while it runs.
struct alignas(64) ClientShare {
  std::atomic<std::uint64_t> answered{0};  // pairs with nothing: a number to look at
  KindShare orders;
  KindShare cancels;
  std::uint64_t not_sent = 0;
  std::uint64_t trades = 0;
  std::uint64_t events = 0;
  double first_seconds = 0;  // of the steady clock
  double last_seconds = 0;
  double late_seconds = 0;
  int status = kExitDone;
  Text fault;
};

struct Share {
  // SYNC POINT start, SYNC POINT quiet: an increment (release) pairs with the others' loads
  // (acquire). Whoever reads the full number of `quiet` sends its last ping after the engine has
  // executed every request of all processes.
  std::atomic<std::uint32_t> started{0};
  std::atomic<std::uint32_t> quiet{0};
  ClientShare clients[kLiveClientsMax];
  Text no_logon[kUsersMax];  // by user; empty: logged on
  // By place in the script's instruments. Every process that looks writes the same.
  std::atomic<bool> lacking[core::kInstrumentsMax] = {};
};

// The log's requests as the client processes need them.
struct Script {
  struct Step {
    std::size_t place;   // in the log
    std::uint32_t user;  // place in `users`
  };
  std::vector<std::string> users;
  std::vector<core::Instrument> instruments;  // of the orders, ascending by id
  std::vector<Step> steps;
};

// The instruments that orders of the log name, and that its configuration has at any time.
std::vector<core::Instrument> instruments_of(const LoadedLog& log) {
  std::set<core::InstrumentId> named;
  for (std::size_t place = 0; place < log.size(); ++place) {
    const InputRecord record{place + 1, log.record(place)};
    if (record.kind() != core::InputKind::kRequest) continue;
    const core::Request request = core::decode_request(record.words.data());
    if (request.is<core::NewOrder>()) named.insert(request.as<core::NewOrder>().instrument_id);
  }
  std::map<core::InstrumentId, core::Instrument> known;
  const auto add = [&](const core::Configuration& configuration) {
    for (const core::Instrument& instrument : configuration.instruments) {
      if (named.contains(instrument.id)) known[instrument.id] = instrument;
    }
  };
  add(log.configuration);
  for (const auto& [place, configuration] : log.changes) add(configuration);
  std::vector<core::Instrument> instruments;
  for (const auto& [id, instrument] : known) instruments.push_back(instrument);
  instruments.resize(std::min(instruments.size(), core::kInstrumentsMax));
  return instruments;
}

Script script_of(const LoadedLog& log) {
  Script script;
  script.instruments = instruments_of(log);
  RecordText names(log.configuration);
  std::map<std::string, std::uint32_t, std::less<>> places;
  for (std::size_t place = 0; place < log.size(); ++place) {
    const InputRecord record{place + 1, log.record(place)};
    const auto change = log.changes.find(place);
    if (change != log.changes.end()) names.configure(change->second);
    names.see(record);
    if (record.kind() != core::InputKind::kRequest) continue;
    const std::string_view name = names.user_name(record.slot());
    auto user = places.find(name);
    if (user == places.end()) {
      user = places.emplace(name, static_cast<std::uint32_t>(script.users.size())).first;
      script.users.emplace_back(name);
    }
    script.steps.push_back({place, user->second});
  }
  return script;
}

double seconds_of(Clock::time_point moment) {
  return std::chrono::duration<double>(moment.time_since_epoch()).count();
}

class LiveClient {
 public:
  LiveClient(const LoadedLog& log, const Script& script, const LiveOptions& options,
             std::uint32_t number, std::uint32_t count, Share& share)
      : log_(log),
        script_(script),
        options_(options),
        pacer_(options.pacer),
        number_(number),
        count_(count),
        share_(share),
        own_(share.clients[number]),
        sessions_(script.users.size()) {}

  void run() {
    for (std::size_t user = number_; user < script_.users.size(); user += count_) log_on(user);
    meet(share_.started);
    send_all();
    for (Session& session : sessions_) {
      wait_until([&] { return session.in_flight == 0; }, true);
    }
    own_.last_seconds = seconds_of(Clock::now());
    // Until all are quiet, requests of others still cause events for these sessions.
    meet(share_.quiet);
    for (Session& session : sessions_) {
      if (!session.client.logged_on()) continue;
      RequestId ping = 0;
      wait_until([&] { return (ping = session.client.ping()) != 0; }, true);
      wait_until([&] { return session.replied >= ping; }, true);
    }
  }

 private:
  struct Session {
    Client client;
    std::uint32_t in_flight = 0;
    RequestId replied = 0;
    std::unordered_set<core::OrderId> entered;
  };

  void log_on(std::size_t user) {
    LogonOptions logon;
    logon.socket = options_.socket;
    logon.user = script_.users[user];
    logon.session_name = "replay";
    logon.cancel_on_disconnect = false;
    logon.report_slots = kReportSlots;
    const Failure failure = sessions_[user].client.logon(logon);
    if (failure.error == ClientError::kRefused || failure.error == ClientError::kBadArgument) {
      share_.no_logon[user].set(failure.text);
      return;
    }
    if (failure.error == ClientError::kTimeout || failure.error == ClientError::kEngineGone) {
      throw ExitError(kExitNoEngine, failure.text);
    }
    require(failure);
    const ReferenceData& reference = sessions_[user].client.reference();
    for (std::size_t place = 0; place < script_.instruments.size(); ++place) {
      if (reference.instrument(script_.instruments[place].id) != nullptr) continue;
      share_.lacking[place].store(true, std::memory_order_relaxed);
    }
  }

  // Waits until all processes have come here.
  void meet(std::atomic<std::uint32_t>& place) {
    place.fetch_add(1, std::memory_order_release);
    wait_until([&] { return place.load(std::memory_order_acquire) >= count_; }, false);
  }

  void send_all() {
    own_.first_seconds = seconds_of(Clock::now());
    Session* last = nullptr;
    for (const Script::Step& step : script_.steps) {
      const std::span<const std::uint64_t> record = log_.record(step.place);
      const Clock::time_point due = pacer_.next(static_cast<core::TimeNs>(record[1]));
      if (step.user % count_ != number_) continue;
      Session& session = sessions_[step.user];
      if (!session.client.logged_on()) {
        ++own_.not_sent;
        continue;
      }
      if (last != nullptr && last != &session) {
        wait_until([&] { return last->in_flight == 0; }, true);
      }
      last = &session;
      if (!pacer_.asap()) {
        wait_until([&] { return Clock::now() >= due; }, false);
      }
      wait_until([&] { return session.in_flight < kInFlight; }, true);
      send(session, core::decode_request(record.data()));
      if (!pacer_.asap()) {
        const std::chrono::duration<double> late = Clock::now() - due;
        own_.late_seconds = std::max(own_.late_seconds, late.count());
      }
    }
  }

  void send(Session& session, const core::Request& request) {
    const bool cancel = request.is<core::CancelOrder>();
    wait_until(
        [&] {
          return (cancel ? session.client.submit(request.as<core::CancelOrder>())
                         : session.client.submit(request.as<core::NewOrder>())) != 0;
        },
        true);
    ++session.in_flight;
    ++(cancel ? own_.cancels : own_.orders).counts.sent;
  }

  // Takes reports until `done`. An engine that owes a reply must not be silent for long.
  template <class Done>
  void wait_until(Done done, bool engine_owes) {
    constexpr unsigned kPollsBetweenChecks = 1024;
    Clock::time_point silent_since{};
    for (unsigned idle = 0; !done();) {
      if (take_waiting()) {
        silent_since = {};
        continue;
      }
      ::sched_yield();
      if (++idle % kPollsBetweenChecks != 0) continue;
      check_engine();
      const auto now = Clock::now();
      if (silent_since == Clock::time_point{}) silent_since = now;
      if (engine_owes && now - silent_since > kSilenceMax) {
        throw ExitError(kExitGone, "the engine does not answer");
      }
    }
  }

  void check_engine() {
    for (Session& session : sessions_) {
      if (session.client.logged_on() && session.client.check_socket() != EngineState::kServing) {
        throw_engine_gone(session.client);
      }
    }
  }

  bool take_waiting() {
    bool any = false;
    Report report;
    for (std::size_t user = number_; user < sessions_.size(); user += count_) {
      Session& session = sessions_[user];
      if (!session.client.logged_on()) continue;
      while (session.client.poll(report)) {
        any = true;
        take(session, report);
      }
    }
    return any;
  }

  void take(Session& session, const Report& report) {
    const RequestId replied = replied_request(report);
    if (replied == 0) {
      ++own_.events;
      take_event(session, report);
      return;
    }
    session.replied = replied;
    if (report.is<core::Pong>()) return;
    --session.in_flight;
    own_.answered.fetch_add(1, std::memory_order_relaxed);
    if (report.is<core::OrderAccepted>()) {
      ++own_.orders.counts.done;
      session.entered.insert(report.as<core::OrderAccepted>().order_id);
      return;
    }
    const auto receipt = report.as<core::Receipt>();
    const bool order =
        receipt.request_type == static_cast<std::uint32_t>(core::RequestType::kNewOrder);
    KindShare& kind = order ? own_.orders : own_.cancels;
    if (receipt.code == core::ErrorCode::kOk) {
      ++kind.counts.done;
      return;
    }
    ++kind.counts.refused;
    const std::size_t detail = std::min(static_cast<std::size_t>(receipt.detail), kDetailsMax - 1);
    kind.examples[detail] = receipt.refusal();
    ++kind.refused[detail];
  }

  void take_event(Session& session, const Report& report) {
    if (!report.is<core::Trade>()) return;
    const auto trade = report.as<core::Trade>();
    if (!core::trade_is_maker(trade.header) && session.entered.contains(trade.order_id)) {
      ++own_.trades;
    }
  }

  const LoadedLog& log_;
  const Script& script_;
  const LiveOptions& options_;
  Pacer pacer_;
  std::uint32_t number_;
  std::uint32_t count_;
  Share& share_;
  ClientShare& own_;
  std::deque<Session> sessions_;  // by user; those of other processes stay closed
};

class Fleet {
 public:
  Fleet(const LoadedLog& log, const LiveOptions& options)
      : log_(log), options_(options), script_(script_of(log)) {
    void* const memory =
        ::mmap(nullptr, sizeof(Share), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw ExitError(kExitUsage, "not enough memory");
    share_ = new (memory) Share;
    const auto users = static_cast<std::uint32_t>(script_.users.size());
    count_ = std::clamp(options.clients, 1U, std::max(1U, std::min(users, kLiveClientsMax)));
  }
  ~Fleet() {
    for (const pid_t child : children_) {
      ::kill(child, SIGKILL);
      ::waitpid(child, nullptr, 0);
    }
    ::munmap(static_cast<void*>(share_), sizeof(Share));
  }
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  void run() {
    std::fflush(nullptr);
    const pid_t parent = ::getpid();
    for (std::uint32_t number = 0; number < count_; ++number) {
      const pid_t child = ::fork();
      if (child < 0) throw ExitError(kExitUsage, "cannot start a process");
      if (child == 0) run_client(number, parent);
      children_.push_back(child);
    }
    while (!children_.empty()) {
      reap();
      if (options_.progress) options_.progress(answered());
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }

  LiveResult result() const {
    const ReferenceData reference(log_.configuration);
    LiveResult result;
    result.clients = count_;
    result.users = script_.users;
    result.instruments = script_.instruments;
    double first = 0;
    double last = 0;
    for (std::uint32_t number = 0; number < count_; ++number) {
      const ClientShare& client = share_->clients[number];
      add(client.orders, result.orders, reference, result.refusals);
      add(client.cancels, result.cancels, reference, result.refusals);
      result.not_sent += client.not_sent;
      result.trades += client.trades;
      result.events += client.events;
      result.late_seconds = std::max(result.late_seconds, client.late_seconds);
      first = number == 0 ? client.first_seconds : std::min(first, client.first_seconds);
      last = std::max(last, client.last_seconds);
    }
    result.seconds = last - first;
    for (std::size_t user = 0; user < script_.users.size(); ++user) {
      const Text& why = share_->no_logon[user];
      if (why.bytes[0] != '\0') result.no_logon.emplace(script_.users[user], why.bytes);
    }
    for (std::size_t place = 0; place < script_.instruments.size(); ++place) {
      if (share_->lacking[place].load(std::memory_order_relaxed)) {
        result.lacking.push_back(script_.instruments[place]);
      }
    }
    return result;
  }

 private:
  [[noreturn]] void run_client(std::uint32_t number, pid_t parent) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ClientShare& own = share_->clients[number];
    try {
      if (::getppid() != parent) ::_exit(kExitUsage);
      LiveClient(log_, script_, options_, number, count_, *share_).run();
    } catch (const ExitError& error) {
      own.status = error.status;
      own.fault.set(error.what());
    } catch (const std::exception& error) {
      own.status = kExitUsage;
      own.fault.set(error.what());
    }
    ::_exit(own.status);
  }

  // Takes the ends of children. Throws what ended one of them early.
  void reap() {
    for (std::uint32_t number = 0; number < children_.size();) {
      int status = 0;
      const pid_t ended = ::waitpid(children_[number], &status, WNOHANG);
      if (ended == 0 || (ended < 0 && errno == EINTR)) {
        ++number;
        continue;
      }
      children_.erase(children_.begin() + number);
      if (WIFEXITED(status) && WEXITSTATUS(status) == kExitDone) continue;
      throw_fault();
    }
  }

  [[noreturn]] void throw_fault() const {
    for (const ClientShare& client : share_->clients) {
      if (client.status != kExitDone) throw ExitError(client.status, client.fault.bytes);
    }
    throw ExitError(kExitUsage, "a client process ended early");
  }

  std::uint64_t answered() const noexcept {
    std::uint64_t sum = 0;
    for (const ClientShare& client : share_->clients) {
      sum += client.answered.load(std::memory_order_relaxed);
    }
    return sum;
  }

  static void add(const KindShare& from, LiveCounts& to, const ReferenceData& reference,
                  std::map<core::Detail, LiveRefusals>& refusals) {
    to.sent += from.counts.sent;
    to.done += from.counts.done;
    to.refused += from.counts.refused;
    for (std::size_t detail = 0; detail < kDetailsMax; ++detail) {
      if (from.refused[detail] == 0) continue;
      const core::Refusal& example = from.examples[detail];
      LiveRefusals& reason = refusals[example.detail];
      reason.count += from.refused[detail];
      reason.code = example.code;
      reason.example = reference.describe(example);
    }
  }

  const LoadedLog& log_;
  const LiveOptions& options_;
  Script script_;
  Share* share_ = nullptr;
  std::uint32_t count_ = 0;
  std::vector<pid_t> children_;
};

}  // namespace

LiveResult replay_live(const LoadedLog& log, const LiveOptions& options) {
  Fleet fleet(log, options);
  fleet.run();
  return fleet.result();
}

}  // namespace shmatch::tools
