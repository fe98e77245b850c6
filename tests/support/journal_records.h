// Records for tests of the journal's files: the contents of record n are a function of n, so that
// whoever reads one can tell whether it is the one that was written.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/types.h"
#include "ipc/journal_reader.h"
#include "ipc/journal_writer.h"

namespace shmatch::tests {

using Words = std::vector<std::uint64_t>;

// Has the shape of a record, 2 to 31 words, and no meaning for an engine.
Words record_of(core::Sequence sequence);

// The records first..last, one behind the other.
Words records_of(core::Sequence first, core::Sequence last);

// The input chain after record `last` of a journal that began with record 1.
std::uint64_t chain_after(core::Sequence last);

// A small configuration's bytes, which the journal's files take for anything.
std::span<const std::byte> some_configuration();

// Appends the records after the writer's last one up to `last` as one group.
ipc::FileFault append_up_to(ipc::JournalWriter& writer, core::Sequence last);

// Opens the writer for the record after `last`, as a start does.
ipc::FileFault open_after(ipc::JournalWriter& writer, core::Sequence last);

// What reading a whole folder gave.
struct ReadBack {
  ipc::JournalNext end{};
  core::Sequence last = 0;     // the last record read
  bool right = true;           // each was record_of its number, without a gap
  std::uint64_t marks = 0;     // groups without records
  core::Sequence durable = 0;  // as the groups say
  std::vector<ipc::UsedFile> files;
  ipc::TornEnd torn;
  std::string fault;
};
ReadBack read_back(ipc::FileLayer& files, const std::string& folder,
                   ipc::ReadMode mode = ipc::ReadMode::kWhole);

}  // namespace shmatch::tests
