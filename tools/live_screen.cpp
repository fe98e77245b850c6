#include "tools/live_screen.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>

#include "tools/command.h"

namespace shmatch::tools {

namespace {

constexpr const char* kEnter = "\x1b[?1049h\x1b[?25l\x1b[?7l";  // second screen, no cursor, no wrap
constexpr const char* kLeave = "\x1b[?7h\x1b[?25h\x1b[?1049l";

}  // namespace

bool LiveScreen::possible() noexcept { return ::isatty(STDOUT_FILENO) == 1; }

LiveScreen::LiveScreen() {
  if (::isatty(STDIN_FILENO) == 1 && ::tcgetattr(STDIN_FILENO, &before_) == 0) {
    termios raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    keyboard_ = ::tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
  }
  print(kEnter);
}

LiveScreen::~LiveScreen() {
  std::fputs(kLeave, stdout);
  std::fflush(stdout);
  if (keyboard_) ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
}

std::size_t LiveScreen::rows() const noexcept {
  constexpr std::size_t kUsual = 24;
  winsize size{};
  const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0;
  return known ? size.ws_row : kUsual;
}

void LiveScreen::draw(const std::string& text) const {
  // Each line is cleared behind its text, so that nothing flickers.
  std::string screen = "\x1b[H";
  for (const char c : text) screen += c == '\n' ? "\x1b[K\n" : std::string(1, c);
  print(screen + "\x1b[J");
}

LiveScreen::Event LiveScreen::wait(double seconds, int handle) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                      std::chrono::duration<double>(seconds));
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
    if (left <= 0) return Event::kTime;
    std::array<pollfd, 2> waits{{{keyboard_ ? STDIN_FILENO : -1, POLLIN, 0}, {handle, POLLIN, 0}}};
    const int ready = ::poll(waits.data(), waits.size(), static_cast<int>(left));
    if (ready < 0) return Event::kSignal;
    if (waits[1].revents != 0) return Event::kEngine;
    if (waits[0].revents != 0) {
      char key = 0;
      const ssize_t count = ::read(STDIN_FILENO, &key, 1);
      if (count == 1 && (key == 'q' || key == 'Q')) return Event::kKey;
      if (count <= 0) keyboard_ = false;  // the terminal is gone: a signal follows
    }
  }
}

}  // namespace shmatch::tools
