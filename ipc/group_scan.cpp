#include "ipc/group_scan.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <span>

namespace shmatch::ipc {
namespace {

// Large enough for two groups, so that few bytes are read twice.
constexpr std::size_t kWindowWordsMax = 2 * std::size_t{kGroupBytesMax} / 8;

// A group whose header is whole at the start of `words`.
std::optional<ScannedGroup> find_group(std::span<const std::uint64_t> words,
                                       std::uint32_t segment_checksum) {
  if (static_cast<std::uint32_t>(words.front()) != kGroupMagic ||
      words.size() < kGroupHeaderWords) {
    return {};
  }
  ScannedGroup group;
  group.header = group_header(words);
  if (!header_whole(group.header, segment_checksum)) return {};
  const std::size_t length = group.header.bytes / 8;
  group.whole_records = length <= words.size() &&
                        records_whole(group.header, words.first(length).subspan(kGroupHeaderWords));
  return group;
}

}  // namespace

FileFault scan_groups(const File& file, std::uint32_t segment_checksum, std::uint64_t from,
                      const std::function<void(const ScannedGroup&)>& found,
                      std::uint64_t& used_end) {
  used_end = from;
  std::uint64_t file_bytes = 0;
  if (FileFault fault = file.size(file_bytes)) return fault;
  if (file_bytes <= from) return {};
  const std::size_t room = std::min<std::uint64_t>((file_bytes - from + 7) / 8, kWindowWordsMax);
  const auto buffer = std::make_unique_for_overwrite<std::uint64_t[]>(room);
  const std::span window(buffer.get(), room);
  for (std::uint64_t offset = from;;) {
    std::size_t bytes = 0;
    if (FileFault fault = file.read(std::as_writable_bytes(window), offset, bytes)) {
      return fault;
    }
    // The last word of a file that a crash has cut anywhere is completed with zeros.
    std::ranges::fill(std::as_writable_bytes(window).subspan(bytes, (8 - bytes % 8) % 8),
                      std::byte{0});
    const std::span<const std::uint64_t> words = window.first((bytes + 7) / 8);
    const bool last = room < kWindowWordsMax || bytes < window.size_bytes();
    // A group that could reach beyond the window is looked at in the next one.
    const std::size_t end = last ? words.size() : words.size() - kGroupBytesMax / 8;
    std::size_t place = 0;
    while (place < end) {
      std::optional<ScannedGroup> group = find_group(words.subspan(place), segment_checksum);
      const std::size_t step = group && group->whole_records ? group->header.bytes / 8 : 1;
      if (words[place] != 0) used_end = offset + (place + step) * 8;
      if (group) {
        group->offset = offset + place * 8;
        found(*group);
      }
      place += step;
    }
    if (last) {
      used_end = std::min(used_end, std::max(from, offset + bytes));
      return {};
    }
    offset += place * 8;
  }
}

}  // namespace shmatch::ipc
