// SIGINT and SIGTERM as a question that commands ask between two steps, for commands that have
// something to put back before they end.
//
// Thread: any may ask; watch once, before anything is to be put back.
#pragma once

namespace shmatch::tools {

// From now on these signals end sleeps and polls, and nothing else.
void watch_stop_signals() noexcept;
bool stop_requested() noexcept;

}  // namespace shmatch::tools
