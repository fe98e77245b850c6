#include "tools/progress_bar.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

namespace shmatch::tools {

ProgressBar::ProgressBar(std::string what)
    : what_(std::move(what)), terminal_(::isatty(STDERR_FILENO) == 1) {}

void ProgressBar::show(double share, std::string_view note) {
  constexpr std::chrono::milliseconds kBetween{100};
  constexpr std::size_t kWidth = 40;
  if (!terminal_) return;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_) return;
  next_ = now + kBetween;
  const double bounded = std::clamp(share, 0.0, 1.0);
  const auto filled = static_cast<std::size_t>(bounded * kWidth);
  std::string line = "\r\x1b[K" + what_ + " [" + std::string(filled, '#') +
                     std::string(kWidth - filled, '.') + "] ";
  line += std::to_string(static_cast<int>(bounded * 100)) + " % ";
  line += note;
  std::fputs(line.c_str(), stderr);
  std::fflush(stderr);
  drawn_ = true;
}

void ProgressBar::clear() {
  if (!drawn_) return;
  std::fputs("\r\x1b[K", stderr);
  std::fflush(stderr);
  drawn_ = false;
}

}  // namespace shmatch::tools
