// watch: every order state and trade that the user may see, as it comes.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <ctime>

#include "tools/command.h"
#include "tools/report_codec.h"
#include "tools/stop_signals.h"
#include "tools/text_view.h"

namespace shmatch::tools {

namespace {

void sleep_a_moment() {
  constexpr timespec kMoment{0, 500'000};
  nanosleep(&kMoment, nullptr);
}

// The line for an event; empty for any other report.
std::string event_line(const Report& report, const ReferenceData& reference, bool json) {
  if (json) return event_frame(report, reference).value_or("");
  if (report.is<core::OrderStateWhole>()) {
    return order_sentence(report.as<core::OrderStateWhole>(), reference);
  }
  if (report.is<core::TradeWhole>()) {
    return trade_sentence(report.as<core::TradeWhole>(), reference);
  }
  return "";
}

// Prints what is waiting, at most a batch at once. False when nothing was waiting.
bool print_waiting(Client& client, bool json) {
  constexpr int kBatch = 1024;
  std::string text;
  Report report;
  int taken = 0;
  while (taken < kBatch && client.poll(report)) {
    ++taken;
    const std::string line = event_line(report, client.reference(), json);
    if (!line.empty()) text += line + "\n";
  }
  if (!text.empty()) print(text);
  return taken > 0;
}

int run_watch(const GlobalOptions& global) {
  watch_stop_signals();
  Client client = log_on(global, "watch");
  // For a person who would else look at an empty screen; to a program standard error says failures
  // only.
  if (isatty(STDERR_FILENO) == 1) {
    std::fprintf(stderr, "shmatch: watching as %s\n", client.session().user_name.c_str());
  }
  while (!stop_requested()) {
    if (print_waiting(client, global.json)) continue;
    if (client.check_socket() != EngineState::kServing) {
      // What came before the end still counts.
      while (print_waiting(client, global.json)) {
      }
      throw_engine_gone(client);
    }
    sleep_a_moment();
  }
  return kExitDone;
}

}  // namespace

void add_watch_command(CLI::App& app, CommandLine& line) {
  CLI::App* command =
      app.add_subcommand("watch", "Print order states and trades as they come, until interrupted");
  command->footer(
      "Operators see every account, others their own. With --json each line is the event's frame,\n"
      "{\"m\":3,\"n\":\"OrderStateEvent\",\"o\":{...}}.\n"
      "Example:\n"
      "  shmatch --user operator watch");
  command->callback([&line] { line.run = [&line] { return run_watch(line.global); }; });
}

}  // namespace shmatch::tools
