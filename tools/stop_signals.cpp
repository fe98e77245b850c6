#include "tools/stop_signals.h"

#include <csignal>

namespace shmatch::tools {

namespace {

volatile std::sig_atomic_t requested = 0;

}  // namespace

void watch_stop_signals() noexcept {
  // Without SA_RESTART, so that a signal also ends a sleep.
  struct sigaction action {};
  action.sa_handler = [](int) { requested = 1; };
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool stop_requested() noexcept { return requested != 0; }

}  // namespace shmatch::tools
