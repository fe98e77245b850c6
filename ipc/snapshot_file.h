// Snapshot files: the state after one input, as core/state_export.h writes it, with what it takes
// to go on from there: the configuration, the input chain and the digest.
//
// A snapshot is written under a temporary name, made durable, and only then gets its own: a file
// with that name is whole, or the disk has damaged it since. docs/JOURNAL.md has the bytes.
//
// Only take a snapshot of a state that the journal durably leads to (durable_sequence): a crash
// could take later records away, and the snapshot would be of a history that never was.
//
// Thread: one at a time an object.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/state_export.h"
#include "core/types.h"
#include "ipc/file_layer.h"
#include "ipc/journal_folder.h"
#include "ipc/journal_header.h"

namespace shmatch::ipc {

inline constexpr std::uint64_t kSnapshotMagic = 0x3150'414E'534D'4853;  // "SHMSNAP1"
inline constexpr std::uint32_t kSnapshotVersion = 2;
// Words of a chunk; the last one may have fewer.
inline constexpr std::uint32_t kChunkWords = 128U << 10;

// Starts a snapshot file; the configuration follows (ipc/journal_header.h), then chunks.
struct SnapshotHeader {
  FilePrefix prefix{kSnapshotMagic, kSnapshotVersion};
  core::Sequence sequence = 0;    // the newest input that the state holds
  std::uint64_t input_chain = 0;  // after that input
  std::uint64_t digest = 0;       // of the state
  std::uint64_t build_digest = 0;
  core::TimeNs created = 0;
  std::uint64_t word_count = 0;  // of the state, in all chunks
  std::uint64_t reserved[7] = {};
};

static_assert(sizeof(SnapshotHeader) == kFixedHeaderBytes);
static_assert(offsetof(SnapshotHeader, sequence) == 24);
static_assert(offsetof(SnapshotHeader, input_chain) == 32);
static_assert(offsetof(SnapshotHeader, digest) == 40);
static_assert(offsetof(SnapshotHeader, build_digest) == 48);
static_assert(offsetof(SnapshotHeader, created) == 56);
static_assert(offsetof(SnapshotHeader, word_count) == 64);

// What a writer is told before the first word.
struct SnapshotStart {
  core::Sequence sequence = 0;
  std::uint64_t input_chain = 0;
  std::uint64_t digest = 0;
  std::uint64_t build_digest = 0;
  core::TimeNs created = 0;
  std::span<const std::byte> configuration = {};
};

// Writes one snapshot: create, put ..., commit. Without commit nothing remains.
class SnapshotWriter final : public core::WordSink {
 public:
  SnapshotWriter(FileLayer& layer, std::string folder);
  ~SnapshotWriter();
  SnapshotWriter(const SnapshotWriter&) = delete;
  SnapshotWriter& operator=(const SnapshotWriter&) = delete;

  // Faults: the file system's; somebody else is writing a snapshot of the same state.
  FileFault create(const SnapshotStart& start);
  // False after a fault; failure() says which.
  bool put(std::span<const std::uint64_t> words) noexcept override;
  // The snapshot is durable and has its name. It replaces an older file of the same state.
  FileFault commit();

  const FileFault& failure() const noexcept { return failure_; }
  std::uint64_t bytes() const noexcept { return offset_; }  // of the file, so far

 private:
  FileFault write_chunk();
  FileFault keep(FileFault fault);
  void abandon() noexcept;

  FileLayer& layer_;
  std::string folder_;
  std::string path_;
  SnapshotHeader header_;
  std::vector<std::byte> configuration_;
  std::vector<std::uint64_t> chunk_;
  File file_;
  std::uint64_t offset_ = 0;
  std::uint32_t checksum_ = 0;
  FileFault failure_;
};

// Reads one snapshot: open, get ... .
class SnapshotReader final : public core::WordSource {
 public:
  explicit SnapshotReader(FileLayer& layer) noexcept : layer_(layer) {}

  // Reads the whole file once and checks it, then stands at the first word. Faults: the file
  // system's; the file is damaged or of an unknown version; its name is another state's.
  FileFault open(const std::string& folder, const std::string& name);
  bool get(std::span<std::uint64_t> words) noexcept override;

  const SnapshotHeader& header() const noexcept { return header_; }
  std::span<const std::byte> configuration() const noexcept { return configuration_; }
  const std::string& path() const noexcept { return file_.path(); }
  // What stopped get, if it was more than the end of the words.
  const FileFault& failure() const noexcept { return failure_; }

 private:
  FileFault load_chunk();
  void rewind() noexcept;

  FileLayer& layer_;
  File file_;
  SnapshotHeader header_;
  std::vector<std::byte> configuration_;
  std::vector<std::uint64_t> chunk_;
  std::span<const std::uint64_t> left_;  // of the chunk, not given yet
  std::uint64_t words_ahead_ = 0;        // in chunks not loaded yet
  std::uint64_t offset_ = 0;
  std::uint32_t checksum_ = 0;
  FileFault failure_;
};

// Opens the newest snapshot of a state up to `at_most` that is whole; `found` says whether there is
// one. `skipped` becomes one sentence for each newer one that is not. Faults: the folder cannot be
// read.
FileFault open_newest_snapshot(FileLayer& layer, const std::string& folder, core::Sequence at_most,
                               SnapshotReader& reader, bool& found,
                               std::vector<std::string>& skipped);

}  // namespace shmatch::ipc
