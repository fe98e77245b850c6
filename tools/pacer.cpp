#include "tools/pacer.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <thread>

namespace shmatch::tools {

namespace {

std::optional<double> positive_number(std::string_view text) {
  double number = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = result.ec == std::errc{} && result.ptr == text.data() + text.size();
  if (!whole || !std::isfinite(number) || number <= 0) return std::nullopt;
  return number;
}

// Centuries: so far away that no sum overflows.
constexpr double kSecondsMax = 1e9;

}  // namespace

std::optional<Pacer> Pacer::parse(std::string_view text) {
  constexpr std::string_view kRate = "rate=";
  Pacer pacer;
  if (text == "asap") return pacer;
  std::optional<double> factor = 1;
  if (text.starts_with(kRate)) {
    pacer.kind_ = Kind::kRate;
    factor = positive_number(text.substr(kRate.size()));
  } else {
    pacer.kind_ = Kind::kLog;
    if (text.starts_with('x')) {
      factor = positive_number(text.substr(1));
    } else if (text != "original") {
      return std::nullopt;
    }
  }
  if (!factor) return std::nullopt;
  pacer.factor_ = *factor;
  return pacer;
}

Pacer::Clock::time_point Pacer::next(core::TimeNs time) {
  if (kind_ == Kind::kAsap) return Clock::now();
  if (!started_) {
    started_ = true;
    start_ = Clock::now();
    first_time_ = time;
  }
  constexpr double kNsPerSecond = 1e9;
  const double seconds = kind_ == Kind::kRate
                             ? records_++ / factor_
                             : static_cast<double>(time - first_time_) / kNsPerSecond / factor_;
  const std::chrono::duration<double> offset(std::min(seconds, kSecondsMax));
  return start_ + std::chrono::duration_cast<Clock::duration>(offset);
}

Pacer::Clock::duration Pacer::wait(Clock::time_point moment) {
  // The kernel wakes a sleeper this much late at most, as a rule; the rest is spun.
  constexpr std::chrono::microseconds kWakeUp{80};
  auto now = Clock::now();
  if (moment - now > kWakeUp) {
    std::this_thread::sleep_until(moment - kWakeUp);
    now = Clock::now();
  }
  while (now < moment) now = Clock::now();
  return now - moment;
}

}  // namespace shmatch::tools
