#include "tests/process/kill_run.h"

#include <array>
#include <csignal>
#include <utility>

#include "ipc/journal_steps.h"
#include "tests/support/power_cut_layer.h"

namespace shmatch::process_test {
namespace {

constexpr int kKilled = 128 + SIGKILL;
constexpr core::ClOrdId kClientIdsEach = 10'000'000;
constexpr std::size_t kOrdersAskedFor = 200;

}  // namespace

std::string random_recovery_step(tests::Random& random) {
  using namespace ipc::steps;
  constexpr std::array kSteps = {kRecoveryBefore, kRecoveryCut,        kRecoverySynced,
                                 kSegmentCreated, kSegmentWritten,     kSegmentSynced,
                                 kSegmentNamed,   kSegmentFolderSynced};
  return kSteps[random.below(kSteps.size())];
}

KillRun::KillRun(std::uint64_t seed, ipc::Durability durability, Clients clients)
    : random_(seed), kind_(clients) {
  plan_.root = folder_.file("files");
  plan_.socket = folder_.file("engine.sock");
  plan_.durability = durability;
}

EnginePlan KillRun::random_plan() {
  EnginePlan plan = plan_;
  plan.segment_bytes = std::uint64_t{1} << (16 + random_.below(3));
  plan.digest_every = std::uint64_t{1} << random_.below(10);
  if (random_.one_in(2)) {
    plan.snapshot_every = 200 + random_.below(2000);
    plan.remove_old_segments = random_.one_in(2);
  }
  plan.resume_grace = std::chrono::milliseconds(random_.one_in(2) ? 0 : random_.below(200));
  if (random_.one_in(3)) plan.sync_delay = std::chrono::microseconds(random_.below(1000));
  plan.sync_interval = std::chrono::milliseconds(1 + random_.below(20));
  return plan;
}

Death KillRun::random_death() {
  // Some right in the beginning, some after snapshots and many segments.
  constexpr std::array<std::uint64_t, 4> kRepliesMax = {200, 4000, 4000, 12000};
  constexpr std::array kDisks = {Disk::kWhole, Disk::kUnsynced, Disk::kSome, Disk::kSome};
  const std::uint64_t replies = random_.below(kRepliesMax[random_.below(kRepliesMax.size())]);
  return {.replies = replies, .disk = kDisks[random_.below(kDisks.size())]};
}

Findings KillRun::live(const EnginePlan& plan, const Death& death) {
  Process engine = start_engine(plan);
  if (serves(engine, plan)) {
    // Clients that resume are trading already, and would not let it come to an end.
    if (kind_ == Clients::kFresh) ask_engine();
    start_clients(plan);
    await_death(engine, plan, death.replies);
  }
  const int status = engine.wait().value_or(-1);
  if (status != kKilled) {
    faults_.push_back("the engine ended with status " + std::to_string(status) + ": " +
                      engine.errors());
  }
  settle_clients();
  lose_files(death.disk);
  return judge();
}

Findings KillRun::end(const EnginePlan& plan) {
  constexpr std::uint64_t kRepliesEach = 100;
  Process engine = start_engine(plan);
  if (serves(engine, plan)) {
    // Clients that resume are trading already, and would not let it come to an end.
    if (kind_ == Clients::kFresh) ask_engine();
    start_clients(plan);
    for (const ClientProcess& client : clients_) {
      const std::uint64_t wanted = client.ledger->replies() + kRepliesEach;
      eventually([&] { return client.ledger->replies() >= wanted || !engine.running(); });
    }
    engine.signal(SIGTERM);
  }
  if (const int status = engine.wait().value_or(-1); status != 0) {
    faults_.push_back("the last engine ended with status " + std::to_string(status) + ": " +
                      engine.errors());
  }
  settle_clients();
  return judge();
}

void KillRun::await_death(Process& engine, const EnginePlan& plan, std::uint64_t replies_more) {
  const std::uint64_t before = replies();
  if (kind_ == Clients::kResuming && random_.one_in(2)) replace_some_client();
  if (plan.dies_at.empty()) {
    eventually([&] { return replies() >= before + replies_more || !engine.running(); });
    engine.signal(SIGKILL);
  } else if (!engine.wait()) {
    faults_.push_back("the engine never came to " + plan.dies_at);
    engine.kill();
  }
}

// ---- clients

Trader KillRun::make_trader(core::AccountId account) {
  Trader trader;
  trader.options.socket = plan_.socket;
  trader.options.user = trader_name(account);
  trader.options.session_name = trader_name(account);
  trader.options.cancel_on_disconnect = random_.one_in(2);
  trader.options.timeout = kPatience;
  trader.account = account;
  trader.first_client_id = ++client_processes_ * kClientIdsEach;
  trader.seed = random_.next();
  return trader;
}

Process KillRun::start_client(const Trader& trader, Ledger& ledger) const {
  const bool may_lose = plan_.durability != ipc::Durability::kSync;
  return Process::branch([trader, &ledger, may_lose, kind = kind_] {
    return kind == Clients::kFresh ? trade(trader, ledger) : trade_on(trader, ledger, may_lose);
  });
}

void KillRun::start_clients(const EnginePlan& plan) {
  if (!clients_.empty()) return;
  for (core::AccountId account = 1; account <= kTraders; ++account) {
    auto ledger = std::make_unique<Ledger>();
    Trader trader = make_trader(account);
    trader.at_leisure = plan.at_leisure;
    Process process = start_client(trader, *ledger);
    clients_.push_back({std::move(ledger), {}, trader, std::move(process)});
  }
}

// One is killed in whatever it does, and its successor goes on.
void KillRun::replace_some_client() {
  ClientProcess& client = clients_[random_.below(clients_.size())];
  const std::uint64_t before = replies();
  const std::uint64_t more = random_.below(500);
  eventually([&] { return replies() >= before + more || !client.process.running(); });
  if (!client.process.running()) return;  // settle_clients says why
  client.process.kill();
  client.trader = make_trader(client.trader.account);
  client.process = start_client(client.trader, *client.ledger);
}

std::uint64_t KillRun::replies() const {
  std::uint64_t replies = 0;
  for (const ClientProcess& client : clients_) replies += client.ledger->replies();
  return replies;
}

// The engine is dead: waits until every client has written down all that it said.
void KillRun::settle_clients() {
  for (ClientProcess& client : clients_) client.ledger->note_death();
  for (ClientProcess& client : clients_) {
    const bool settled = eventually([&] {
      return (kind_ == Clients::kResuming && client.ledger->resting()) || !client.process.running();
    });
    if (!settled) faults_.push_back("a client does not see that its engine has died");
    if (kind_ == Clients::kFresh || !client.process.running()) {
      const int status = client.process.wait(Milliseconds{0}).value_or(-1);
      if (status != 0) faults_.push_back("a client: " + client.process.errors());
    }
    read_ledger(*client.ledger, client.read, stories_, faults_);
  }
  if (kind_ == Clients::kFresh) clients_.clear();
}

// All working orders, and some that may have ended.
void KillRun::ask_engine() {
  LogonOptions options;
  options.socket = plan_.socket;
  options.user = "operator";
  options.cancel_on_disconnect = false;
  options.timeout = kPatience;
  std::vector<core::OrderId> orders;
  for (auto story = stories_.rbegin(); story != stories_.rend(); ++story) {
    for (auto heard = story->heard.rbegin(); heard != story->heard.rend(); ++heard) {
      if (orders.size() == kOrdersAskedFor) break;
      if (heard->report.is<core::OrderAccepted>()) {
        orders.push_back(heard->report.as<core::OrderAccepted>().order_id);
      }
    }
  }
  Ledger ledger;
  ask(options, orders, ledger);
  LedgerPlace place;
  read_ledger(ledger, place, stories_, faults_);
}

// ---- the end of a life

void KillRun::lose_files(Disk disk) {
  if (disk == Disk::kWhole) return;
  const auto unsynced = disk == Disk::kSome ? tests::Unsynced::kSome : tests::Unsynced::kLost;
  tests::lose_power(plan_.root, unsynced, random_);
}

Findings KillRun::judge() {
  Findings findings =
      judge_journal(tests::journal_folder(plan_.root), tests::removed_folder(plan_.root), stories_);
  if (plan_.durability == ipc::Durability::kSync &&
      findings.lost_reports + findings.lost_sessions != 0) {
    findings.faults.push_back("lost: " + std::to_string(findings.lost_inputs) + " inputs, " +
                              std::to_string(findings.lost_reports) + " reports, " +
                              std::to_string(findings.lost_sessions) + " sessions");
  }
  findings.faults.insert(findings.faults.begin(), faults_.begin(), faults_.end());
  faults_.clear();
  return findings;
}

}  // namespace shmatch::process_test
