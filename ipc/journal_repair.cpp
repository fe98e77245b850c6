#include "ipc/journal_repair.h"

#include <algorithm>
#include <utility>

#include "ipc/group_scan.h"
#include "ipc/journal_folder.h"
#include "ipc/journal_steps.h"
#include "ipc/snapshot_file.h"

namespace shmatch::ipc {
namespace {

constexpr std::size_t kCopyBytes = std::size_t{1} << 20;

// Puts the bytes of a file where they already are, so that the kernel writes them once more.
FileFault write_again(File& file, std::uint64_t from, std::uint64_t end) {
  std::vector<std::byte> buffer(kCopyBytes);
  while (from < end) {
    const auto piece = std::span(buffer).first(std::min<std::uint64_t>(end - from, kCopyBytes));
    std::size_t count = 0;
    if (FileFault fault = file.read(piece, from, count)) return fault;
    if (count < piece.size()) return damage_fault(file.path(), from + count, "the file has shrunk");
    if (FileFault fault = file.write(piece, from)) return fault;
    from += count;
  }
  return {};
}

// Removes `names`, in their order, and makes that durable.
FileFault remove_files(FileLayer& layer, const std::string& folder,
                       const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (FileFault fault = remove_file(layer, folder + "/" + name)) return fault;
    layer.step(steps::kFileRemoved);
  }
  return names.empty() ? FileFault{} : sync_folder(layer, folder);
}

void count_group(const ScannedGroup& group, Loss& loss) {
  if (!group.whole_records) return;
  ++loss.groups;
  if (group.header.record_count == 0) return;
  loss.records += group.header.record_count;
  if (loss.first_sequence == 0) loss.first_sequence = group.header.first_sequence;
  loss.last_sequence = std::max(loss.last_sequence, group.header.end_sequence() - 1);
}

// Adds what the file `name` holds from byte `offset` on. Where its header is damaged, nothing can
// be recognised, and only the bytes count.
FileFault count_file(FileLayer& layer, const std::string& folder, const std::string& name,
                     std::uint64_t offset, Loss& loss) {
  File file;
  if (FileFault fault = file.open(layer, folder + "/" + name, OpenMode::kRead)) return fault;
  SegmentHeader header;
  std::vector<std::byte> configuration;
  const bool known = !read_header(file, "journal segment", kSegmentMagic, kJournalVersion,
                                  header_bytes_of(header), configuration);
  const std::uint64_t from =
      known ? std::max<std::uint64_t>(offset, header.prefix.header_bytes) : offset;
  const auto note = [&](const ScannedGroup& group) {
    if (known) count_group(group, loss);
  };
  std::uint64_t used_end = 0;
  if (FileFault fault = scan_groups(file, header.prefix.checksum, from, note, used_end)) {
    return fault;
  }
  loss.bytes += used_end - offset;
  return {};
}

// Where a journal may be cut so that everything before is whole.
class CutPlace {
 public:
  CutPlace(FileLayer& layer, const std::string& folder, const JournalFile& file,
           std::uint64_t offset)
      : reader_(layer, folder), file_(file), offset_(offset) {}

  // Faults as truncate_journal says. `remaining` becomes the last record before the place.
  FileFault find(core::Sequence& remaining) {
    if (FileFault fault = reader_.open(); fault && !at_place()) return not_whole();
    remaining = reader_.last_sequence();
    while (!at_place()) {
      JournalGroup group;
      const JournalNext next = reader_.next_group(group);
      // The first group of a segment is the first thing that is seen of it.
      if (next == JournalNext::kGiven && in_file() && group.offset == offset_) break;
      if (passed()) return file_fault("no group starts " + place() + "; cut where one does");
      if (next != JournalNext::kGiven && !at_place()) return not_whole();
      remaining = reader_.last_sequence();
    }
    if (offset_ == 0) remaining = file_.sequence - 1;
    return {};
  }

 private:
  bool in_file() const { return reader_.segment().name == file_.name; }
  bool at_place() const {
    if (offset_ != 0) return in_file() && reader_.offset() == offset_;
    return reader_.segment().name >= file_.name;
  }
  bool passed() const {
    return reader_.segment().name > file_.name || (in_file() && reader_.offset() > offset_);
  }
  std::string place() const { return "at byte " + std::to_string(offset_) + " of " + file_.name; }
  FileFault not_whole() const {
    if (reader_.fault()) {
      return file_fault("cannot cut " + place() +
                        ", because the journal ends before: " + reader_.fault().text);
    }
    return file_fault("cannot cut " + place() + ", because the journal ends at byte " +
                      std::to_string(reader_.offset()) + " of " + reader_.segment().name);
  }

  JournalReader reader_;
  const JournalFile& file_;
  std::uint64_t offset_;
};

FileFault cut_file(FileLayer& layer, const std::string& path, std::uint64_t offset) {
  File file;
  if (FileFault fault = file.open(layer, path, OpenMode::kReadWrite)) return fault;
  if (FileFault fault = file.truncate(offset)) return fault;
  layer.step(steps::kRecoveryCut);
  return file.sync();
}

}  // namespace

FileFault settle_journal(FileLayer& layer, const JournalReader& reader) {
  if (reader.files().empty()) return {};
  layer.step(steps::kRecoveryBefore);
  const std::string path = reader.folder() + "/" + reader.segment().name;
  File file;
  if (FileFault fault = file.open(layer, path, OpenMode::kReadWrite)) return fault;
  std::uint64_t size = 0;
  if (FileFault fault = file.size(size)) return fault;
  if (size > reader.offset()) {
    if (FileFault fault = file.truncate(reader.offset())) return fault;
  }
  layer.step(steps::kRecoveryCut);
  if (FileFault fault = write_again(file, reader.durable_bytes(), reader.offset())) return fault;
  if (FileFault fault = file.sync()) return fault;
  layer.step(steps::kRecoverySynced);
  return {};
}

FileFault remove_segments_behind(FileLayer& layer, const std::string& folder,
                                 core::Sequence sequence, std::vector<std::string>& removed) {
  SnapshotReader snapshot(layer);
  if (FileFault fault = snapshot.open(folder, snapshot_name(sequence))) return fault;
  JournalListing listing;
  if (FileFault fault = list_journal(layer, folder, listing)) return fault;
  removed.clear();
  for (std::size_t i = 0; i + 1 < listing.segments.size(); ++i) {
    if (listing.segments[i + 1].sequence > sequence + 1) break;
    removed.push_back(listing.segments[i].name);
  }
  return remove_files(layer, folder, removed);
}

FileFault remove_snapshots_before(FileLayer& layer, const std::string& folder,
                                  core::Sequence sequence, std::vector<std::string>& removed) {
  JournalListing listing;
  if (FileFault fault = list_journal(layer, folder, listing)) return fault;
  removed.clear();
  for (const JournalFile& file : listing.snapshots) {
    if (file.sequence < sequence) removed.push_back(file.name);
  }
  return remove_files(layer, folder, removed);
}

FileFault truncate_journal(FileLayer& layer, const std::string& folder, const std::string& name,
                           std::uint64_t offset, bool only_look, Loss& loss) {
  JournalListing listing;
  if (FileFault fault = list_journal(layer, folder, listing)) return fault;
  const auto target = std::ranges::find(listing.segments, name, &JournalFile::name);
  if (target == listing.segments.end()) {
    return file_fault("there is no segment " + name + " in " + folder);
  }
  loss = {};
  CutPlace place(layer, folder, *target, offset);
  if (FileFault fault = place.find(loss.remaining_sequence)) return fault;

  // From the newest to the oldest, so that what remains if this is interrupted is a journal whose
  // damage is still the same. Snapshots first: one of a lost state would be believed.
  for (auto file = listing.snapshots.rbegin(); file != listing.snapshots.rend(); ++file) {
    if (file->sequence > loss.remaining_sequence) loss.removed.push_back(file->name);
  }
  for (auto file = target; file != listing.segments.end(); ++file) {
    const std::uint64_t from = file == target ? offset : 0;
    if (FileFault fault = count_file(layer, folder, file->name, from, loss)) return fault;
  }
  const auto kept = offset == 0 ? target : std::next(target);
  for (auto file = listing.segments.end(); file != kept;) {
    loss.removed.push_back((--file)->name);
  }
  if (only_look) return {};
  if (FileFault fault = remove_files(layer, folder, loss.removed)) return fault;
  return offset == 0 ? FileFault{} : cut_file(layer, folder + "/" + name, offset);
}

}  // namespace shmatch::ipc
