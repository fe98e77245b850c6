// The page of counters that an engine shows to whoever watches it, byte by byte. The engine writes
// it, watchers map it read-only (ipc/observer.h); docs/PROTOCOL.md has the same tables.
//
//      0  CountersHeader         written once, before anybody watches
//    128  EngineCounters         one block
//   4096  SessionCounters[n]     one block for each session slot
//
// The first word of a block is its version: odd while the engine changes the block, larger after
// each change. A watcher reads the version, then the rest, then the version again, and believes
// what it read when both are the same even number (ipc/versioned_block.h). All words are u64, so
// that each is one load or store.
//
// Times are nanoseconds; wall times count from the POSIX epoch.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/types.h"

namespace shmatch::ipc {

inline constexpr std::uint64_t kCountersMagic = 0x5443'4843'5441'4D48;  // "HMATCHCT"
inline constexpr std::uint32_t kCountersVersion = 1;

// The largest gaps of so many stretches of time are kept, each as long as this.
inline constexpr std::size_t kGapWindows = 64;
inline constexpr std::uint64_t kGapWindowNs = 250'000'000;

struct CountersHeader {
  std::uint64_t magic;
  std::uint32_t version;  // kCountersVersion
  std::uint32_t session_slots;
  std::uint64_t started_ns;  // wall time
  std::uint64_t process;     // the engine's, as the kernel numbers it
  std::uint64_t working_orders_max;
  std::uint64_t finished_orders_max;
  std::uint32_t durability;  // 0 none, 1 async, 2 sync
  std::uint32_t idle_mode;   // 0 spin, 1 yield, 2 sleep
  std::uint64_t gap_window_ns;
  char engine_version[32];  // filled up with zeros
  std::uint64_t price_levels_max;
  std::uint64_t reserved[3];
};

// Counts since the start of the engine's process, unless it says otherwise.
struct EngineCounters {
  std::uint64_t block_version;
  std::uint64_t updated_ns;     // wall time of the engine's clock
  std::uint64_t status;         // EngineStatus: 1 serving, 2 stopped
  std::uint64_t journal_error;  // not 0: the journal has failed, the state stands still
  std::uint64_t passes;         // of the engine's loop
  std::uint64_t idle_passes;    // those that found nothing to do
  std::uint64_t requests;       // taken from all rings
  std::uint64_t reports;        // made for all sessions, also for those whose client is away
  std::uint64_t sequence;       // newest input, counted over all runs of a journal
  std::uint64_t durable;        // newest input on the disk; 0 without a journal
  std::uint64_t working_orders;
  std::uint64_t finished_orders;  // ended and still known
  std::uint64_t trades;           // executions, counted over all runs of a journal
  std::uint64_t largest_gap_ns;   // between two looks of the loop at its clock
  std::uint64_t gap_window;       // number of the stretch of time that goes on
  std::uint64_t price_levels;     // in use, over all books
  // The largest gap of each of the last stretches: that of stretch n is in place n % kGapWindows.
  std::array<std::uint64_t, kGapWindows> window_gaps_ns;
};

struct SessionCounters {
  std::uint64_t block_version;
  std::uint64_t state;  // core::SessionState; 0: the slot is free, all else means nothing
  std::uint64_t serial;
  std::uint64_t user_id;
  std::uint64_t requests;       // number of the last request taken
  std::uint64_t reports;        // written into the report ring since the client's logon
  std::uint64_t ring_used;      // slots of the report ring that its reader has not given back
  std::uint64_t ring_slots;     // 0: no client
  std::uint64_t backlog_used;   // slots of reports that wait for room, or for the disk
  std::uint64_t backlog_slots;  // a session that needs more is ended
  std::uint64_t flags;          // kSession... bits
  std::uint64_t reserved;       // 0
  char name[core::kSessionNameBytes];  // as the client gave it, filled up with zeros
};

inline constexpr std::uint64_t kSessionCancelOnDisconnect = 1;
inline constexpr std::uint64_t kSessionResumable = 2;

inline constexpr std::size_t kEngineCountersOffset = 128;
inline constexpr std::size_t kSessionCountersOffset = 4096;

#define SHMATCH_FIELD(Block, field, byte, bytes)                                     \
  static_assert(offsetof(Block, field) == (byte) && sizeof(Block::field) == (bytes), \
                #Block "::" #field)

SHMATCH_FIELD(CountersHeader, magic, 0, 8);
SHMATCH_FIELD(CountersHeader, version, 8, 4);
SHMATCH_FIELD(CountersHeader, session_slots, 12, 4);
SHMATCH_FIELD(CountersHeader, started_ns, 16, 8);
SHMATCH_FIELD(CountersHeader, process, 24, 8);
SHMATCH_FIELD(CountersHeader, working_orders_max, 32, 8);
SHMATCH_FIELD(CountersHeader, finished_orders_max, 40, 8);
SHMATCH_FIELD(CountersHeader, durability, 48, 4);
SHMATCH_FIELD(CountersHeader, idle_mode, 52, 4);
SHMATCH_FIELD(CountersHeader, gap_window_ns, 56, 8);
SHMATCH_FIELD(CountersHeader, engine_version, 64, 32);
SHMATCH_FIELD(CountersHeader, price_levels_max, 96, 8);
SHMATCH_FIELD(CountersHeader, reserved, 104, 24);
static_assert(sizeof(CountersHeader) == 128);

SHMATCH_FIELD(EngineCounters, block_version, 0, 8);
SHMATCH_FIELD(EngineCounters, updated_ns, 8, 8);
SHMATCH_FIELD(EngineCounters, status, 16, 8);
SHMATCH_FIELD(EngineCounters, journal_error, 24, 8);
SHMATCH_FIELD(EngineCounters, passes, 32, 8);
SHMATCH_FIELD(EngineCounters, idle_passes, 40, 8);
SHMATCH_FIELD(EngineCounters, requests, 48, 8);
SHMATCH_FIELD(EngineCounters, reports, 56, 8);
SHMATCH_FIELD(EngineCounters, sequence, 64, 8);
SHMATCH_FIELD(EngineCounters, durable, 72, 8);
SHMATCH_FIELD(EngineCounters, working_orders, 80, 8);
SHMATCH_FIELD(EngineCounters, finished_orders, 88, 8);
SHMATCH_FIELD(EngineCounters, trades, 96, 8);
SHMATCH_FIELD(EngineCounters, largest_gap_ns, 104, 8);
SHMATCH_FIELD(EngineCounters, gap_window, 112, 8);
SHMATCH_FIELD(EngineCounters, price_levels, 120, 8);
SHMATCH_FIELD(EngineCounters, window_gaps_ns, 128, 512);
static_assert(sizeof(EngineCounters) == 640);

SHMATCH_FIELD(SessionCounters, block_version, 0, 8);
SHMATCH_FIELD(SessionCounters, state, 8, 8);
SHMATCH_FIELD(SessionCounters, serial, 16, 8);
SHMATCH_FIELD(SessionCounters, user_id, 24, 8);
SHMATCH_FIELD(SessionCounters, requests, 32, 8);
SHMATCH_FIELD(SessionCounters, reports, 40, 8);
SHMATCH_FIELD(SessionCounters, ring_used, 48, 8);
SHMATCH_FIELD(SessionCounters, ring_slots, 56, 8);
SHMATCH_FIELD(SessionCounters, backlog_used, 64, 8);
SHMATCH_FIELD(SessionCounters, backlog_slots, 72, 8);
SHMATCH_FIELD(SessionCounters, flags, 80, 8);
SHMATCH_FIELD(SessionCounters, reserved, 88, 8);
SHMATCH_FIELD(SessionCounters, name, 96, 32);
static_assert(sizeof(SessionCounters) == 128);
#undef SHMATCH_FIELD

static_assert(kEngineCountersOffset + sizeof(EngineCounters) <= kSessionCountersOffset);

// Bytes of the page of an engine with `session_slots` slots, in whole pages of the kernel.
constexpr std::size_t counters_size(std::uint32_t session_slots) noexcept {
  constexpr std::size_t kPage = 4096;
  const std::size_t end = kSessionCountersOffset + session_slots * sizeof(SessionCounters);
  return (end + kPage - 1) / kPage * kPage;
}

}  // namespace shmatch::ipc
