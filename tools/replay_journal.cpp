#include "tools/replay_journal.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <optional>
#include <utility>

#include "core/configuration_bytes.h"

namespace shmatch::tools {

namespace {

std::string plain(std::string text) {
  constexpr std::string_view kRoom = "journal: ";
  if (text.starts_with(kRoom)) text.erase(0, kRoom.size());
  return text;
}

// Small groups are given together: looking ahead (core/look_ahead.h) ends with a batch.
constexpr std::size_t kBatchWords = 16'384;

std::uint64_t file_size(const std::string& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  return error ? 0 : size;
}

}  // namespace

bool is_journal(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return false;
  if (S_ISDIR(status.st_mode)) return true;
  if (!S_ISREG(status.st_mode)) return false;
  ipc::PosixFileLayer layer;
  ipc::File file;
  std::uint64_t magic = 0;
  std::size_t count = 0;
  if (file.open(layer, path, ipc::OpenMode::kRead) ||
      file.read(std::as_writable_bytes(std::span(&magic, 1)), 0, count)) {
    return false;
  }
  return count == sizeof magic && magic == ipc::kSegmentMagic;
}

ipc::Fault JournalInput::open(const std::string& path, JournalStart start) {
  folder_ = path;
  if (!std::filesystem::is_directory(path)) {
    const std::filesystem::path file(path);
    folder_ = file.parent_path().empty() ? "." : file.parent_path().string();
    last_segment_ = file.filename().string();
  }
  if (ipc::FileFault fault = ipc::find_owner(layer_, folder_, owned_)) return fault;
  if (!owned_) return open_once(start);
  return ipc::read_while_files_go(layer_, folder_, [&] { return open_once(start); });
}

ipc::Fault JournalInput::open_once(JournalStart start) {
  ipc::JournalListing listing;
  if (ipc::FileFault fault = ipc::list_journal(layer_, folder_, listing)) return fault;
  if (listing.segments.empty()) return {folder_ + " holds no journal"};
  begin_again();
  bool ends = last_segment_.empty();
  for (const ipc::JournalFile& segment : listing.segments) {
    bytes_total_ += file_size(folder_ + "/" + segment.name);
    ends = ends || segment.name == last_segment_;
    if (segment.name == last_segment_) break;
  }
  if (!ends) {
    return {folder_ + "/" + last_segment_ + " is not named as a segment of a journal is"};
  }
  reader_ = std::make_unique<ipc::JournalReader>(
      layer_, folder_, owned_ ? ipc::ReadMode::kFollow : ipc::ReadMode::kWhole);
  const core::Sequence first = listing.segments.front().sequence;
  if (first > 1 || start == JournalStart::kSnapshot) {
    if (ipc::Fault fault = open_snapshot(listing, start)) return fault;
  }
  const std::optional<std::uint64_t> chain =
      snapshot_ ? std::optional(snapshot_->header().input_chain) : std::nullopt;
  if (ipc::FileFault fault = reader_->open(snapshot_ ? start_sequence_ + 1 : first, chain)) {
    return fault;
  }
  // The first group tells the configuration, where no snapshot does.
  if (!read_ahead() && fault_) return fault_;
  // A journal that got no record yet still has a segment, which says what the engine started with.
  configuration_bytes_ = has_ahead_ ? ahead_.configuration : reader_->segment().configuration;
  if (!snapshot_ && configuration_bytes_.empty()) return {folder_ + " holds no records"};
  if (snapshot_) {
    const std::span<const std::byte> bytes = snapshot_->configuration();
    configuration_bytes_.assign(bytes.begin(), bytes.end());
  }
  if (!decode(configuration_bytes_, configuration_)) return fault_;
  return {};
}

// Forgets an opening that failed.
void JournalInput::begin_again() {
  start_sequence_ = 0;
  snapshot_.reset();
  skipped_.clear();
  fault_ = {};
  end_ = ipc::JournalNext::kGiven;
  segment_read_.clear();
  newest_mark_ = 0;
  pending_.clear();
  bytes_read_ = 0;
  bytes_total_ = 0;
}

ipc::Fault JournalInput::open_snapshot(const ipc::JournalListing& listing, JournalStart start) {
  const core::Sequence first_sequence = listing.segments.front().sequence;
  std::vector<ipc::JournalFile> snapshots = listing.snapshots;
  if (start == JournalStart::kSnapshot) std::ranges::reverse(snapshots);
  for (const ipc::JournalFile& file : snapshots) {
    if (file.sequence + 1 < first_sequence) continue;
    auto snapshot = std::make_unique<ipc::SnapshotReader>(layer_);
    if (ipc::FileFault fault = snapshot->open(folder_, file.name)) {
      skipped_.push_back(plain(fault.text));
      continue;
    }
    start_sequence_ = snapshot->header().sequence;
    snapshot_ = std::move(snapshot);
    return {};
  }
  if (first_sequence == 1) return {};
  std::string sentence = folder_ + " begins with input " + std::to_string(first_sequence) +
                         ", and no whole snapshot holds the state before it";
  for (const std::string& why : skipped_) sentence += "; " + why;
  return {std::move(sentence)};
}

bool JournalInput::decode(std::span<const std::byte> bytes, core::Configuration& configuration) {
  const std::string fault = core::decode_configuration(
      {reinterpret_cast<const char*>(bytes.data()), bytes.size()}, configuration);
  if (fault.empty()) return true;
  fault_ = {folder_ + "/" + segment_read_ + ": " + fault};
  return false;
}

void JournalInput::note_mark(const ipc::DigestMark& mark) {
  if (mark.sequence <= newest_mark_) return;
  newest_mark_ = mark.sequence;
  pending_.push_back(mark);
}

// Reads up to the next group with records. False when there is none: then end_ says why.
bool JournalInput::read_ahead() {
  has_ahead_ = false;
  ahead_.starts_segment = false;
  if (end_ != ipc::JournalNext::kGiven) return false;
  ipc::JournalGroup group;
  while ((end_ = reader_->next_group(group)) == ipc::JournalNext::kGiven) {
    const ipc::JournalSegment& segment = reader_->segment();
    if (segment.name != segment_read_) {
      if (!last_segment_.empty() && segment_read_ == last_segment_) {
        end_ = ipc::JournalNext::kEnd;
        return false;
      }
      segment_read_ = segment.name;
      ahead_.starts_segment = true;
      ahead_.configuration = segment.configuration;
      bytes_read_ += segment.header.prefix.header_bytes;
      note_mark(segment.header.digest);
    }
    bytes_read_ += group.header.bytes;
    note_mark(group.header.digest);
    if (group.header.record_count == 0) continue;
    ahead_.first_sequence = group.header.first_sequence;
    ahead_.record_count = group.header.record_count;
    ahead_.words.assign(group.records.begin(), group.records.end());
    has_ahead_ = true;
    return true;
  }
  if (end_ == ipc::JournalNext::kFault) fault_ = reader_->fault();
  return false;
}

InputStream::Next JournalInput::next(InputBatch& batch) {
  if (fault_) return Next::kFault;
  if (!has_ahead_) return end_ == ipc::JournalNext::kFault ? Next::kFault : Next::kEnd;
  std::swap(current_, ahead_);
  read_ahead();
  while (has_ahead_ && !ahead_.starts_segment && current_.words.size() < kBatchWords) {
    current_.words.insert(current_.words.end(), ahead_.words.begin(), ahead_.words.end());
    current_.record_count += ahead_.record_count;
    read_ahead();
  }
  const core::Sequence before = current_.first_sequence - 1;
  const core::Sequence last = before + current_.record_count;
  batch = InputBatch{};
  batch.first_sequence = current_.first_sequence;
  batch.record_count = current_.record_count;
  batch.words = current_.words;
  if (current_.starts_segment && current_.configuration != configuration_bytes_) {
    if (!decode(current_.configuration, changed_)) return Next::kFault;
    configuration_bytes_ = current_.configuration;
    batch.configuration = &changed_;
    ++configuration_changes_;
  }
  // Marks of older states than this group's come too late to be compared.
  marks_.clear();
  std::size_t used = 0;
  for (; used < pending_.size() && pending_[used].sequence <= last; ++used) {
    if (pending_[used].sequence >= before) marks_.push_back(pending_[used]);
  }
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(used));
  batch.marks = marks_;
  return Next::kBatch;
}

const ipc::TornEnd* JournalInput::torn_end() const noexcept {
  return end_ == ipc::JournalNext::kTornEnd ? &reader_->torn_end() : nullptr;
}

double JournalInput::progress() const {
  if (bytes_total_ == 0) return 0;
  return std::min(1.0, static_cast<double>(bytes_read_) / static_cast<double>(bytes_total_));
}

}  // namespace shmatch::tools
