// Times as logs write them, in nanoseconds. Digits finer than that are cut off.
//
// Each function is false, and changes nothing, when `text` is no such time.
// Thread: pure functions, any thread.
#pragma once

#include <string_view>

#include "core/types.h"

namespace shmatch::tools {

// Seconds with or without a fraction: "34200.017459617".
bool parse_seconds(std::string_view text, core::TimeNs& time) noexcept;

// A day, its first nanosecond: "2012-06-21" with `separator` '-', "20120621" with none (0).
bool parse_day(std::string_view text, char separator, core::TimeNs& time) noexcept;

// A FIX UTCTimestamp: "20120331-10:25:20", with or without a fraction.
bool parse_utc_timestamp(std::string_view text, core::TimeNs& time) noexcept;

// A whole number since 1970, of seconds, milliseconds, microseconds or nanoseconds: which of them
// shows in its size (any time from 1973 to 2286).
bool parse_epoch(std::string_view text, core::TimeNs& time) noexcept;

}  // namespace shmatch::tools
