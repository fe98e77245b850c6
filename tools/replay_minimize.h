// Shrinks a log that fails or diverges to a small one that still does: delta debugging over input
// records.
//
// What counts as failing, whichever the whole log shows first:
//   - the core ends the process (a broken invariant, a signal);
//   - a record that cannot be applied;
//   - a report that differs from the expected stream: the first one that does. A smaller log still
//     fails when the same record causes a report with the same wrong values (or still lacks the
//     report that was expected);
//   - another build (`against`) computes another digest or reports digest;
//   - a digest mark that does not fit. Marks say nothing about a log with records left out, so such
//   a
//     log is only cut behind its first wrong mark, unless `against` is given.
//
// Every attempt runs in a process of its own. OrderIds change when earlier orders are left out:
// cancels are rewritten to the id that their order gets in the smaller log. Records that can no
// longer be applied (of a session that was never opened) are left out with what they needed.
//
// Thread: one; call it while the process has no other threads, because it forks.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "core/configuration.h"
#include "ipc/fault.h"
#include "tools/replay_input.h"

namespace shmatch::tools {

// A log in memory: what is kept of an InputStream.
struct LoadedLog {
  core::Configuration configuration;
  std::uint64_t preparing_records = 0;  // the first records, which every smaller log keeps
  std::vector<std::uint64_t> words;
  std::vector<std::size_t> offsets;  // of each record in `words`, and one behind the last
  // Configurations that hold from a record on, by its place.
  std::map<std::size_t, core::Configuration> changes;
  std::vector<ipc::DigestMark> marks;

  std::size_t size() const noexcept { return offsets.empty() ? 0 : offsets.size() - 1; }
  // The record that became the input place + 1.
  std::span<const std::uint64_t> record(std::size_t place) const {
    return {words.data() + offsets[place], offsets[place + 1] - offsets[place]};
  }
  // Keeps the inputs up to `last`.
  void cut(core::Sequence last) {
    if (last < size()) offsets.resize(last + 1);
    preparing_records = std::min<std::uint64_t>(preparing_records, size());
    std::erase_if(marks, [&](const ipc::DigestMark& mark) { return mark.sequence > size(); });
  }
};

// Reads `input` up to the input `until` and no further. Fault: it cannot be read, or it starts from
// a snapshot, which no smaller log could start from.
ipc::Fault load(InputStream& input, LoadedLog& log,
                core::Sequence until = std::numeric_limits<core::Sequence>::max());

struct MinimizeOptions {
  std::string expect;       // a report stream to compare with; empty: none
  bool cut = false;         // the log ends earlier than the stream of `expect`, on purpose
  std::string against;      // path of another shmatch to compare with; empty: none
  std::string own_program;  // path of this one
  // Called before each attempt with the number of records left and of attempts so far.
  std::function<void(std::size_t, std::size_t)> progress;
};

struct Minimized {
  bool failed = false;  // false: the whole log runs without a failure; the rest is empty then
  std::string failure;  // what is wrong, in one sentence
  std::string details;  // more about it for a person, or empty
  std::size_t attempts = 0;
  bool cut_only = false;  // nothing says whether a smaller log fails as well: only cut behind it
  LoadedLog log;          // the smaller log
};

// Fault: a file cannot be read or written, no process can be started.
ipc::Fault minimize(const LoadedLog& log, const MinimizeOptions& options, Minimized& result);

}  // namespace shmatch::tools
