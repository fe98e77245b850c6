// The state of an engine as a stream of 64-bit words: how snapshots keep it, and how it moves into
// an engine of another configuration.
//
// The stream is logical: accounts, users and instruments are named by their ids, so an engine of a
// configuration with more of them, or with more session slots, can take it (find_conflict of
// core/configuration.h says what else may differ). It starts with a magic number and a format
// version, holds the whole state that the digest covers, and ends with that digest. It has no
// checksum of its own: whoever stores it adds one, and detects a stream cut short by its length.
//
// Order ids name their order's slot, so the capacities for orders must be the same in both engines.
//
// Thread: the engine's. Nothing allocates.
#pragma once

#include <cstdint>
#include <span>

#include "core/matching_engine.h"

namespace shmatch::core {

// Takes the words of a stream, in order, in pieces of any size.
class WordSink {
 public:
  // False when they cannot be kept; nothing more comes then.
  virtual bool put(std::span<const std::uint64_t> words) noexcept = 0;

 protected:
  ~WordSink() = default;
};

// Gives the words of a stream back, in order, in pieces of any size.
class WordSource {
 public:
  // Fills all of `words`. False when fewer are left, or when reading failed.
  virtual bool get(std::span<std::uint64_t> words) noexcept = 0;

 protected:
  ~WordSource() = default;
};

// Writes the engine's state between two inputs. False when the sink took no more.
// O(orders + levels + sessions).
bool export_state(const MatchingEngine& engine, WordSink& sink) noexcept;

// Puts an exported state into `engine`, which has had no input yet. Reads exactly what export_state
// wrote. Null when that is done: the engine then has the exporting engine's digest, and equal
// inputs cause equal reports in both. Otherwise a sentence that says why not: the stream is
// damaged, of another format version, or of an engine whose configuration this one's contradicts.
// The stream is believed nothing; after a failure the engine holds half a state, and must only be
// destroyed.
const char* import_state(MatchingEngine& engine, WordSource& source) noexcept;

}  // namespace shmatch::core
