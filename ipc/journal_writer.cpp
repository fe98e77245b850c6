#include "ipc/journal_writer.h"

#include <cstring>
#include <utility>

#include "core/check.h"
#include "core/input_record.h"
#include "ipc/journal_folder.h"
#include "ipc/journal_reader.h"
#include "ipc/journal_steps.h"

namespace shmatch::ipc {

JournalWriter::JournalWriter(FileLayer& layer, std::string folder, std::uint64_t segment_bytes)
    : layer_(layer),
      folder_(std::move(folder)),
      segment_bytes_(segment_bytes),
      group_(std::make_unique_for_overwrite<std::uint64_t[]>(kGroupBytesMax / 8)) {
  SHMATCH_CHECK(segment_bytes >= kSegmentBytesMin && segment_bytes < kSegmentFileBytesMax);
}

FileFault JournalWriter::open(const SegmentStart& start) {
  if (failure_) return failure_;
  SHMATCH_CHECK(!file_ && start.first_sequence >= 1);
  next_sequence_ = start.first_sequence;
  durable_sequence_ = last_sequence();
  if (start.configuration.size() > kConfigurationBytesMax) {
    return keep(file_fault("the configuration is too large for a journal"));
  }
  if (FileFault fault = refuse_existing_records(start.first_sequence)) return keep(fault);
  configuration_.assign(start.configuration.begin(), start.configuration.end());
  build_digest_ = start.build_digest;
  input_chain_ = start.input_chain;
  digest_ = start.digest;
  return keep(make_segment(start.created));
}

// A segment that a start made and that got no record before that engine's end may be replaced; one
// with records would be lost.
FileFault JournalWriter::refuse_existing_records(core::Sequence first_sequence) {
  JournalListing listing;
  if (FileFault fault = list_journal(layer_, folder_, listing)) return fault;
  if (listing.segments.empty() || listing.segments.back().sequence < first_sequence) return {};
  if (listing.segments.back().sequence == first_sequence) {
    JournalReader reader(layer_, folder_);
    if (FileFault fault = reader.open(first_sequence)) return fault;
    JournalRecord record;
    const JournalNext next = reader.next(record);
    if (next == JournalNext::kFault) return reader.fault();
    if (next == JournalNext::kEnd) return {};
  }
  return file_fault("the folder " + folder_ + " already holds records from " +
                    std::to_string(first_sequence) + " on");
}

FileFault JournalWriter::append(std::span<const std::uint64_t> records,
                                core::Sequence first_sequence, DigestMark digest) {
  if (failure_) return failure_;
  SHMATCH_CHECK(file_ && first_sequence == next_sequence_);
  SHMATCH_CHECK(!records.empty() && records.size() <= kAppendWordsMax);
  const std::uint64_t bytes = sizeof(GroupHeader) + records.size_bytes();
  if (offset_ + bytes > segment_end_ && offset_ > header_bytes_) {
    // The time of the first record that the new segment gets: the writer has no clock.
    if (FileFault fault = rotate(static_cast<core::TimeNs>(records[1]))) return keep(fault);
  }
  return keep(put_group(records, digest));
}

FileFault JournalWriter::put_group(std::span<const std::uint64_t> records, DigestMark digest) {
  GroupHeader header;
  header.input_chain = input_chain_;
  SHMATCH_CHECK(chain_records(records, header.input_chain, header.record_count));
  SHMATCH_CHECK(digest.sequence < next_sequence_ + header.record_count);
  header.first_sequence = next_sequence_;
  header.durable_sequence = durable_sequence_;
  header.durable_words = static_cast<std::uint32_t>(durable_bytes_ / 8);
  header.digest = digest;
  const std::span group(group_.get(), kGroupHeaderWords + records.size());
  std::memcpy(group.data(), &header, sizeof header);
  // A mark's span of records may have no address, which memcpy does not want to see.
  if (!records.empty()) {
    std::memcpy(&group[kGroupHeaderWords], records.data(), records.size_bytes());
  }
  seal_group(group, segment_checksum_);

  layer_.step(steps::kAppendBeforeWrite);
  if (FileFault fault = file_.write(std::as_bytes(group), offset_)) return fault;
  layer_.step(steps::kAppendAfterWrite);
  offset_ += group.size_bytes();
  next_sequence_ = header.end_sequence();
  input_chain_ = header.input_chain;
  marked_sequence_ = durable_sequence_;
  if (digest.sequence != 0) digest_ = digest;
  return {};
}

FileFault JournalWriter::sync() {
  if (failure_) return failure_;
  SHMATCH_CHECK(file_);
  if (durable_bytes_ == offset_) return {};
  layer_.step(steps::kSyncBefore);
  if (FileFault fault = file_.sync_data()) return keep(fault);
  layer_.step(steps::kSyncAfter);
  note_durable();
  return {};
}

FileFault JournalWriter::write_mark() {
  if (failure_) return failure_;
  SHMATCH_CHECK(file_);
  // A mark may lie behind the segment's room: it is never worth a new segment.
  return marked_sequence_ == durable_sequence_ ? FileFault{} : keep(put_group({}, {}));
}

FileFault JournalWriter::close(DigestMark digest) {
  if (failure_ || !file_) return failure_;
  if (FileFault fault = sync()) return fault;
  if (marked_sequence_ != durable_sequence_ || digest.sequence > digest_.sequence) {
    if (FileFault fault = put_group({}, digest)) return keep(fault);
  }
  if (FileFault fault = finish_segment()) return keep(fault);
  file_.close();
  return {};
}

FileFault JournalWriter::rotate(core::TimeNs time) {
  if (FileFault fault = finish_segment()) return fault;
  return make_segment(time);
}

FileFault JournalWriter::finish_segment() {
  layer_.step(steps::kFinishBefore);
  if (FileFault fault = file_.truncate(offset_)) return fault;
  layer_.step(steps::kFinishCut);
  if (FileFault fault = file_.sync()) return fault;
  layer_.step(steps::kFinishSynced);
  note_durable();
  return {};
}

FileFault JournalWriter::make_segment(core::TimeNs created) {
  const std::string path = folder_ + "/" + segment_name(next_sequence_);
  const std::string temporary = path + std::string(kTemporarySuffix);
  FileFault fault = write_segment(temporary, created);
  if (!fault) fault = file_.rename(path);
  if (fault) {
    // On a full disk its space is wanted; if it cannot be removed, the next owner does that.
    layer_.remove(temporary);
    return fault;
  }
  layer_.step(steps::kSegmentNamed);
  if (fault = sync_folder(layer_, folder_); fault) return fault;
  layer_.step(steps::kSegmentFolderSynced);
  return {};
}

FileFault JournalWriter::write_segment(const std::string& path, core::TimeNs created) {
  SegmentHeader header;
  header.first_sequence = next_sequence_;
  header.input_chain = input_chain_;
  header.digest = digest_;
  header.build_digest = build_digest_;
  header.created = created;
  const std::vector<std::byte> bytes = encode_header(header_bytes_of(header), configuration_);

  if (FileFault fault = file_.open(layer_, path, OpenMode::kCreateOrClear)) return fault;
  layer_.step(steps::kSegmentCreated);
  if (FileFault fault = file_.reserve(bytes.size() + segment_bytes_)) return fault;
  if (FileFault fault = file_.write(bytes, 0)) return fault;
  layer_.step(steps::kSegmentWritten);
  if (FileFault fault = file_.sync()) return fault;
  layer_.step(steps::kSegmentSynced);

  segment_checksum_ = header.prefix.checksum;
  header_bytes_ = bytes.size();
  segment_end_ = header_bytes_ + segment_bytes_;
  offset_ = header_bytes_;
  note_durable();
  marked_sequence_ = durable_sequence_;
  return {};
}

void JournalWriter::note_durable() noexcept {
  durable_bytes_ = offset_;
  durable_sequence_ = next_sequence_ - 1;
}

FileFault JournalWriter::keep(FileFault fault) {
  if (fault) failure_ = fault;
  return fault;
}

}  // namespace shmatch::ipc
