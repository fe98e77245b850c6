// What tests of `shmatch replay` and `shmatch journal` share: the program without an engine, a
// request log of known content, and journals that a live engine has written.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/process/engine.h"
#include "tests/process/process.h"

namespace shmatch::process_test {

// Runs shmatch to its end; no engine is needed.
Outcome shmatch(const std::vector<std::string>& arguments);

// The text of a member of the JSON object in `output`, dots leading into objects; throws when
// `output` is no JSON object.
std::string json_member(std::string_view output, std::string_view path);

// AlphaPoint frames of trader1 and trader2 in TEST: `count` orders that rest, every third of them
// cancelled, and one trade. `requests` tells how many frames that is.
std::string request_log(int count, int& requests);

// Runs an engine with a journal in `folder`, executes `frames` through it and stops it. Returns
// what `exec` printed.
std::string write_journal(const std::string& folder, std::string_view frames,
                          const std::vector<std::string>& more_flags = {});

}  // namespace shmatch::process_test
