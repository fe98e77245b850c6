// What the commands of `shmatch` share: global options, exit statuses, logging on, flags that
// become a request's payload, and output.
//
// Commands report trouble by throwing ExitError; main prints its sentence and returns its status.
//
// Thread: a command runs on one thread.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "ipc/client.h"
#include "tools/json.h"
#include "tools/request_codec.h"

// Only commands include CLI11: it takes a compiler longer than all the rest of a source.
namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace shmatch::tools {

// Part of the command line's contract.
inline constexpr int kExitDone = 0;
inline constexpr int kExitRefused = 1;   // the engine refused; its reply was printed
inline constexpr int kExitUsage = 2;     // the command line, or where its output goes
inline constexpr int kExitNoEngine = 3;  // nobody serves there, or logon was refused
inline constexpr int kExitGone = 4;      // the engine went away, or does not answer

struct ExitError : std::runtime_error {
  ExitError(int exit_status, const std::string& sentence)
      : std::runtime_error(sentence), status(exit_status) {}
  int status;
};

struct GlobalOptions {
  std::string socket;
  std::string user;
  bool json = false;
};

// The parsed command line: `run` executes the command that was chosen and returns the exit status.
struct CommandLine {
  GlobalOptions global;
  std::function<int()> run;
};

// Each adds one command to `app`. `line` must outlive the parsing and the run.
void add_exec_command(CLI::App& app, CommandLine& line);
void add_send_command(CLI::App& app, CommandLine& line);
void add_cancel_command(CLI::App& app, CommandLine& line);
void add_status_command(CLI::App& app, CommandLine& line);
void add_open_orders_command(CLI::App& app, CommandLine& line);
void add_book_command(CLI::App& app, CommandLine& line);
void add_watch_command(CLI::App& app, CommandLine& line);
void add_top_command(CLI::App& app, CommandLine& line);
void add_latency_command(CLI::App& app, CommandLine& line);
void add_doctor_command(CLI::App& app, CommandLine& line);
void add_replay_command(CLI::App& app, CommandLine& line);
void add_journal_command(CLI::App& app, CommandLine& line);

// What every session of this program asks for: whole objects, every account an Operator may see,
// and orders that outlive it. `user` may be empty.
LogonOptions logon_options(const GlobalOptions& global, const std::string& user,
                           std::string_view command);

// Logs on as the user of the global options. Throws ExitError.
Client log_on(const GlobalOptions& global, std::string_view command);

// Throws the ExitError that fits `failure`, if it is one.
void require(const Failure& failure);

// How long a command tries to reach the engine: errors are promised within a second, also when the
// engine is there but hangs.
inline constexpr std::chrono::milliseconds kLogonTimeout{900};
// The same, after an attempt to reach the engine: one that accepts but does not serve is none.
void require_logon(const Failure& failure);

// Throws the ExitError for a session that check_socket found to be over.
[[noreturn]] void throw_engine_gone(const Client& client);

// Flags that are fields of a request. Values stay text: the request codec judges them by the rules
// it has for JSON, so there is one set of rules.
class PayloadFlags {
 public:
  // `flags` as CLI11 reads it ("--order-id"), `key` the API's field. Without `value` a flag that is
  // not given is an absent key.
  void add(CLI::App& command, const std::string& flags, std::string key, const std::string& help,
           std::string value = {});
  // The flag that every call but Ping has.
  void add_oms_id(CLI::App& command);

  // The request that the given flags make. Throws ExitError when the codec refuses it.
  core::Request encode(Function function) const;

 private:
  struct Flag {
    std::string key;
    std::string value;
    CLI::Option* option;
  };
  std::deque<Flag> flags_;  // CLI11 keeps addresses of the values
};

// Prints the reply of an engine that refused, and returns the exit status for it.
int show_refusal(const core::Receipt& receipt, const Client& client, bool json);

// Prints `text` and a line feed and flushes. Throws ExitError when standard output does not take
// it.
void print_line(std::string_view text);

// Prints `text` as it is, and flushes.
void print(std::string_view text);

}  // namespace shmatch::tools
