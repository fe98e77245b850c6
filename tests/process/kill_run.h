// One journal through the lives and deaths of its engines, and the books that the test keeps of it.
//
// Thread: one. Ownership: a KillRun owns its folder and every process of it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/process/kill_check.h"
#include "tests/process/kill_client.h"
#include "tests/process/kill_engine.h"
#include "tests/process/kill_ledger.h"
#include "tests/process/kill_story.h"
#include "tests/process/process.h"
#include "tests/unit/random.h"

namespace shmatch::process_test {

// What happens to the files when an engine dies.
enum class Disk : std::uint8_t {
  kWhole,     // only the process died
  kUnsynced,  // the power went: what was not synced is gone
  kSome,      // the power went: of what was not synced some is there, in any order
};

struct Death {
  // The engine dies at EnginePlan::dies_at, or where none is named, after so many replies.
  std::uint64_t replies = 0;
  Disk disk = Disk::kWhole;
};

enum class Clients : std::uint8_t {
  kFresh,     // new ones in each life of the engine
  kResuming,  // they go on with their sessions, and are killed themselves now and then
};

class KillRun {
 public:
  // `seed` is where all chance of this run comes from.
  explicit KillRun(std::uint64_t seed, ipc::Durability durability = ipc::Durability::kSync,
                   Clients clients = Clients::kFresh);

  // The plan of a usual engine on this run's files, for lives that change it.
  EnginePlan plan() const { return plan_; }
  // A plan and a death by chance.
  EnginePlan random_plan();
  Death random_death();

  // An engine starts, recovers and serves, is asked what it knows, has clients, and dies; then all
  // that any client ever heard is compared with the journal. What is wrong is in the findings'
  // faults, and with durability sync anything lost is wrong.
  Findings live(const EnginePlan& plan, const Death& death);

  // An engine starts, answers what it is asked, has clients, and stops cleanly.
  Findings end(const EnginePlan& plan);

  tests::Random& random() noexcept { return random_; }
  // What was heard so far and is not lost.
  std::vector<SessionStory>& stories() noexcept { return stories_; }

 private:
  struct ClientProcess {
    std::unique_ptr<Ledger> ledger;
    LedgerPlace read;
    Trader trader;
    Process process;
  };

  void start_clients(const EnginePlan& plan);
  Process start_client(const Trader& trader, Ledger& ledger) const;
  Trader make_trader(core::AccountId account);
  void replace_some_client();
  void await_death(Process& engine, const EnginePlan& plan, std::uint64_t replies);
  std::uint64_t replies() const;
  void settle_clients();
  void ask_engine();
  void lose_files(Disk disk);
  Findings judge();

  TemporaryFolder folder_;
  tests::Random random_;
  Clients kind_;
  EnginePlan plan_;
  std::vector<ClientProcess> clients_;
  core::ClOrdId client_processes_ = 0;  // started so far
  std::vector<SessionStory> stories_;
  std::vector<std::string> faults_;  // of this life
};

// Chooses how an engine may die in its very start; never a step that this start does not come to.
std::string random_recovery_step(tests::Random& random);

}  // namespace shmatch::process_test
