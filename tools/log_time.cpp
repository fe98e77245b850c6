#include "tools/log_time.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <limits>

#include "tools/whole_number.h"

namespace shmatch::tools {

namespace {

constexpr core::TimeNs kSecond = 1'000'000'000;
constexpr core::TimeNs kDay = 86'400 * kSecond;
constexpr std::size_t kFractionDigits = 9;

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

bool parse_digits(std::string_view text, std::int64_t& value) noexcept {
  return std::all_of(text.begin(), text.end(), is_digit) && parse_whole(text, value);
}

// The fraction behind a point, if there is one: "", ".5".
bool parse_fraction(std::string_view text, core::TimeNs& time) noexcept {
  if (text.empty()) {
    time = 0;
    return true;
  }
  if (text.front() != '.') return false;
  text.remove_prefix(1);
  if (text.empty() || !std::all_of(text.begin(), text.end(), is_digit)) return false;
  core::TimeNs value = 0;
  for (std::size_t i = 0; i < kFractionDigits; ++i) {
    value = value * 10 + (i < text.size() ? text[i] - '0' : 0);
  }
  time = value;
  return true;
}

// Hours, minutes and seconds of a day: "10:25:20", seconds up to 60 for a leap second.
bool parse_clock(std::string_view text, core::TimeNs& time) noexcept {
  std::int64_t hour = 0;
  std::int64_t minute = 0;
  std::int64_t second = 0;
  if (text.size() != 8 || text[2] != ':' || text[5] != ':') return false;
  if (!parse_digits(text.substr(0, 2), hour) || !parse_digits(text.substr(3, 2), minute) ||
      !parse_digits(text.substr(6, 2), second)) {
    return false;
  }
  if (hour > 23 || minute > 59 || second > 60) return false;
  time = ((hour * 60 + minute) * 60 + second) * kSecond;
  return true;
}

}  // namespace

bool parse_seconds(std::string_view text, core::TimeNs& time) noexcept {
  constexpr std::int64_t kSecondsMax = 9'000'000'000;
  const std::size_t point = std::min(text.find('.'), text.size());
  std::int64_t seconds = 0;
  core::TimeNs fraction = 0;
  if (!parse_digits(text.substr(0, point), seconds) || seconds > kSecondsMax) return false;
  if (!parse_fraction(text.substr(point), fraction)) return false;
  time = seconds * kSecond + fraction;
  return true;
}

bool parse_day(std::string_view text, char separator, core::TimeNs& time) noexcept {
  const std::size_t gap = separator == 0 ? 0 : 1;
  if (text.size() != 8 + 2 * gap) return false;
  const std::size_t month_at = 4 + gap;
  const std::size_t day_at = month_at + 2 + gap;
  if (gap != 0 && (text[4] != separator || text[day_at - 1] != separator)) return false;
  std::int64_t year = 0;
  std::int64_t month = 0;
  std::int64_t day = 0;
  if (!parse_digits(text.substr(0, 4), year) || !parse_digits(text.substr(month_at, 2), month) ||
      !parse_digits(text.substr(day_at, 2), day)) {
    return false;
  }
  constexpr std::int64_t kYearMax = 2261;  // the last one that nanoseconds in 64 bits reach whole
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(year)),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || year < 1970 || year > kYearMax) return false;
  time = std::chrono::sys_days(date).time_since_epoch().count() * kDay;
  return true;
}

bool parse_utc_timestamp(std::string_view text, core::TimeNs& time) noexcept {
  constexpr std::size_t kDaySize = 8;
  constexpr std::size_t kClockAt = kDaySize + 1;
  constexpr std::size_t kFractionAt = kClockAt + 8;
  if (text.size() < kFractionAt || text[kDaySize] != '-') return false;
  core::TimeNs day = 0;
  core::TimeNs clock = 0;
  core::TimeNs fraction = 0;
  if (!parse_day(text.substr(0, kDaySize), 0, day) ||
      !parse_clock(text.substr(kClockAt, kFractionAt - kClockAt), clock) ||
      !parse_fraction(text.substr(kFractionAt), fraction)) {
    return false;
  }
  time = day + clock + fraction;
  return true;
}

bool parse_epoch(std::string_view text, core::TimeNs& time) noexcept {
  struct Unit {
    std::int64_t end;  // numbers below it are of this unit
    core::TimeNs ns;
  };
  constexpr Unit kUnits[] = {
      {100'000'000'000, 1'000'000'000},
      {100'000'000'000'000, 1'000'000},
      {100'000'000'000'000'000, 1'000},
      {std::numeric_limits<std::int64_t>::max(), 1},
  };
  std::int64_t value = 0;
  if (!parse_digits(text, value)) return false;
  const Unit& unit = *std::find_if(std::begin(kUnits), std::end(kUnits) - 1,
                                   [value](const Unit& known) { return value < known.end; });
  core::TimeNs product = 0;
  if (__builtin_mul_overflow(value, unit.ns, &product)) return false;
  time = product;
  return true;
}

}  // namespace shmatch::tools
