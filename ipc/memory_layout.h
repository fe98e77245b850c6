// The two pieces of memory that a session shares with the engine, byte by byte. Each has one
// writer:
//
//   requests: the client writes, the engine maps it read-only
//        0  magic              u64
//        8  version            u32
//       12  slots              u32
//       64  reports_consumed   u64   the reader's progress
//     4096 + stagger  first slot
//
//   reports: the engine writes, the client maps it read-only
//        0  magic              u64
//        8  version            u32
//       12  slots              u32
//       64  requests_consumed  u64   the reader's progress
//      128  heartbeat          u64   passes of the engine loop
//      192  status             u64   EngineStatus
//     4096 + stagger  first slot
//
// A slot is 64 bytes: a sequence word and 7 words of payload (ipc/ring.h). Progress counts ring
// positions, that is all slots that the reader has taken since logon. Words that different events
// change lie on lines of their own. The literal 64 is part of the layout:
// std::hardware_destructive_interference_size differs between compilers.
//
// Where the first slot lies is told at logon. Sessions get different staggers, so that the slots an
// engine polls do not all compete for the same cache sets.
//
// Neither side believes the other's header: magic and version only catch a mistake, sizes are those
// of the logon reply, and progress is clamped (RingWriter).
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/message.h"

namespace shmatch::ipc {

inline constexpr std::size_t kLineSize = 64;
inline constexpr std::size_t kPageSize = 4096;

inline constexpr std::uint64_t kRequestsMagic = 0x5152'4843'5441'4D48;  // "HMATCHRQ"
inline constexpr std::uint64_t kReportsMagic = 0x5052'4843'5441'4D48;   // "HMATCHRP"
inline constexpr std::uint32_t kLayoutVersion = 1;

// Ranges of the ring sizes that a logon may ask for; powers of two.
inline constexpr std::uint32_t kRequestSlotsMin = 64;
inline constexpr std::uint32_t kRequestSlotsMax = 1U << 16;
inline constexpr std::uint32_t kReportSlotsMin = 256;
inline constexpr std::uint32_t kReportSlotsMax = 1U << 20;

enum class EngineStatus : std::uint64_t { kServing = 1, kStopped = 2 };

struct Slot {
  std::uint64_t sequence;
  std::uint64_t payload[core::kSlotWords];
};

struct RequestsHeader {
  std::uint64_t magic;
  std::uint32_t version;
  std::uint32_t slots;
  alignas(kLineSize) std::uint64_t reports_consumed;
};

struct ReportsHeader {
  std::uint64_t magic;
  std::uint32_t version;
  std::uint32_t slots;
  alignas(kLineSize) std::uint64_t requests_consumed;
  alignas(kLineSize) std::uint64_t heartbeat;
  alignas(kLineSize) std::uint64_t status;
};

static_assert(sizeof(Slot) == kLineSize);
static_assert(offsetof(Slot, payload) == 8);
static_assert(offsetof(RequestsHeader, magic) == 0);
static_assert(offsetof(RequestsHeader, version) == 8);
static_assert(offsetof(RequestsHeader, slots) == 12);
static_assert(offsetof(RequestsHeader, reports_consumed) == 64);
static_assert(sizeof(RequestsHeader) == 128);
static_assert(offsetof(ReportsHeader, magic) == 0);
static_assert(offsetof(ReportsHeader, version) == 8);
static_assert(offsetof(ReportsHeader, slots) == 12);
static_assert(offsetof(ReportsHeader, requests_consumed) == 64);
static_assert(offsetof(ReportsHeader, heartbeat) == 128);
static_assert(offsetof(ReportsHeader, status) == 192);
static_assert(sizeof(ReportsHeader) == 256);

// Offset of the first slot for the session in place `session_slot` of the session table.
constexpr std::uint32_t first_slot_offset(core::SessionSlot session_slot) noexcept {
  constexpr std::uint32_t kLinesPerPage = kPageSize / kLineSize;
  return static_cast<std::uint32_t>(kPageSize + (session_slot % kLinesPerPage) * kLineSize);
}

// Bytes of a memory with `slots` slots from `offset` on, in whole pages.
constexpr std::size_t memory_size(std::uint32_t offset, std::uint32_t slots) noexcept {
  const std::size_t end = offset + std::size_t{slots} * sizeof(Slot);
  return (end + kPageSize - 1) / kPageSize * kPageSize;
}

constexpr bool valid_slot_count(std::uint32_t slots, std::uint32_t min,
                                std::uint32_t max) noexcept {
  return slots >= min && slots <= max && (slots & (slots - 1)) == 0;
}

}  // namespace shmatch::ipc
