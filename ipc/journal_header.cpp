#include "ipc/journal_header.h"

#include <isa-l/crc.h>

#include <algorithm>
#include <cstring>
#include <limits>

namespace shmatch::ipc {
namespace {

std::size_t padded(std::size_t bytes) noexcept {
  return (bytes + kHeaderAlignment - 1) / kHeaderAlignment * kHeaderAlignment;
}

// Over a whole header, with the checksum's own bytes taken as zero.
std::uint32_t header_checksum(std::span<const std::byte> whole) noexcept {
  constexpr std::size_t kBefore = offsetof(FilePrefix, checksum);
  constexpr std::byte kZero[sizeof(FilePrefix::checksum)] = {};
  const std::uint32_t first = crc32c(kZero, crc32c(whole.first(kBefore)));
  return crc32c(whole.subspan(kBefore + sizeof kZero), first);
}

}  // namespace

std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t before) noexcept {
  constexpr std::size_t kStep = std::numeric_limits<int>::max();
  std::uint32_t inverted = ~before;
  while (!bytes.empty()) {
    const auto piece = bytes.first(std::min(bytes.size(), kStep));
    // The library only reads, but its C interface does not say so.
    auto* data = const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>(piece.data()));
    inverted = ::crc32_iscsi(data, static_cast<int>(piece.size()), inverted);
    bytes = bytes.subspan(piece.size());
  }
  return ~inverted;
}

std::vector<std::byte> encode_header(FixedHeader fixed, std::span<const std::byte> configuration) {
  std::vector<std::byte> whole(padded(kFixedHeaderBytes + configuration.size()));
  FilePrefix prefix;
  std::memcpy(&prefix, fixed.data(), sizeof prefix);
  prefix.checksum = 0;
  prefix.header_bytes = static_cast<std::uint32_t>(whole.size());
  prefix.configuration_bytes = static_cast<std::uint32_t>(configuration.size());
  std::ranges::copy(fixed, whole.begin());
  std::ranges::copy(configuration, whole.begin() + kFixedHeaderBytes);
  std::memcpy(whole.data(), &prefix, sizeof prefix);
  prefix.checksum = header_checksum(whole);
  std::memcpy(whole.data(), &prefix, sizeof prefix);
  std::memcpy(fixed.data(), &prefix, sizeof prefix);
  return whole;
}

FileFault read_header(const File& file, std::string_view kind, std::uint64_t magic,
                      std::uint32_t version, FixedHeader fixed,
                      std::vector<std::byte>& configuration) {
  std::size_t count = 0;
  if (FileFault fault = file.read(fixed, 0, count)) return fault;
  FilePrefix prefix;
  std::memcpy(&prefix, fixed.data(), sizeof prefix);
  if (count < fixed.size() || prefix.magic != magic) {
    return damage_fault(file.path(), 0, "this is no " + std::string(kind));
  }
  if (prefix.version != version) {
    return file_fault(file.path() + " at byte 8 has format version " +
                      std::to_string(prefix.version) + ", and this program reads version " +
                      std::to_string(version) + ": use the shmatch that wrote it");
  }
  if (prefix.configuration_bytes > kConfigurationBytesMax ||
      prefix.header_bytes != padded(kFixedHeaderBytes + prefix.configuration_bytes)) {
    return damage_fault(file.path(), 0, "the header's sizes contradict each other");
  }
  std::vector<std::byte> whole(prefix.header_bytes);
  if (FileFault fault = file.read(whole, 0, count)) return fault;
  if (count < whole.size()) return damage_fault(file.path(), 0, "the header is cut off");
  if (header_checksum(whole) != prefix.checksum) {
    return damage_fault(file.path(), 0, "the header fails its checksum");
  }
  const auto bytes = std::span(whole).subspan(kFixedHeaderBytes, prefix.configuration_bytes);
  configuration.assign(bytes.begin(), bytes.end());
  return {};
}

FileFault damage_fault(const std::string& path, std::uint64_t offset, std::string_view what) {
  return file_fault("damaged: " + path + " at byte " + std::to_string(offset) + ": " +
                    std::string(what));
}

}  // namespace shmatch::ipc
