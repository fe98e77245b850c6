// How every file of a journal starts: 128 bytes that say what it is, then the configuration in
// force, then zeros up to a whole page. One checksum covers all of that.
//
//   byte 0   FilePrefix
//       24   what segments and snapshots say of themselves (SegmentHeader, SnapshotHeader)
//      128   the configuration's bytes (core/configuration_bytes.h), opaque here
//
// Magic and version keep their place and meaning in every version of the format.
//
// Thread: values and pure functions, but for read_header, which reads.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ipc/file_layer.h"

namespace shmatch::ipc {

static_assert(std::endian::native == std::endian::little, "the journal is little-endian");

inline constexpr std::size_t kFixedHeaderBytes = 128;
inline constexpr std::uint32_t kHeaderAlignment = 4096;
inline constexpr std::uint32_t kConfigurationBytesMax = 64U << 20;

struct FilePrefix {
  std::uint64_t magic = 0;
  std::uint32_t version = 0;
  std::uint32_t checksum = 0;      // over all header_bytes, with these four bytes zero
  std::uint32_t header_bytes = 0;  // a multiple of kHeaderAlignment
  std::uint32_t configuration_bytes = 0;
};

static_assert(sizeof(FilePrefix) == 24 && offsetof(FilePrefix, version) == 8);
static_assert(offsetof(FilePrefix, checksum) == 12 && offsetof(FilePrefix, header_bytes) == 16);
static_assert(offsetof(FilePrefix, configuration_bytes) == 20);

using FixedHeader = std::span<std::byte, kFixedHeaderBytes>;

// The bytes of a SegmentHeader or SnapshotHeader.
template <class Header>
FixedHeader header_bytes_of(Header& header) noexcept {
  static_assert(sizeof header == kFixedHeaderBytes);
  return std::as_writable_bytes(std::span<Header, 1>(&header, 1));
}

// CRC32C (Castagnoli) of `bytes`, going on from the checksum `before` of what lies before them.
std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t before = 0) noexcept;

// The whole header to write: `fixed` with its prefix's sizes and checksum set, the configuration
// (at most kConfigurationBytesMax bytes) and the padding. `fixed` is completed likewise.
std::vector<std::byte> encode_header(FixedHeader fixed, std::span<const std::byte> configuration);

// Reads and checks the header of `file`. `kind` is what the file should be ("segment"), for the
// sentence. Faults: the file system's; no such file by its magic; another version; damage, named
// with path and byte.
FileFault read_header(const File& file, std::string_view kind, std::uint64_t magic,
                      std::uint32_t version, FixedHeader fixed,
                      std::vector<std::byte>& configuration);

// "journal: damaged: <path> at byte <offset>: <what>".
FileFault damage_fault(const std::string& path, std::uint64_t offset, std::string_view what);

}  // namespace shmatch::ipc
