// latency: round trips against a running engine, beside the machine's own floor and jitter.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "ipc/cpu.h"
#include "tools/command.h"
#include "tools/flag_checks.h"
#include "tools/latency_report.h"
#include "tools/latency_run.h"
#include "tools/measure.h"
#include "tools/stop_signals.h"

namespace shmatch::tools {

namespace {

struct LatencyFlags {
  LatencyOptions options;
  std::optional<std::uint64_t> warm_up;
  std::string log;
  std::vector<std::string> compare;
  int cpu = -1;  // -1: not given
  int floor_cpu = -1;
  bool floor = false;
};

constexpr double kUsualSeconds = 5;
constexpr std::uint64_t kUsualWarmUp = 2000;
constexpr std::size_t kFloorCount = 100'000;

int compare_logs(const std::vector<std::string>& paths, bool json) {
  HdrLog a;
  HdrLog b;
  for (const auto& [path, log] : {std::pair(&paths[0], &a), std::pair(&paths[1], &b)}) {
    if (const std::string trouble = read_hdr_log(*path, *log); !trouble.empty()) {
      throw ExitError(kExitNoEngine, trouble);
    }
  }
  print(json ? comparison_json(a, b, paths[0], paths[1]) + "\n"
             : comparison_text(a, b, paths[0], paths[1]));
  return kExitDone;
}

// The bare ping-pong beside which the round trips are seen. Not empty: why there is none.
std::string measure_floor(const LatencyFlags& flags, HdrHistogram& floor) {
  const cpu_set_t before = ipc::allowed_cpus();
  const std::vector<int> cpus = allowed_cpus();
  const int own = flags.cpu >= 0 ? flags.cpu : cpus.front();
  int partner = flags.floor_cpu;
  for (const int cpu : cpus) {
    if (partner < 0 && cpu != own) partner = cpu;
  }
  if (partner < 0 || partner == own) return "it needs two processors, and there is one";
  Samples samples = ping_pong(own, partner, kFloorCount);
  ::sched_setaffinity(0, sizeof before, &before);
  if (samples.count() == 0) return "the partner could not be kept on its processor";
  samples.for_each_ns([&floor](double ns) { floor.record(static_cast<std::int64_t>(ns + 0.5)); });
  return {};
}

// Round trips that do not count: so many as bring everything into the caches, but not for long.
std::uint64_t warm_up_of(const LatencyFlags& flags) {
  if (flags.warm_up) return *flags.warm_up;
  if (flags.options.rate == 0) return kUsualWarmUp;
  return std::min(kUsualWarmUp, static_cast<std::uint64_t>(flags.options.rate / 2));
}

int measure(const GlobalOptions& global, const LatencyFlags& flags) {
  watch_stop_signals();
  HdrHistogram floor;
  const std::string no_floor = flags.floor ? measure_floor(flags, floor) : std::string();
  if (flags.cpu >= 0) {
    if (const ipc::Fault fault = ipc::pin_to_cpu(flags.cpu))
      throw ExitError(kExitUsage, fault.text);
  }
  LatencyOptions options = flags.options;
  options.warm_up = warm_up_of(flags);
  if (options.count == 0 && options.seconds == 0) options.seconds = kUsualSeconds;

  LogonOptions logon = logon_options(global, global.user, "latency");
  logon.whole_objects = false;
  logon.all_accounts = false;
  // Whatever ends this process, none of its orders stays.
  logon.cancel_on_disconnect = true;
  logon.reply_in_place = options.in_place;
  Client client;
  require_logon(client.logon(logon));
  IntervalLog log;
  if (!flags.log.empty()) {
    const std::string trouble = log.open(flags.log, "shmatch " SHMATCH_VERSION);
    if (!trouble.empty()) throw ExitError(kExitUsage, trouble);
  }
  LatencyRun run(client, options, log);
  const LatencyRun::End end = run.run();
  if (end != LatencyRun::End::kDone) {
    throw ExitError(end == LatencyRun::End::kRefused ? kExitRefused : kExitGone, run.trouble());
  }
  MetricSet metrics;
  if (const std::string trouble = log.finish(run.seconds(), metrics); !trouble.empty()) {
    throw ExitError(kExitUsage, trouble);
  }
  const LatencyReport report{.rate = options.rate,
                             .round_trips = run.round_trips(),
                             .seconds = run.seconds(),
                             .interrupted = stop_requested(),
                             .user = client.session().user_name,
                             .metrics = metrics,
                             .jitter = run.jitter(),
                             .floor = flags.floor && no_floor.empty() ? &floor : nullptr,
                             .no_floor = no_floor};
  print(global.json ? latency_json(report) + "\n" : latency_text(report));
  return kExitDone;
}

void add_flags(CLI::App& command, LatencyFlags& flags) {
  LatencyOptions& options = flags.options;
  command.add_option("--duration", options.seconds, "seconds that are measured; 5")
      ->option_text("SECONDS")
      ->check(CLI::Range(0.01, 86'400.0));
  command.add_option("--count", options.count, "round trips that are measured, at most")
      ->option_text("N")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 40));
  command
      .add_option("--rate", options.rate,
                  "open loop: requests a second, sent when they are due; times count from then")
      ->option_text("R")
      ->check(CLI::Range(0.1, 50e6));
  command
      .add_option("--warm-up", flags.warm_up,
                  "round trips before the measured ones; 2000, at low rates a second of them")
      ->option_text("N");
  command.add_flag("--in-place", options.in_place,
                   "take each reply from its request's own cache line, where it comes sooner");
  command.add_option("--account-id", options.account_id, "account of the orders; 1");
  command.add_option("--instrument-id", options.instrument_id, "instrument of the orders; 3");
  command.add_option("--oms-id", options.oms_id, "OMSId of the engine; 1");
  command.add_option("--price-ticks", options.price,
                     "buy orders of one lot rest there, in ticks; nobody may sell there; 1");
  command.add_option("--cpu", flags.cpu, "keep this process on that processor")
      ->option_text("N")
      ->check(CLI::Range(0, 1 << 16));
  command.add_flag("--floor", flags.floor,
                   "first measure the bare ping-pong of two cache lines between two processors");
  command
      .add_option("--floor-cpu", flags.floor_cpu,
                  "the ping-pong's other processor; best the engine's")
      ->option_text("N")
      ->check(CLI::Range(0, 1 << 16));
  command
      .add_option("--hlog", flags.log, "write a log of histograms that HdrHistogram's tools read")
      ->option_text("FILE")
      ->check(not_empty());
  command.add_option("--interval", options.interval, "seconds, of the log's lines; 1")
      ->option_text("SECONDS")
      ->check(CLI::Range(0.05, 3600.0));
}

}  // namespace

void add_latency_command(CLI::App& app, CommandLine& line) {
  auto flags = std::make_shared<LatencyFlags>();
  CLI::App* command = app.add_subcommand("latency", "Measure round trips against a running engine");
  add_flags(*command, *flags);
  command->add_option("--compare", flags->compare, "measure nothing: show two logs side by side")
      ->option_text("A.hlog B.hlog")
      ->expected(2);
  command->footer(
      "Each round trip enters an order that rests and cancels it; all are cancelled at the end, "
      "also\n"
      "after SIGINT. This process spins: give it and the engine a core each. docs/OBSERVING.md "
      "says\n"
      "how to read the figures. With --json one object is printed.\n"
      "Examples:\n"
      "  shmatch latency --cpu 1 --floor --hlog before.hlog\n"
      "  shmatch latency --rate 100000 --duration 10\n"
      "  shmatch latency --compare before.hlog after.hlog");
  command->callback([&line, flags] {
    line.run = [&line, flags] {
      return flags->compare.empty() ? measure(line.global, *flags)
                                    : compare_logs(flags->compare, line.global.json);
    };
  });
}

}  // namespace shmatch::tools
