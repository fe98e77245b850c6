// Checks of flags that both programs have.
#pragma once

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>

#include "tools/whole_number.h"

namespace shmatch::tools {

// An unset variable of a script becomes an empty value, which would else mean "not given".
inline CLI::Validator not_empty() {
  return {[](const std::string& value) {
            return value.empty() ? std::string("the value is empty") : std::string();
          },
          ""};
}

// A whole number from `min` up to what the type and a signed word hold. CLI11 alone takes what is
// beyond that for the largest one.
template <class Integer = std::uint64_t>
CLI::Validator number(Integer min = 0) {
  return {[min](const std::string& text) {
            constexpr auto kSigned =
                static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
            constexpr auto kMax = static_cast<Integer>(
                std::min<std::uint64_t>(std::numeric_limits<Integer>::max(), kSigned));
            Integer value = 0;
            if (parse_whole(text, value) && value >= min && value <= kMax) return std::string();
            return "takes a whole number from " + std::to_string(min) + " to " +
                   std::to_string(kMax) + ", not " + text;
          },
          ""};
}

}  // namespace shmatch::tools
