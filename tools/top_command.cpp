// top: an engine's counters, from the page that it shows to whoever may log on.
#include <poll.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "ipc/observer.h"
#include "tools/command.h"
#include "tools/live_screen.h"
#include "tools/stop_signals.h"
#include "tools/top_view.h"

namespace shmatch::tools {

namespace {

struct TopFlags {
  bool once = false;
  double interval = 1;
  CLI::Option* interval_option = nullptr;
};

// How far apart two looks are that print rates once: errors are promised within a second.
constexpr double kOnceInterval = 0.25;

[[noreturn]] void throw_gone(const ipc::Observer& observer) {
  const std::string& reason = observer.end_reason();
  throw ExitError(kExitGone, reason.empty() ? "the engine went away" : reason);
}

void look(ipc::Observer& observer, ipc::CountersLook& look) {
  if (observer.look(look) && !observer.ended()) return;
  if (observer.ended()) throw_gone(observer);
  throw ExitError(kExitGone, "the engine stands still in the middle of showing its counters");
}

// Returns early when the engine goes. False when a signal came.
bool pause(const ipc::Observer& observer, double seconds) {
  pollfd engine{observer.socket_handle(), POLLIN, 0};
  return ::poll(&engine, 1, static_cast<int>(seconds * 1e3)) >= 0 && !stop_requested();
}

int show_once(ipc::Observer& observer, const TopFlags& flags, bool json) {
  ipc::CountersLook before;
  ipc::CountersLook now;
  look(observer, before);
  if (!pause(observer, flags.interval_option->count() != 0 ? flags.interval : kOnceInterval))
    return kExitDone;
  look(observer, now);
  const TopView view{observer.header(), observer.reference(), before, now};
  constexpr std::size_t kNoEnd = ~std::size_t{0};
  print(json ? top_json(view) + "\n" : top_text(view, kNoEnd));
  return kExitDone;
}

int show_live(ipc::Observer& observer, double interval) {
  LiveScreen screen;
  ipc::CountersLook before;
  ipc::CountersLook now;
  look(observer, before);
  now = before;
  while (!stop_requested()) {
    const TopView view{observer.header(), observer.reference(), before, now,
                       before.engine.gap_window};
    screen.draw(top_text(view, screen.rows()));
    const LiveScreen::Event event = screen.wait(interval, observer.socket_handle());
    if (event == LiveScreen::Event::kKey) break;
    if (stop_requested()) break;
    before = now;
    look(observer, now);
  }
  return kExitDone;
}

int run_top(const GlobalOptions& global, const TopFlags& flags) {
  watch_stop_signals();
  ipc::Observer observer;
  const Failure failure = observer.connect(global.socket, kLogonTimeout);
  require_logon(failure);
  const bool once = flags.once || global.json || !LiveScreen::possible();
  return once ? show_once(observer, flags, global.json) : show_live(observer, flags.interval);
}

}  // namespace

void add_top_command(CLI::App& app, CommandLine& line) {
  auto flags = std::make_shared<TopFlags>();
  CLI::App* command = app.add_subcommand(
      "top", "Show a running engine's counters: rates, sessions, backlog, journal, gaps");
  command->add_flag("--once", flags->once, "print once; so it is without a terminal, too");
  flags->interval_option =
      command
          ->add_option("--interval", flags->interval,
                       "seconds between two looks, over which rates are counted; 1, or 0.25 for "
                       "once")
          ->option_text("SECONDS")
          ->check(CLI::Range(0.05, 3600.0));
  command->footer(
      "Reads a page that the engine writes anyway: watching needs no session and does not slow "
      "the\n"
      "engine down. Whoever may log on as some user may watch. Press q to quit. With --json one\n"
      "object is printed, once. docs/OBSERVING.md says what each figure means.\n"
      "Example:\n"
      "  shmatch top --interval 5");
  command->callback(
      [&line, flags] { line.run = [&line, flags] { return run_top(line.global, *flags); }; });
}

}  // namespace shmatch::tools
