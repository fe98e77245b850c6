// shmatchd: serves one matching engine on one Unix socket until it is told to stop.
//
// Exit status: 0 stopped by SIGTERM or SIGINT; 1 it could not serve; 2 a wrong command line or
// configuration file.
#include <sched.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>

#include "core/check.h"
#include "tools/capture_log.h"
#include "tools/config_file.h"
#include "tools/flag_checks.h"

namespace shmatch::tools {
namespace {

constexpr int kCouldNotServe = 1;
constexpr int kUsage = 2;

struct CommandLine {
  std::string config;
  std::string socket;
  std::string idle;
  std::string journal;
  std::string capture;
  std::string durability;
  int cpu = -1;  // -1: not given
  bool check_config = false;
};

void log_broken_invariant(const char* condition, const char* file, int line) noexcept {
  spdlog::critical("broken invariant, the engine stops: {} ({}:{})", condition, file, line);
  spdlog::shutdown();
}

void log_sentence(ipc::LogLevel level, std::string_view sentence) {
  switch (level) {
    case ipc::LogLevel::kInfo:
      spdlog::info(sentence);
      break;
    case ipc::LogLevel::kWarning:
      spdlog::warn(sentence);
      break;
    case ipc::LogLevel::kError:
      spdlog::error(sentence);
      break;
  }
}

void set_up_logging() {
  auto logger = spdlog::stderr_logger_mt("shmatchd");
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e %l %v");
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
  core::check_handler = log_broken_invariant;
}

void describe_flags(CLI::App& app, CommandLine& line) {
  app.add_option("--config", line.config, "Configuration, a TOML file [the embedded default]")
      ->option_text("FILE")
      ->check(not_empty());
  app.add_option("--socket", line.socket,
                 "Where to serve [$XDG_RUNTIME_DIR/shmatch/engine.sock, else\n"
                 "/tmp/shmatch-UID/engine.sock]")
      ->option_text("PATH")
      ->check(not_empty());
  app.add_option("--journal", line.journal,
                 "Keep every input in this folder, made if missing, and go on\n"
                 "from what it holds [none: nothing outlives the process]")
      ->option_text("DIR")
      ->check(not_empty());
  app.add_option("--durability", line.durability,
                 "With a journal: async answers before an input is on the disk,\n"
                 "sync only then [async; without a journal none]")
      ->option_text("none|async|sync")
      ->check(CLI::IsMember({"none", "async", "sync"}));
  app.add_option("--capture", line.capture,
                 "Write what clients send to this file, one frame a line, for\n"
                 "shmatch exec or replay; what it held is gone [nothing is captured]")
      ->option_text("FILE")
      ->check(not_empty());
  app.add_option("--cpu", line.cpu, "Pin the engine thread to this cpu [not pinned]")
      ->option_text("N")
      ->check(CLI::Range(0, CPU_SETSIZE - 1));
  app.add_option("--idle", line.idle,
                 "What the engine thread does without work: spin has the\n"
                 "lowest latency and needs a core of its own [spin]")
      ->option_text("spin|yield|sleep")
      ->check(CLI::IsMember({"spin", "yield", "sleep"}));
  app.add_flag("--check-config", line.check_config, "Check the configuration, then end");
  app.set_version_flag("--version", "shmatchd " SHMATCH_VERSION, "Print the version, then end");
  app.set_help_flag("--help", "Print this help, then end");
  app.footer(
      "Prints `ready SOCKET` when clients can log on; SIGTERM or SIGINT stops it cleanly.\n"
      "The embedded default serves instruments BTCUSD, ETHUSD and TEST, and lets you log on\n"
      "as operator or as trader1 to trader4.\n"
      "\n"
      "Example: shmatchd --socket /tmp/engine.sock --idle yield");
}

// The configuration, then what the command line says, which wins.
ipc::Fault make_options(const CommandLine& line, ipc::ServerOptions& options) {
  if (line.config.empty()) {
    options = default_options(::getuid());
  } else if (ipc::Fault fault = load_config_file(line.config, options)) {
    return fault;
  }
  if (!line.socket.empty()) options.socket_path = line.socket;
  if (!line.journal.empty()) {
    options.journal = line.journal;
    if (options.durability == ipc::Durability::kNone) options.durability = ipc::Durability::kAsync;
  }
  if (!line.durability.empty()) parse_durability(line.durability, options.durability);
  if (options.durability == ipc::Durability::kNone) options.journal.clear();
  if (options.journal.empty() && options.durability != ipc::Durability::kNone) {
    const std::string who = line.durability.empty() ? line.config + ": a durability other than none"
                                                    : "--durability " + line.durability;
    return {who + " needs a journal: name its folder by --journal, or by folder in [journal]"};
  }
  if (line.cpu >= 0) options.cpu = line.cpu;
  if (!line.idle.empty()) parse_idle_mode(line.idle, options.idle);
  options.log = log_sentence;
  return {};
}

int serve(ipc::ServerOptions options, const std::string& capture_path) {
  // The server's threads inherit this mask, so that these signals wait for the sigwait below, even
  // those that come before the server is ready.
  sigset_t stop_signals;
  ::sigemptyset(&stop_signals);
  ::sigaddset(&stop_signals, SIGTERM);
  ::sigaddset(&stop_signals, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &stop_signals, nullptr);
  // Whoever reads our output may go away; that must not stop an engine.
  std::signal(SIGPIPE, SIG_IGN);
  // A file that may not grow is an error of the journal, which has its own way to end.
  std::signal(SIGXFSZ, SIG_IGN);

  CaptureLog capture(options.configuration);
  if (!capture_path.empty()) {
    if (const ipc::Fault fault = capture.open(capture_path)) {
      std::fprintf(stderr, "shmatchd: %s\n", fault.text.c_str());
      return kCouldNotServe;
    }
    options.capture = [&capture](const ipc::CapturedRequest* request) { capture.write(request); };
  }

  const std::string journal = options.journal;
  const bool sync = options.durability == ipc::Durability::kSync;
  ipc::Server server;
  if (const ipc::Fault fault = server.start(std::move(options))) {
    std::fprintf(stderr, "shmatchd: %s\n", fault.text.c_str());
    return kCouldNotServe;
  }
  if (!journal.empty()) {
    spdlog::info("durability {}: journal in {}", sync ? "sync" : "async", journal);
  } else {
    spdlog::info("durability none: no order outlives this process");
  }
  std::printf("ready %s\n", server.socket_path().c_str());
  std::fflush(stdout);

  int signal = 0;
  ::sigwait(&stop_signals, &signal);
  spdlog::info("stopping: {}", ::strsignal(signal));
  server.request_stop();
  server.wait();
  return 0;
}

int run(int argc, char** argv) {
  CommandLine line;
  CLI::App app("shmatchd: a limit order book engine for the programs of one machine", "shmatchd");
  describe_flags(app, line);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& wish) {
    return app.exit(wish);  // --help or --version
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "shmatchd: %s\n", error.what());
    return kUsage;
  }

  set_up_logging();
  ipc::ServerOptions options;
  if (const ipc::Fault fault = make_options(line, options)) {
    std::fprintf(stderr, "shmatchd: %s\n", fault.text.c_str());
    return kUsage;
  }
  if (line.check_config) {
    const core::Configuration& configuration = options.configuration;
    std::printf("ok: %s: instruments %zu, users %zu, accounts %zu\n",
                line.config.empty() ? "embedded default" : line.config.c_str(),
                configuration.instruments.size(), configuration.users.size(),
                configuration.accounts.size());
    return 0;
  }
  return serve(std::move(options), line.capture);
}

}  // namespace
}  // namespace shmatch::tools

int main(int argc, char** argv) {
  try {
    return shmatch::tools::run(argc, argv);
  } catch (const std::exception& error) {
    // Out of memory, mostly: the server itself does not throw.
    std::fprintf(stderr, "shmatchd: %s\n", error.what());
    return shmatch::tools::kCouldNotServe;
  }
}
