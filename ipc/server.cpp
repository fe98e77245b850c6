#include "ipc/server.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <exception>
#include <future>
#include <thread>
#include <utility>

#include "core/matching_engine.h"
#include "ipc/control_thread.h"
#include "ipc/counters_page.h"
#include "ipc/cpu.h"
#include "ipc/engine_channel.h"
#include "ipc/engine_loop.h"
#include "ipc/live_journal.h"
#include "ipc/memory_layout.h"
#include "ipc/private_memory.h"
#include "ipc/random_word.h"
#include "ipc/replica.h"
#include "ipc/socket_path.h"

namespace shmatch::ipc {
namespace {

constexpr std::uint32_t kBacklogSlotsMin = 256;
constexpr std::uint32_t kBacklogSlotsMax = 1U << 22;
constexpr std::uint64_t kSegmentBytesMin = 1U << 16;
constexpr std::uint64_t kSegmentBytesMax = std::uint64_t{8} << 30;
constexpr int kSyncIntervalMaxMs = 10'000;
constexpr int kResumeGraceMaxMs = 24 * 3600 * 1000;
constexpr std::uint32_t kWindowSlotsMin = 256;
constexpr std::uint32_t kWindowSlotsMax = 1U << 20;

// How long a start may spend on making memory present; the control thread does the rest while the
// engine serves.
constexpr std::chrono::milliseconds kPopulateTime{250};

// Two for each session and watcher (socket, process), four for each logon under way, and some for
// the rest.
constexpr rlim_t kDescriptorsPerSession = 2;
constexpr rlim_t kDescriptorsElse = 4 * kLogonsUnderWayMax + 2 * kWatchersMax + 64;

Fault check_rules(const ServerOptions& options) {
  const auto& users = options.configuration.users;
  for (auto rule = options.logon_rules.begin(); rule != options.logon_rules.end(); ++rule) {
    const bool again =
        std::any_of(options.logon_rules.begin(), rule,
                    [&rule](const LogonRule& earlier) { return earlier.uid == rule->uid; });
    if (again) return Fault{"uid " + std::to_string(rule->uid) + " has two logon rules"};
    for (const core::UserId id : rule->users) {
      const bool known = std::any_of(users.begin(), users.end(),
                                     [id](const core::User& user) { return user.id == id; });
      if (!known) return Fault{"a logon rule names the unknown user " + std::to_string(id)};
    }
  }
  return {};
}

Fault check_journal(const ServerOptions& options) {
  if (options.journal.empty() != (options.durability == Durability::kNone)) {
    return Fault{options.journal.empty() ? "durability async and sync need a journal"
                                         : "a journal needs durability async or sync"};
  }
  const auto interval = options.journal_sync_interval.count();
  if (options.journal_segment_bytes < kSegmentBytesMin ||
      options.journal_segment_bytes > kSegmentBytesMax || options.journal_digest_every == 0 ||
      interval < 1 || interval > kSyncIntervalMaxMs) {
    return Fault{"a journal's segment size, sync interval or digest distance is out of its range"};
  }
  if (options.resume_grace.count() < 0 || options.resume_grace.count() > kResumeGraceMaxMs ||
      !valid_slot_count(options.resume_window_slots, kWindowSlotsMin, kWindowSlotsMax)) {
    return Fault{
        "the resume grace is at most a day, and the resume window a power of two, 256 to " +
        std::to_string(kWindowSlotsMax)};
  }
  return {};
}

Fault check_options(const ServerOptions& options) {
  if (std::string fault = core::find_fault(options.configuration); !fault.empty()) {
    return Fault{std::move(fault)};
  }
  if (!valid_slot_count(options.request_slots_max, kRequestSlotsMin, kRequestSlotsMax) ||
      !valid_slot_count(options.report_slots_max, kReportSlotsMin, kReportSlotsMax) ||
      !valid_slot_count(options.backlog_slots, kBacklogSlotsMin, kBacklogSlotsMax)) {
    return Fault{"ring and backlog sizes must be powers of two within their ranges"};
  }
  if (Fault fault = check_journal(options)) return fault;
  return check_rules(options);
}

// The soft limit of descriptors is often 1024; it may be raised up to the hard one without any
// right.
Fault raise_descriptor_limit(std::uint32_t sessions) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return {};
  const rlim_t wanted = sessions * kDescriptorsPerSession + kDescriptorsElse;
  if (limit.rlim_cur >= wanted) return {};
  if (limit.rlim_max < wanted) {
    return Fault{std::to_string(sessions) + " sessions need " + std::to_string(wanted) +
                 " file descriptors, and the hard limit is " + std::to_string(limit.rlim_max)};
  }
  limit.rlim_cur = wanted;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return system_fault("cannot raise the limit of file descriptors", errno);
  }
  return {};
}

// Keeps signals away from the threads made while it stands: a handler on the engine thread would be
// a system call on its path.
class SignalsBlocked {
 public:
  SignalsBlocked() noexcept {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

class Server::Service {
 public:
  explicit Service(ServerOptions options) : options_(std::move(options)) {
    // Whoever resumes gets the whole window at once, through the backlog.
    window_slots_ = std::min(options_.resume_window_slots, options_.backlog_slots / 2);
  }
  ~Service() {
    // A start that failed half way has an engine thread, and no control thread to stop it.
    if (engine_thread_.joinable() && !control_thread_.joinable()) {
      channel_->post(Command{.kind = Command::Kind::kStop});
    }
    request_stop();
    wait();
  }

  Fault start() {
    if (Fault fault = check_options(options_)) return fault;
    if (Fault fault = raise_descriptor_limit(options_.configuration.capacities.sessions))
      return fault;
    if (options_.socket_path.empty()) {
      if (Fault fault = check_default_folder(true)) return fault;
      options_.socket_path = default_socket_path();
    }
    if (Fault fault = listening_.take(options_.socket_path)) return fault;
    if (Fault fault = make_engine()) return fault;
    const SignalsBlocked blocked;
    if (journal_) journal_->start();
    if (capture_) capture_->start();
    if (Fault fault = start_engine_thread()) return fault;
    if (Fault fault = listening_.listen(options_.socket_mode, options_.socket_group)) return fault;
    running_.store(true, std::memory_order_relaxed);
    control_thread_ = std::thread([this] {
      ::pthread_setname_np(::pthread_self(), "shmatch-control");
      if (options_.cpu) avoid_cpu(*options_.cpu);
      control_->run();
      running_.store(false, std::memory_order_relaxed);
    });
    return {};
  }

  void request_stop() noexcept {
    if (control_) control_->request_stop();
  }

  void wait() {
    if (control_thread_.joinable()) control_thread_.join();
    if (engine_thread_.joinable()) engine_thread_.join();
    if (journal_) journal_->finish();
    if (capture_) capture_->stop();
  }

  bool running() const noexcept { return running_.load(std::memory_order_relaxed); }
  const std::string& socket_path() const noexcept { return options_.socket_path; }

  ServerStatistics statistics() const noexcept {
    const EngineCounters counters = page_.engine();
    return {.sessions = control_->sessions(),
            .logons = control_->logons(),
            .logons_refused = control_->refused(),
            .slow_readers_ended = control_->slow_readers(),
            .breaches_ended = control_->breaches(),
            .requests = counters.requests,
            .reports = counters.reports,
            .engine_sequence = counters.sequence,
            .working_orders = static_cast<std::uint32_t>(counters.working_orders),
            .durable_sequence = journal_ ? journal_->durable() : 0};
  }

 private:
  Fault make_engine() {
    if (Fault fault = make_state()) return fault;
    PrivateMemory& memory = state_->memory();
    const auto enough = std::chrono::steady_clock::now() + kPopulateTime;
    while (!memory.populated() && std::chrono::steady_clock::now() < enough) {
      if (Fault fault = memory.populate_step()) return fault;
    }
    channel_ = std::make_unique<EngineChannel>(options_.configuration.capacities.sessions);
    if (journal_) log_ = journal_->log();
    if (options_.capture) capture_.emplace(options_.capture);
    if (Fault fault = page_.create(options_)) return fault;
    loop_ = std::make_unique<EngineLoop>(*state_, log_, options_.idle, options_.resume_grace,
                                         options_.journal_digest_every, *channel_, page_,
                                         capture_ ? &*capture_ : nullptr);
    if (journal_ && journal_->recovered()) loop_->restart();
    control_ = std::make_unique<ControlThread>(options_, *channel_, listening_, *state_, page_);
    return control_->prepare();
  }

  Fault make_state() {
    state_ = std::make_unique<Replica>(ReplicaOptions{.hash_salt = random_word(),
                                                      .window_slots = window_slots_,
                                                      .keep_digest = !options_.journal.empty()});
    if (options_.journal.empty()) {
      // Nothing outlives this run, and no other one began with what it knows.
      if (Fault fault = state_->create(options_.configuration)) return fault;
      state_->begin_run({.first = 1, .name = random_word()});
      return {};
    }
    journal_ = std::make_unique<LiveJournal>(options_);
    return journal_->open(*state_);
  }

  Fault start_engine_thread() {
    std::promise<Fault> pinned;
    std::future<Fault> outcome = pinned.get_future();
    engine_thread_ = std::thread([this, told = std::move(pinned)]() mutable {
      ::pthread_setname_np(::pthread_self(), "shmatch-engine");
      Fault fault = options_.cpu ? pin_to_cpu(*options_.cpu) : Fault{};
      const bool failed = static_cast<bool>(fault);
      told.set_value(std::move(fault));
      if (!failed) loop_->run();
    });
    return outcome.get();
  }

  // In order of construction; the threads' objects go before what they stand on.
  ServerOptions options_;
  std::uint32_t window_slots_ = 0;
  ListeningSocket listening_;
  std::unique_ptr<Replica> state_;
  std::unique_ptr<LiveJournal> journal_;
  InputLog log_;
  std::optional<Capture> capture_;
  CountersPage page_;
  std::unique_ptr<EngineChannel> channel_;
  std::unique_ptr<EngineLoop> loop_;
  std::unique_ptr<ControlThread> control_;
  std::thread engine_thread_;
  std::thread control_thread_;
  std::atomic<bool> running_{false};
};

Server::Server() = default;
Server::~Server() = default;

Fault Server::start(ServerOptions options) {
  if (service_ && service_->running()) return Fault{"this server serves already"};
  Fault fault;
  try {
    service_ = std::make_unique<Service>(std::move(options));
    fault = service_->start();
  } catch (const std::exception& failed) {
    // No memory, or no thread.
    fault = Fault{std::string("cannot start: ") + failed.what()};
  }
  if (fault) service_.reset();
  return fault;
}

void Server::request_stop() noexcept {
  if (service_) service_->request_stop();
}

void Server::wait() {
  if (service_) service_->wait();
}

bool Server::running() const noexcept { return service_ && service_->running(); }

const std::string& Server::socket_path() const noexcept {
  static const std::string kNone;
  return service_ ? service_->socket_path() : kNone;
}

ServerStatistics Server::statistics() const noexcept {
  return service_ ? service_->statistics() : ServerStatistics{};
}

}  // namespace shmatch::ipc
