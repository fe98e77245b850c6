// JournalReader: reads a journal's records in order and believes nothing of its files.
//
// Every group is checked completely before its first record is given: checksums, length, sequence
// numbers, number of records, input chain. Where the next group should be and is not whole, the
// reader says which of three things that is:
//
//   the end     a zero word, or the file's end, and nothing behind it
//   a torn end  no later group calls these bytes durable: they were never promised to anybody, and
//               recovery cuts them (ipc/journal_repair.h)
//   damage      a later group of this file calls them durable, or a later segment exists: records
//               that were promised are gone, and nothing goes on without a person
//
// While an engine writes the journal (find_owner), its end changes as one looks: read it with
// kFollow, which takes whatever is not whole at the end for not yet written, and can be asked again
// later. A follower follows one run of the engine; after the engine's restart open a new one.
// Retention may remove old segments meanwhile: a follower still reads those that it has seen, at
// its opening or since (ipc/segments_ahead.h). Where others came and went unseen, its end is final.
//
// Thread: one at a time. Allocates when a segment begins, and to read more at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/input_record.h"
#include "core/types.h"
#include "ipc/file_layer.h"
#include "ipc/journal_folder.h"
#include "ipc/journal_format.h"
#include "ipc/segments_ahead.h"

namespace shmatch::ipc {

enum class ReadMode : std::uint8_t { kWhole, kFollow };

enum class JournalNext : std::uint8_t {
  kGiven,    // a record, or a group
  kEnd,      // nothing more; with kFollow perhaps later, unless retention was faster
  kTornEnd,  // like kEnd, but what lies there has to be cut first: torn_end()
  kFault,    // damage, an unknown version or a file system's error: fault(); final
};

// A record; `words` points into the reader, valid until its next call.
struct JournalRecord {
  std::span<const std::uint64_t> words;
  core::Sequence sequence = 0;
};

// A whole group; `records` points into the reader, valid until its next call.
struct JournalGroup {
  std::uint64_t offset = 0;  // in its file
  GroupHeader header;
  std::span<const std::uint64_t> records;
};

struct JournalSegment {
  std::string name;  // in the journal's folder
  SegmentHeader header;
  std::vector<std::byte> configuration;
};

// What is not whole at the end of the last segment, and was never called durable.
struct TornEnd {
  std::string path;
  std::uint64_t offset = 0;  // where the file has to be cut
  std::uint64_t bytes = 0;   // from there to the last one that is not zero
  std::string seen;          // what could be recognised, for a person
};

// A segment and how much of it is used, as far as it was read.
struct UsedFile {
  std::string name;
  std::uint64_t used_bytes = 0;  // header and whole groups
};

class JournalReader {
 public:
  JournalReader(FileLayer& layer, std::string folder, ReadMode mode = ReadMode::kWhole);
  JournalReader(const JournalReader&) = delete;
  JournalReader& operator=(const JournalReader&) = delete;

  // Goes to the record `from`, or to where it will be; 0: to the first that there is. Reads no
  // segment that ends before it. `chain` is what the input chain after from - 1 must be: give it
  // when the state before `from` comes from elsewhere (a snapshot). Faults: the journal begins
  // behind `from`, or ends before from - 1; the chain is another one; all of next's. A folder
  // without segments has no records; `from` is then the first that comes.
  FileFault open(core::Sequence from = 0, std::optional<std::uint64_t> chain = {});

  // The next record. Groups without records are passed over.
  JournalNext next(JournalRecord& record) {
    while (left_.empty()) {
      if (const JournalNext found = load_group(); found != JournalNext::kGiven) return found;
    }
    record.words = left_.first(core::input_words(left_.front()));
    record.sequence = next_sequence_++;
    left_ = left_.subspan(record.words.size());
    return JournalNext::kGiven;
  }

  // Records of the same group behind the one that next gave last.
  std::span<const std::uint64_t> rest_of_group() const noexcept { return left_; }

  // The next group whole, also one without records. Use either this or next.
  JournalNext next_group(JournalGroup& group);

  // Of the record or group given last.
  const JournalSegment& segment() const noexcept { return segment_; }
  const JournalGroup& group() const noexcept { return group_; }

  core::Sequence last_sequence() const noexcept { return next_sequence_ - 1; }
  // The newest record that any group read so far calls durable. A snapshot of a later one could be
  // of records that a crash takes away.
  core::Sequence durable_sequence() const noexcept { return durable_sequence_; }
  // After the record or group given last. O(records of its group) within a group.
  std::uint64_t input_chain() const noexcept;
  // Bytes of this segment that any of its groups read so far calls durable.
  std::uint64_t durable_bytes() const noexcept { return durable_bytes_; }

  const TornEnd& torn_end() const noexcept { return torn_end_; }
  const FileFault& fault() const noexcept { return fault_; }
  // Where in the file `segment().name` the last fault or end was found.
  std::uint64_t offset() const noexcept { return offset_; }
  // The segments read so far.
  const std::vector<UsedFile>& files() const noexcept { return files_; }
  const std::string& folder() const noexcept { return folder_; }

 private:
  enum class Look : std::uint8_t { kWhole, kNothing, kNotWhole, kFault };

  JournalNext load_group();
  JournalNext take_group();
  Look look(bool fresh);
  Look judge(const GroupHeader& header, std::span<const std::uint64_t> group);
  bool see(std::size_t bytes, bool fresh);
  std::span<const std::uint64_t> in_window() const noexcept;
  std::optional<JournalNext> at_end();
  bool segment_ends(Look found, const JournalFile& next);
  bool overtaken(const JournalFile& next) const;
  JournalNext judge_rest();
  bool enter_segment();
  bool skip_to(core::Sequence from, std::optional<std::uint64_t> chain);
  JournalNext fail(FileFault fault);
  JournalNext damage(const std::string& what);

  std::string folder_;
  ReadMode mode_;
  SegmentsAhead ahead_;
  File file_;
  JournalSegment segment_;
  JournalGroup group_;
  std::unique_ptr<std::uint64_t[]> window_;  // part of the file
  std::size_t window_room_ = 0;
  std::uint64_t window_offset_ = 0;      // of its first word in the file
  std::size_t window_bytes_ = 0;         // as many as were read
  std::span<const std::uint64_t> left_;  // of the group, not given yet
  std::uint64_t offset_ = 0;             // of the group to look at next
  core::Sequence next_sequence_ = 1;
  core::Sequence durable_sequence_ = 0;
  std::uint64_t durable_bytes_ = 0;
  std::uint64_t chain_before_ = 0;  // the group
  std::uint64_t chain_after_ = 0;   // the group
  std::string why_;                 // the group at offset_ is not whole
  TornEnd torn_end_;
  FileFault fault_;
  std::vector<UsedFile> files_;
};

}  // namespace shmatch::ipc
