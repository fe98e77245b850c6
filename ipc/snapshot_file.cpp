#include "ipc/snapshot_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "core/check.h"
#include "ipc/journal_steps.h"

namespace shmatch::ipc {
namespace {

// A chunk is this word and then its words: the number of words, and above it the checksum.
constexpr std::size_t kChunkHeadWords = 1;

// Chunks of another snapshot must not pass here: their checksums start from what names this one.
std::uint32_t first_checksum(const SnapshotHeader& header) noexcept {
  const std::uint64_t names[] = {header.sequence, header.input_chain, header.digest};
  return crc32c(std::as_bytes(std::span(names)));
}

// `before` is the checksum of the chunk before this one: chunks cannot change places.
std::uint32_t chunk_checksum(std::span<const std::uint64_t> words, std::uint32_t before) noexcept {
  return crc32c(std::as_bytes(words), before);
}

}  // namespace

SnapshotWriter::SnapshotWriter(FileLayer& layer, std::string folder)
    : layer_(layer), folder_(std::move(folder)) {}

SnapshotWriter::~SnapshotWriter() { abandon(); }

FileFault SnapshotWriter::create(const SnapshotStart& start) {
  SHMATCH_CHECK(!file_ && !failure_);
  if (start.configuration.size() > kConfigurationBytesMax) {
    return keep(file_fault("the configuration is too large for a snapshot"));
  }
  header_.sequence = start.sequence;
  header_.input_chain = start.input_chain;
  header_.digest = start.digest;
  header_.build_digest = start.build_digest;
  header_.created = start.created;
  configuration_.assign(start.configuration.begin(), start.configuration.end());
  chunk_.reserve(kChunkHeadWords + kChunkWords);
  chunk_.assign(kChunkHeadWords, 0);
  checksum_ = first_checksum(header_);
  path_ = folder_ + "/" + snapshot_name(start.sequence);
  const std::string temporary = path_ + std::string(kTemporarySuffix);
  if (FileFault fault = file_.open(layer_, temporary, OpenMode::kCreate)) {
    if (fault.error == EEXIST) {
      fault = file_fault(
          temporary + " is there: somebody makes the same snapshot, or ended while making it",
          EEXIST);
    }
    return keep(fault);
  }
  // The header comes last, because it says how many words there are; its length is known.
  offset_ = encode_header(header_bytes_of(header_), configuration_).size();
  layer_.step(steps::kSnapshotCreated);
  return {};
}

bool SnapshotWriter::put(std::span<const std::uint64_t> words) noexcept {
  if (failure_) return false;
  SHMATCH_CHECK(static_cast<bool>(file_));
  while (!words.empty()) {
    const std::size_t room = kChunkHeadWords + kChunkWords - chunk_.size();
    const auto piece = words.first(std::min(room, words.size()));
    chunk_.insert(chunk_.end(), piece.begin(), piece.end());
    words = words.subspan(piece.size());
    if (chunk_.size() == kChunkHeadWords + kChunkWords) {
      if (FileFault fault = write_chunk()) return false;
    }
  }
  return true;
}

FileFault SnapshotWriter::write_chunk() {
  const auto words = std::span<const std::uint64_t>(chunk_).subspan(kChunkHeadWords);
  checksum_ = chunk_checksum(words, checksum_);
  chunk_.front() = words.size() | std::uint64_t{checksum_} << 32;
  if (FileFault fault = file_.write(std::as_bytes(std::span(chunk_)), offset_)) return keep(fault);
  offset_ += chunk_.size() * sizeof(std::uint64_t);
  header_.word_count += words.size();
  chunk_.resize(kChunkHeadWords);
  return {};
}

FileFault SnapshotWriter::commit() {
  if (failure_) return failure_;
  SHMATCH_CHECK(static_cast<bool>(file_));
  if (chunk_.size() > kChunkHeadWords) {
    if (FileFault fault = write_chunk()) return fault;
  }
  const auto head = encode_header(header_bytes_of(header_), configuration_);
  if (FileFault fault = file_.write(head, 0)) return keep(fault);
  layer_.step(steps::kSnapshotWritten);
  if (FileFault fault = file_.sync()) return keep(fault);
  layer_.step(steps::kSnapshotSynced);
  if (FileFault fault = file_.rename(path_)) return keep(fault);
  file_.close();
  layer_.step(steps::kSnapshotNamed);
  if (FileFault fault = sync_folder(layer_, folder_)) return keep(fault);
  layer_.step(steps::kSnapshotFolderSynced);
  return {};
}

FileFault SnapshotWriter::keep(FileFault fault) {
  failure_ = fault;
  abandon();
  return fault;
}

void SnapshotWriter::abandon() noexcept {
  if (!file_) return;
  // If it cannot be removed, the next owner of the folder does that.
  layer_.remove(file_.path());
  file_.close();
}

FileFault SnapshotReader::open(const std::string& folder, const std::string& name) {
  failure_ = {};
  if (FileFault fault = file_.open(layer_, folder + "/" + name, OpenMode::kRead)) return fault;
  if (FileFault fault = read_header(file_, "snapshot", kSnapshotMagic, kSnapshotVersion,
                                    header_bytes_of(header_), configuration_)) {
    return fault;
  }
  if (name != snapshot_name(header_.sequence)) {
    return damage_fault(file_.path(), 0,
                        "the header is that of the snapshot " + snapshot_name(header_.sequence));
  }
  std::uint64_t bytes = 0;
  if (FileFault fault = file_.size(bytes)) return fault;
  const std::uint64_t chunks = header_.word_count / kChunkWords +
                               static_cast<std::uint64_t>(header_.word_count % kChunkWords != 0);
  const std::uint64_t words = header_.word_count + chunks * kChunkHeadWords;
  if (header_.word_count > bytes / 8 || bytes != header_.prefix.header_bytes + words * 8) {
    return damage_fault(file_.path(), bytes, "the file has another length than its header says");
  }
  rewind();
  while (words_ahead_ != 0) {
    if (FileFault fault = load_chunk()) return fault;
  }
  rewind();
  return {};
}

void SnapshotReader::rewind() noexcept {
  offset_ = header_.prefix.header_bytes;
  words_ahead_ = header_.word_count;
  checksum_ = first_checksum(header_);
  chunk_.clear();
  left_ = {};
}

FileFault SnapshotReader::load_chunk() {
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(words_ahead_, kChunkWords));
  chunk_.resize(kChunkHeadWords + count);
  const auto bytes = std::as_writable_bytes(std::span(chunk_));
  std::size_t got = 0;
  if (FileFault fault = file_.read(bytes, offset_, got)) return fault;
  const auto words = std::span<const std::uint64_t>(chunk_).subspan(kChunkHeadWords);
  checksum_ = chunk_checksum(words, checksum_);
  if (got != bytes.size() || chunk_.front() != (count | std::uint64_t{checksum_} << 32)) {
    return damage_fault(file_.path(), offset_, "the chunk fails its checksum");
  }
  offset_ += bytes.size();
  words_ahead_ -= count;
  left_ = words;
  return {};
}

bool SnapshotReader::get(std::span<std::uint64_t> words) noexcept {
  while (!words.empty() && !failure_) {
    if (left_.empty()) {
      if (words_ahead_ == 0) return false;
      failure_ = load_chunk();
      continue;
    }
    const auto piece = left_.first(std::min(left_.size(), words.size()));
    std::ranges::copy(piece, words.begin());
    left_ = left_.subspan(piece.size());
    words = words.subspan(piece.size());
  }
  return words.empty();
}

FileFault open_newest_snapshot(FileLayer& layer, const std::string& folder, core::Sequence at_most,
                               SnapshotReader& reader, bool& found,
                               std::vector<std::string>& skipped) {
  found = false;
  JournalListing listing;
  if (FileFault fault = list_journal(layer, folder, listing)) return fault;
  std::ranges::reverse(listing.snapshots);
  for (const JournalFile& file : listing.snapshots) {
    if (file.sequence > at_most) continue;
    FileFault fault = reader.open(folder, file.name);
    if (!fault) {
      found = true;
      return {};
    }
    skipped.push_back(std::move(fault.text));
  }
  return {};
}

}  // namespace shmatch::ipc
