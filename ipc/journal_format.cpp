#include "ipc/journal_format.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstring>

namespace shmatch::ipc {
namespace {

std::uint32_t header_checksum(GroupHeader header, std::uint32_t segment_checksum) noexcept {
  header.header_checksum = 0;
  return crc32c(std::as_bytes(std::span(&header, 1)), segment_checksum);
}

}  // namespace

GroupHeader group_header(std::span<const std::uint64_t> words) noexcept {
  GroupHeader header;
  std::memcpy(static_cast<void*>(&header), words.data(), sizeof header);
  return header;
}

void seal_group(std::span<std::uint64_t> group, std::uint32_t segment_checksum) noexcept {
  GroupHeader header = group_header(group);
  header.magic = kGroupMagic;
  header.bytes = static_cast<std::uint32_t>(group.size_bytes());
  header.records_checksum = crc32c(std::as_bytes(group.subspan(kGroupHeaderWords)));
  header.header_checksum = header_checksum(header, segment_checksum);
  std::memcpy(group.data(), &header, sizeof header);
}

bool header_whole(const GroupHeader& header, std::uint32_t segment_checksum) noexcept {
  return header.magic == kGroupMagic && header.bytes >= sizeof header &&
         header.bytes <= kGroupBytesMax && header.bytes % 8 == 0 &&
         header.header_checksum == header_checksum(header, segment_checksum);
}

bool records_whole(const GroupHeader& header, std::span<const std::uint64_t> records) noexcept {
  return crc32c(std::as_bytes(records)) == header.records_checksum;
}

bool chain_records(std::span<const std::uint64_t> records, std::uint64_t& chain,
                   std::uint32_t& count) noexcept {
  count = 0;
  while (!records.empty()) {
    const std::uint32_t words = core::input_words(records.front());
    if (words == 0 || words > records.size()) return false;
    chain = XXH3_64bits_withSeed(records.data(), words * sizeof(std::uint64_t), chain);
    ++count;
    records = records.subspan(words);
  }
  return true;
}

}  // namespace shmatch::ipc
