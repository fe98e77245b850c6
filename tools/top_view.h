// What `shmatch top` shows: two looks at an engine's counters, as a screen for people or as one
// JSON object.
//
// Thread: pure functions, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "ipc/observer.h"

namespace shmatch::tools {

struct TopView {
  const ipc::CountersHeader& header;
  const ReferenceData& reference;
  const ipc::CountersLook& before;  // rates are counted from here
  const ipc::CountersLook& now;
  // Number of the stretch of time from which on the loop's gaps are wanted (EngineCounters); as far
  // back as the page remembers when it is older.
  std::uint64_t gaps_from = 0;
};

// Lines for a terminal that has `rows` of them: sessions that find no room are counted in the last
// one, the busiest come first. Every line ends with a line feed.
std::string top_text(const TopView& view, std::size_t rows);

// One object: engine, journal (null without one), loop, sessions by slot.
std::string top_json(const TopView& view);

}  // namespace shmatch::tools
