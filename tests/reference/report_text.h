// Reports and requests as one line of text each, for the messages of failing tests.
#pragma once

#include <string>

#include "core/message.h"

namespace shmatch::reference {

std::string wide_text(core::Wide value);
std::string to_text(const core::Report& report);
std::string to_text(const core::Request& request);

}  // namespace shmatch::reference
