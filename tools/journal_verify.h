// Checks an engine's journal: every byte of its files, and whether its records lead to the states
// that the engine said they do.
//
// Thread: one.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "ipc/fault.h"
#include "ipc/journal_reader.h"

namespace shmatch::tools {

struct VerifyOptions {
  bool apply_records = true;             // and compare the digests on the way
  std::function<void(double)> progress;  // called with the share of the records that is applied
};

struct Verification {
  // What is damaged, or of another version: a sentence each, with file and offset. Empty: all is
  // whole.
  std::vector<std::string> damage;
  std::uint64_t records = 0;         // that can be read
  core::Sequence last_sequence = 0;  // of the newest of them, or of what came before the first
  std::uint64_t groups = 0;
  std::uint64_t segments = 0;
  std::uint64_t snapshots = 0;
  std::uint64_t marks = 0;  // digests that were recomputed and equal
  bool in_use = false;      // a live engine writes it: an end that is not whole is no damage
};

// Fault: the folder cannot be read at all.
ipc::Fault verify_journal(ipc::FileLayer& layer, const std::string& folder,
                          const VerifyOptions& options, Verification& result);

// A torn end in one sentence.
std::string torn_sentence(const ipc::TornEnd& torn);

}  // namespace shmatch::tools
