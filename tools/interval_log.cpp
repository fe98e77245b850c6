#include "tools/interval_log.h"

#include <sys/resource.h>

#include <chrono>

namespace shmatch::tools {

IntervalLog::~IntervalLog() {
  ending_.store(true, std::memory_order_relaxed);
  if (thread_.joinable()) thread_.join();
}

std::string IntervalLog::open(const std::string& path, const std::string& written_by) {
  const std::chrono::duration<double> start = std::chrono::system_clock::now().time_since_epoch();
  if (std::string trouble = log_.open(path, written_by, start.count()); !trouble.empty()) {
    return trouble;
  }
  written_ = true;
  thread_ = std::thread([this] { write_stretches(); });
  return {};
}

void IntervalLog::next(double seconds) noexcept {
  // SYNC POINT stretch: pairs with write_stretches; the thread is done with the other set.
  if (!written_ || handed_over_.load(std::memory_order_acquire)) return;
  handed_ = {begin_, seconds};
  filling_ = 1 - filling_;
  begin_ = seconds;
  // SYNC POINT stretch: pairs with write_stretches; the set that was filled is the thread's now.
  handed_over_.store(true, std::memory_order_release);
}

std::string IntervalLog::finish(double seconds, MetricSet& all) {
  ending_.store(true, std::memory_order_relaxed);
  if (thread_.joinable()) thread_.join();
  write(current(), {begin_, seconds});
  all = all_;
  return written_ ? log_.close() : std::string();
}

void IntervalLog::write_stretches() {
  // Where there are no more cores than spinners, it should disturb them as little as it can.
  constexpr int kLeastUrgent = 19;
  static_cast<void>(::setpriority(PRIO_PROCESS, 0, kLeastUrgent));
  while (true) {
    // Asked for before the look: what was handed over before the end is still written.
    const bool last = ending_.load(std::memory_order_relaxed);
    if (handed_over_.load(std::memory_order_acquire)) {
      MetricSet& full = sets_[1 - filling_];
      write(full, handed_);
      full.clear();
      handed_over_.store(false, std::memory_order_release);
    } else if (last) {
      return;
    } else {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
}

void IntervalLog::write(const MetricSet& set, const Stretch& stretch) {
  all_.add(set);
  for (std::size_t i = 0; written_ && i < kMetrics; ++i) {
    log_.add(kMetricNames[i].tag, stretch.begin, stretch.end - stretch.begin, set.at(i));
  }
}

}  // namespace shmatch::tools
