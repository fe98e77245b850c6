// IntervalLog: what a run records, cut into stretches of time, summed up, and written to a
// histogram log by a thread of its own, so that the run never waits for a file or a compressor.
//
// There are two sets of histograms. The run fills one; when a stretch is over it takes the other
// one, if the thread is done with it, and else goes on filling: a stretch may become longer, but
// nothing is lost.
//
// Thread: open, start and finish on the run's thread; current and next on it between these.
#pragma once

#include <array>
#include <atomic>
#include <string>
#include <thread>

#include "tools/hdr_log.h"
#include "tools/latency_metrics.h"

namespace shmatch::tools {

class IntervalLog {
 public:
  IntervalLog() = default;
  ~IntervalLog();
  IntervalLog(const IntervalLog&) = delete;
  IntervalLog& operator=(const IntervalLog&) = delete;

  // With a file; without it everything is one stretch, kept in memory. Not empty: a sentence that
  // says why it cannot be written.
  std::string open(const std::string& path, const std::string& written_by);
  bool written() const noexcept { return written_; }

  // What is recorded now goes here.
  MetricSet& current() noexcept { return sets_[filling_]; }
  // A stretch of the run ends at `seconds` from its start.
  void next(double seconds) noexcept;
  // The run has ended: all of it summed up. Not empty: a sentence that says why the file is not
  // complete.
  std::string finish(double seconds, MetricSet& all);

 private:
  struct Stretch {
    double begin = 0;
    double end = 0;
  };
  void write_stretches();
  void write(const MetricSet& set, const Stretch& stretch);

  std::array<MetricSet, 2> sets_;
  std::size_t filling_ = 0;
  double begin_ = 0;
  MetricSet all_;
  bool written_ = false;
  HdrLogWriter log_;
  Stretch handed_;  // of the other set, while it is the thread's
  // True while the other set is the thread's: it publishes the set's contents, both ways.
  std::atomic<bool> handed_over_{false};
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

}  // namespace shmatch::tools
