// How fast a replay runs: as fast as possible, in the log's own time, that time stretched or
// squeezed, or at a fixed rate.
//
// Open loop: each record has an intended moment, counted from the first one's; a replay that falls
// behind does not shift the moments that follow.
//
// Thread: one.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "core/types.h"

namespace shmatch::tools {

class Pacer {
 public:
  using Clock = std::chrono::steady_clock;

  // As fast as possible.
  Pacer() = default;

  // "asap", "original", "xN" (N times as fast as the log, N a positive number) or "rate=R" (R
  // records a second). Nothing for any other text.
  static std::optional<Pacer> parse(std::string_view text);

  bool asap() const noexcept { return kind_ == Kind::kAsap; }

  // The moment at which the next record, which bears the time `time`, is due. Now, for asap.
  Clock::time_point next(core::TimeNs time);

  // Waits for `moment`, to within some microseconds. Returns by how much it is late.
  static Clock::duration wait(Clock::time_point moment);

 private:
  enum class Kind { kAsap, kLog, kRate };

  Kind kind_ = Kind::kAsap;
  double factor_ = 1;  // kLog: how many times as fast; kRate: records a second
  bool started_ = false;
  Clock::time_point start_;
  core::TimeNs first_time_ = 0;
  double records_ = 0;
};

}  // namespace shmatch::tools
