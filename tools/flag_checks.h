// Checks of flags that both programs have.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace shmatch::tools {

// An unset variable of a script becomes an empty value, which would else mean "not given".
inline CLI::Validator not_empty() {
  return {[](const std::string& value) {
            return value.empty() ? std::string("the value is empty") : std::string();
          },
          ""};
}

}  // namespace shmatch::tools
