// shmatch-demo: replays a request log through a live engine and several client processes, and shows
// what happened. The script tools/demo builds and runs it.
//
// Exit status: 0 done; 1 something went wrong; 2 a wrong command line or log; 3 the engine did not
// start; 4 the engine went away; 128 plus the number of the signal that ended it.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <string>

#include "tools/demo_report.h"

namespace shmatch::tools {
namespace {

struct CommandLine {
  std::string log;
  bool no_latency = false;
};

void replay_and_report(const RequestLog& log, const PrivateFolder& folder,
                       const StopSignals& signals) {
  using Seconds = std::chrono::duration<double>;
  DemoEngine engine(folder, "replay", {"--idle", "yield"}, signals);
  print_engine(engine, log.users.size());
  const auto begin = std::chrono::steady_clock::now();
  const std::vector<ClientResult> results = [&] {
    Progress progress(log.requests, ::isatty(STDOUT_FILENO) == 1);
    return replay(log, engine, signals, [&](std::uint64_t answered) { progress.show(answered); });
  }();
  const Seconds elapsed = std::chrono::steady_clock::now() - begin;
  const EngineView view = look_at(engine);
  engine.stop(signals);
  print_results(log, results, elapsed.count());
  print_refusals(log, results, view.reference);
  print_books(view.books);
}

void measure_and_report(const CommandLine& line, const PrivateFolder& folder,
                        const StopSignals& signals) {
  const std::vector<int> cpus = allowed_cpus();
  if (line.no_latency) {
    print_no_latency("--no-latency");
  } else if (cpus.size() < 2) {
    print_no_latency("engine and client would share the one processor that this process may use");
  } else {
    std::fflush(stdout);
    print_latency(measure_latency(folder, cpus, signals));
  }
}

int run(int argc, char** argv) {
  CommandLine line;
  CLI::App app("Replays a request log through a live engine and several client processes.",
               "shmatch-demo");
  app.add_option("LOG", line.log, "AlphaPoint frames, one JSON object a line, may be compressed")
      ->required();
  app.add_flag("--no-latency", line.no_latency, "leave the latency part out");
  app.footer("Every user that the log names (key `u`) gets a client process of its own.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "shmatch-demo: %s\n", error.what());
    return kDemoUsage;
  }

  // A reader of our output that goes away must not keep us from tidying up.
  std::signal(SIGPIPE, SIG_IGN);
  const StopSignals signals;
  RequestLog log;
  std::string error;
  if (!read_log(line.log, log, error)) throw DemoError(kDemoUsage, error);
  print_log(line.log, log);
  const PrivateFolder folder;
  replay_and_report(log, folder, signals);
  measure_and_report(line, folder, signals);
  if (std::fflush(stdout) != 0) throw DemoError(kDemoFailed, "standard output cannot be written");
  return 0;
}

}  // namespace
}  // namespace shmatch::tools

int main(int argc, char** argv) {
  try {
    return shmatch::tools::run(argc, argv);
  } catch (const shmatch::tools::DemoError& error) {
    std::fflush(stdout);
    std::fprintf(stderr, "shmatch-demo: %s\n", error.what());
    return error.status;
  } catch (const std::exception& error) {
    std::fflush(stdout);
    std::fprintf(stderr, "shmatch-demo: %s\n", error.what());
    return shmatch::tools::kDemoFailed;
  }
}
