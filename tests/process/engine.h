// A live shmatchd for one test, in a folder of its own, and what a person at a shell would do
// with it: run shmatch, stop the engine, look at its log.
//
// Thread: one. Ownership: a TestEngine owns its process, its folder and its socket.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"
#include "ipc/client.h"
#include "tests/process/process.h"

namespace shmatch::process_test {

// The configuration file of an engine for tests, with instruments 1 BTCUSD (tick 0.01, lot 10^-8)
// and 3 TEST (tick 1, lot 1).
class ConfigText {
 public:
  // OMS 1, instruments 1 BTCUSD and 3 TEST, small capacities, a socket that every uid may reach.
  ConfigText();

  // Users get ascending ids from 10. `accounts` is a TOML list.
  ConfigText& user(std::string_view name, uid_t uid, std::string_view permission,
                   std::string_view accounts);
  // Keys of the table [capacity], which replace the small ones.
  ConfigText& capacity(std::string_view lines);
  // Further tables.
  ConfigText& add(std::string_view lines);

  std::string text() const;

 private:
  std::string users_;
  std::string capacity_;
  std::string more_;
  int next_id_ = 10;
};

// operator (Operator), alice (Trading, accounts 1 and 2), bob (Trading, account 3), all for this
// uid.
ConfigText usual_config();

class TestEngine {
 public:
  // Starts an engine and waits until it serves; throws with its log when it does not.
  explicit TestEngine(const ConfigText& config = usual_config());
  // Starts it with `flags` instead of a configuration file.
  explicit TestEngine(const std::vector<std::string>& flags);

  // The same engine again, after it ended.
  void start();
  // Asks it to stop and returns its exit status.
  int stop();

  Process& process() noexcept { return process_; }
  const std::string& socket() const noexcept { return socket_; }
  const TemporaryFolder& folder() const noexcept { return folder_; }
  const std::vector<std::string>& command() const noexcept { return command_; }
  std::string log();
  bool logs(std::string_view words);

  // The arguments that run `shmatch` against this engine.
  std::vector<std::string> shmatch(const std::vector<std::string>& arguments) const;
  // Runs it to its end. `input` is its standard input.
  Outcome run(const std::vector<std::string>& arguments, std::string_view input = {},
              std::optional<uid_t> uid = {});

  LogonOptions options(std::string_view user) const;

 private:
  TemporaryFolder folder_;
  std::string socket_;
  std::vector<std::string> command_;
  Process process_;
};

// The paths of the programs under test.
std::string shmatchd_program();
std::string shmatch_program();

// True when the machine lets this test change its uid.
bool may_change_uid() noexcept;

}  // namespace shmatch::process_test
