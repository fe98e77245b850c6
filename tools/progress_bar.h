// A line on standard error that shows how far a long run is; nothing where that is no terminal.
//
// Thread: one.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace shmatch::tools {

class ProgressBar {
 public:
  // `what` stands before the bar.
  explicit ProgressBar(std::string what);
  ~ProgressBar() { clear(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // `share` is 0 to 1. Draws at most ten times a second.
  void show(double share, std::string_view note = {});
  // Removes the line: before anything else is printed.
  void clear();

 private:
  std::string what_;
  bool terminal_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point next_{};
};

}  // namespace shmatch::tools
