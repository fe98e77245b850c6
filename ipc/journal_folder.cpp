#include "ipc/journal_folder.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <utility>

namespace shmatch::ipc {
namespace {

constexpr std::size_t kDigits = 20;
constexpr std::string_view kSegmentSuffix = ".journal";
constexpr std::string_view kSnapshotSuffix = ".snapshot";
constexpr std::string_view kLockName = "/lock";

std::string numbered_name(core::Sequence sequence, std::string_view suffix) {
  const std::string digits = std::to_string(sequence);
  return std::string(kDigits - digits.size(), '0') + digits + std::string(suffix);
}

// The number that starts a name of 20 digits and `suffix`, and nothing else.
bool parse_name(std::string_view name, std::string_view suffix, core::Sequence& sequence) {
  if (name.size() != kDigits + suffix.size() || !name.ends_with(suffix)) return false;
  const char* const end = name.data() + kDigits;
  const auto [stopped, error] = std::from_chars(name.data(), end, sequence);
  return error == std::errc{} && stopped == end;
}

bool is_unfinished(std::string_view name) {
  if (!name.ends_with(kTemporarySuffix)) return false;
  name.remove_suffix(kTemporarySuffix.size());
  core::Sequence ignored = 0;
  return parse_name(name, kSegmentSuffix, ignored) || parse_name(name, kSnapshotSuffix, ignored);
}

std::string parent_of(const std::string& path) {
  const std::size_t end = path.find_last_not_of('/');
  const std::size_t slash = path.find_last_of('/', end);
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool any_gone(const std::vector<JournalFile>& before, const std::vector<JournalFile>& now) {
  return std::ranges::any_of(before, [&](const JournalFile& file) {
    return std::ranges::find(now, file.name, &JournalFile::name) == now.end();
  });
}

}  // namespace

std::string segment_name(core::Sequence first_sequence) {
  return numbered_name(first_sequence, kSegmentSuffix);
}

std::string snapshot_name(core::Sequence sequence) {
  return numbered_name(sequence, kSnapshotSuffix);
}

FileFault list_journal(FileLayer& layer, const std::string& folder, JournalListing& listing) {
  std::vector<std::string> names;
  if (FileFault fault = list_folder(layer, folder, names)) return fault;
  listing = {};
  for (std::string& name : names) {
    core::Sequence sequence = 0;
    if (parse_name(name, kSegmentSuffix, sequence)) {
      listing.segments.push_back({sequence, std::move(name)});
    } else if (parse_name(name, kSnapshotSuffix, sequence)) {
      listing.snapshots.push_back({sequence, std::move(name)});
    } else if (is_unfinished(name)) {
      listing.unfinished.push_back(std::move(name));
    }
  }
  return {};
}

Fault read_while_files_go(FileLayer& layer, const std::string& folder,
                          const std::function<Fault()>& read) {
  while (true) {
    JournalListing before;
    if (FileFault fault = list_journal(layer, folder, before)) return fault;
    Fault fault = read();
    if (!fault) return {};
    JournalListing now;
    if (list_journal(layer, folder, now)) return fault;
    if (!any_gone(before.segments, now.segments) && !any_gone(before.snapshots, now.snapshots)) {
      return fault;
    }
  }
}

FileFault find_owner(FileLayer& layer, const std::string& folder, bool& owned) {
  owned = false;
  File lock;
  FileFault fault = lock.open(layer, folder + std::string(kLockName), OpenMode::kRead);
  if (fault) return fault.error == ENOENT ? FileFault{} : fault;
  return lock.find_lock(owned);
}

FileFault JournalFolder::take(const std::string& path) {
  bool made = false;
  if (FileFault fault = make_folder(layer_, path, made)) return fault;
  // Whoever made an older folder need not have made its name durable. If its parent may not be
  // read, that was for them to do.
  if (FileFault fault = sync_folder(layer_, parent_of(path));
      fault && (made || fault.error != EACCES)) {
    return fault;
  }
  File lock;
  FileFault fault = lock.open(layer_, path + std::string(kLockName), OpenMode::kOpenOrCreate);
  if (fault) return fault;
  bool taken = false;
  if (fault = lock.try_lock(taken); fault) return fault;
  if (!taken) return file_fault("a running engine or a repair owns the folder " + path);

  JournalListing listing;
  if (fault = list_journal(layer_, path, listing); fault) return fault;
  for (const std::string& name : listing.unfinished) {
    if (fault = remove_file(layer_, path + "/" + name); fault) return fault;
  }
  path_ = path;
  lock_ = std::move(lock);
  return {};
}

}  // namespace shmatch::ipc
