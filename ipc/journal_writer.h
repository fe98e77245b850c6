// JournalWriter: puts records into commit groups, groups into segment files, and knows what is
// durable. It has no thread: the journal thread calls it.
//
//   open                a segment's header is durable, and so is its name
//   append, append ...  groups are in the kernel's hands: they survive the death of this process
//   sync                they are on the disk: they survive the power
//   write_mark          says so to those who read the journal later
//   close               everything durable, the file cut to what is used
//
// Each error is final: after the first one every call returns that one and touches nothing. What
// was durable before stays so, and durable_sequence() keeps saying it. Above all a sync that failed
// is never tried again: the kernel may have dropped the pages, and would then report success.
//
// A segment file that is full is cut, made durable and followed by a new one, inside append. Space
// is reserved when a segment is made, so a full disk shows there and not in the middle of a group.
//
// Thread: one at a time. Allocates when a segment is made, else not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/types.h"
#include "ipc/file_layer.h"
#include "ipc/journal_format.h"

namespace shmatch::ipc {

inline constexpr std::uint64_t kSegmentBytesMin = 4096;
inline constexpr std::uint64_t kSegmentBytesDefault = 64U << 20;

// Words of records that one append can take.
inline constexpr std::size_t kAppendWordsMax = (kGroupBytesMax - sizeof(GroupHeader)) / 8;

// What is true at the start of a journal's next segment.
struct SegmentStart {
  core::Sequence first_sequence = 1;  // of the next record
  std::uint64_t input_chain = 0;      // after the record before it
  DigestMark digest;                  // the newest known, or none
  std::uint64_t build_digest = 0;     // which program writes
  core::TimeNs created = 0;
  std::span<const std::byte> configuration = {};  // copied; at most kConfigurationBytesMax bytes
};

class JournalWriter {
 public:
  // The folder is owned by the caller (JournalFolder). `segment_bytes` is the room for groups in a
  // file, from kSegmentBytesMin to below kSegmentFileBytesMax; a larger group gets a file of its
  // own.
  JournalWriter(FileLayer& layer, std::string folder,
                std::uint64_t segment_bytes = kSegmentBytesDefault);

  // Makes the segment that the journal goes on in, durable with its name. The caller has read the
  // journal to its end and made that durable (settle_journal). A last segment without records is
  // replaced. Faults: the file system's; the configuration is too long; the folder holds records
  // from first_sequence on.
  FileFault open(const SegmentStart& start);

  // Writes one group: `records` is a run of whole records, at most kAppendWordsMax words, the first
  // of which has the sequence number `first_sequence` = last_sequence() + 1. `digest` is the
  // newest digest that is known of a sequence up to the last of them, or none.
  FileFault append(std::span<const std::uint64_t> records, core::Sequence first_sequence,
                   DigestMark digest = {});

  // Makes all groups durable. On success durable_sequence() == last_sequence().
  FileFault sync();

  // Writes a group without records, when something has become durable that no group says yet. Worth
  // its 64 bytes when nothing else will come soon: readers can then tell damage from a torn end.
  FileFault write_mark();

  // Makes everything durable and marks it, cuts the file to what is used and closes it. open may be
  // called again. `digest` is the newest known of a sequence up to last_sequence(), or none.
  FileFault close(DigestMark digest = {});

  core::Sequence last_sequence() const noexcept { return next_sequence_ - 1; }
  core::Sequence durable_sequence() const noexcept { return durable_sequence_; }
  std::uint64_t input_chain() const noexcept { return input_chain_; }
  // The first error; empty as long as there is none.
  const FileFault& failure() const noexcept { return failure_; }

 private:
  FileFault refuse_existing_records(core::Sequence first_sequence);
  FileFault make_segment(core::TimeNs created);
  FileFault write_segment(const std::string& path, core::TimeNs created);
  FileFault rotate(core::TimeNs time);
  FileFault finish_segment();
  FileFault put_group(std::span<const std::uint64_t> records, DigestMark digest);
  void note_durable() noexcept;
  FileFault keep(FileFault fault);

  FileLayer& layer_;
  std::string folder_;
  std::uint64_t segment_bytes_;
  std::vector<std::byte> configuration_;
  std::unique_ptr<std::uint64_t[]> group_;  // kGroupBytesMax, where the next one is put together
  File file_;
  std::uint32_t segment_checksum_ = 0;
  std::uint64_t header_bytes_ = 0;
  std::uint64_t segment_end_ = 0;    // where the room of this file ends
  std::uint64_t offset_ = 0;         // where the next group goes
  std::uint64_t durable_bytes_ = 0;  // of this file
  core::Sequence next_sequence_ = 1;
  core::Sequence durable_sequence_ = 0;
  core::Sequence marked_sequence_ = 0;  // the newest that the file calls durable
  std::uint64_t input_chain_ = 0;
  DigestMark digest_;  // the newest known
  std::uint64_t build_digest_ = 0;
  FileFault failure_;
};

}  // namespace shmatch::ipc
