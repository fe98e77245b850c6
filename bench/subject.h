// An engine to be measured, with its clients in this process, in a folder of its own.
//
// Engines of one program are pinned to the same core, so that all but one of them are stopped at
// any time. Thread: one.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bench/engine_process.h"
#include "ipc/client.h"

namespace shmatch::bench {

// Is there while a benchmark runs: sockets and journals lie in it.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const std::string& name);
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

// Cores of client and engine. Without a value, and with a sentence on standard error, when this
// process may not use two.
struct Cores {
  int client = 0;
  int engine = 0;
};
std::optional<Cores> two_cores();

struct SubjectOptions {
  std::string folder;  // is made
  int cpu = 0;
  ipc::Durability durability = ipc::Durability::kNone;
  std::uint32_t clients = 1;  // one for each trader, of account 1, 2, ...
  std::uint32_t request_slots = LogonOptions{}.request_slots;
  std::uint32_t report_slots = LogonOptions{}.report_slots;
  bool reply_in_place = false;  // as in LogonOptions
};

class Subject {
 public:
  // Starts the engine and logs its clients on; the engine runs when this returns. Empty, or a
  // sentence.
  std::string start(const SubjectOptions& options);

  void pause() const { engine_->pause(); }
  void resume() const { engine_->resume(); }
  pid_t engine_id() const noexcept { return engine_->id(); }
  Client& client() noexcept { return clients_.front(); }
  std::span<Client> clients() noexcept { return clients_; }

 private:
  std::optional<EngineProcess> engine_;
  std::vector<Client> clients_;
};

}  // namespace shmatch::bench
