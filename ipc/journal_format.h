// The bytes of a journal: what is in a segment file, and how a program tells that it is whole.
// docs/JOURNAL.md describes the same tables; the asserts below tie both to the compiler.
//
// A segment file is a header and then commit groups, one behind the other, up to the first zero
// word or the file's end. A group is a header of 64 bytes and then records (core/input_record.h).
// Everything is little-endian and starts at a multiple of 8 bytes.
//
// Checksums are CRC32C (ipc/journal_header.h). A group's start from the checksum of its segment's
// header, so that bytes of another segment, or bytes that a client made up, are no group here.
//
// The input chain names all inputs up to a sequence number by 64 bits: it starts as 0, and each
// record makes it XXH3_64bits of the record's bytes with the chain before as seed. It does not
// depend on how records were put into groups.
//
// Thread: values and pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/input_record.h"
#include "core/types.h"
#include "ipc/journal_header.h"

namespace shmatch::ipc {

inline constexpr std::uint32_t kJournalVersion = 2;
inline constexpr std::uint64_t kSegmentMagic = 0x314C'4E52'4A4D'4853;  // "SHMJRNL1"
inline constexpr std::uint32_t kGroupMagic = 0x5052'4753;              // "SGRP"

// Limits that hold for every file: what is larger was not written by this program.
inline constexpr std::uint32_t kGroupBytesMax = 1U << 20;  // header and records
inline constexpr std::size_t kGroupHeaderWords = 8;
inline constexpr std::uint64_t kSegmentFileBytesMax = std::uint64_t{1} << 34;

// The digest of the state after the input `sequence`; sequence 0 means that none is given.
struct DigestMark {
  core::Sequence sequence = 0;
  std::uint64_t digest = 0;
};

// Starts a segment file; the configuration follows (ipc/journal_header.h).
struct SegmentHeader {
  FilePrefix prefix{kSegmentMagic, kJournalVersion};
  core::Sequence first_sequence = 0;  // of the first record here, at least 1
  std::uint64_t input_chain = 0;      // after first_sequence - 1
  DigestMark digest;                  // the newest known when the segment was made
  std::uint64_t build_digest = 0;     // which program wrote it
  core::TimeNs created = 0;
  std::uint64_t reserved[7] = {};
};

// Starts a commit group. A group without records is a mark: it only says what is durable.
struct GroupHeader {
  std::uint32_t magic = kGroupMagic;
  std::uint32_t bytes = 0;              // of the group, this header included; a multiple of 8
  std::uint32_t record_count = 0;       // may be 0
  std::uint32_t records_checksum = 0;   // over the records
  core::Sequence first_sequence = 0;    // of the first record; of the next one, when there is none
  core::Sequence durable_sequence = 0;  // newest record known on disk when this was written
  std::uint32_t durable_words = 0;      // of this file, known on disk when this was written
  std::uint32_t header_checksum = 0;    // over this header, with these four bytes zero
  std::uint64_t input_chain = 0;        // after the last record
  DigestMark digest;                    // of a sequence up to this group's last

  core::Sequence end_sequence() const noexcept { return first_sequence + record_count; }
  std::uint64_t durable_bytes() const noexcept { return std::uint64_t{durable_words} * 8; }
};

static_assert(sizeof(SegmentHeader) == kFixedHeaderBytes);
static_assert(offsetof(SegmentHeader, first_sequence) == 24);
static_assert(offsetof(SegmentHeader, input_chain) == 32);
static_assert(offsetof(SegmentHeader, digest) == 40 && sizeof(DigestMark) == 16);
static_assert(offsetof(SegmentHeader, build_digest) == 56);
static_assert(offsetof(SegmentHeader, created) == 64);

static_assert(sizeof(GroupHeader) == kGroupHeaderWords * 8);
static_assert(offsetof(GroupHeader, bytes) == 4);
static_assert(offsetof(GroupHeader, record_count) == 8);
static_assert(offsetof(GroupHeader, records_checksum) == 12);
static_assert(offsetof(GroupHeader, first_sequence) == 16);
static_assert(offsetof(GroupHeader, durable_sequence) == 24);
static_assert(offsetof(GroupHeader, durable_words) == 32);
static_assert(offsetof(GroupHeader, header_checksum) == 36);
static_assert(offsetof(GroupHeader, input_chain) == 40 && offsetof(GroupHeader, digest) == 48);

// The header that `words` (at least kGroupHeaderWords) start with, whatever they are.
GroupHeader group_header(std::span<const std::uint64_t> words) noexcept;

// Completes `group`, which holds a header with its fields set but for magic, bytes and checksums,
// and then the records. `segment_checksum` is that of the segment's header.
void seal_group(std::span<std::uint64_t> group, std::uint32_t segment_checksum) noexcept;

// A header as it was written: magic, length and checksum are right. Its records may still be torn.
bool header_whole(const GroupHeader& header, std::uint32_t segment_checksum) noexcept;
// The records of a group whose header is whole. `records` are those header.bytes - 64 bytes.
bool records_whole(const GroupHeader& header, std::span<const std::uint64_t> records) noexcept;

// Walks over records and carries the input chain on. `count` becomes their number. False when
// `records` is not a run of whole records.
bool chain_records(std::span<const std::uint64_t> records, std::uint64_t& chain,
                   std::uint32_t& count) noexcept;

}  // namespace shmatch::ipc
