// The packets on a session's Unix socket. They open a session and say why it ended; orders never
// travel here.
//
//   client                                engine
//   LogonRequest                     ->
//                                    <-   LogonOffer with three descriptors, or Farewell
//   Confirm (memory is mapped)       ->
//                                    <-   Serving (the rings are polled from now on), or Farewell
//                                    <-   Farewell, when the engine ends the session
//
//   WatchRequest                     ->
//                                    <-   WatchOffer with two descriptors, or Farewell
//
// The descriptors are those of the requests memory, the reports memory and the reference data.
// After Confirm a client sends nothing more; whatever it sends ends its session. Closing the socket
// logs off. Whoever only watches the engine's counters needs no session: it gets the page of
// counters (ipc/counters_layout.h) and the reference data, and keeps the socket to see the end. One
// packet is one SOCK_SEQPACKET record of exactly the size below, little-endian, padding zero; texts
// are filled up with zeros. What has another size, magic or type is hostile or broken: the engine
// closes. The first 8 bytes and all of Farewell keep their meaning in every protocol version, so
// that a client of another version can print why it was refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "core/types.h"

namespace shmatch::ipc {

inline constexpr std::uint32_t kPacketMagic = 0x4C4D'4853;  // "SHML"
inline constexpr std::uint16_t kProtocolVersion = 2;

enum class PacketType : std::uint16_t {
  kLogonRequest = 1,
  kLogonOffer = 2,
  kConfirm = 3,
  kServing = 4,
  kFarewell = 5,
  kWatchRequest = 6,
  kWatchOffer = 7,
};

struct PacketHeader {
  std::uint32_t magic = kPacketMagic;
  std::uint16_t version = kProtocolVersion;
  PacketType type{};
};

// Why a logon was refused or a session ended.
enum class FarewellReason : std::uint32_t {
  kUidNotConfigured = 1,
  kUserNotAllowed = 2,  // the user exists, but this uid may not be it
  kUnknownUser = 3,
  kWrongVersion = 4,
  kSessionsFull = 5,
  kBadRingSize = 6,
  kNoMemory = 7,
  kStopping = 8,
  kTooManyLogons = 9,  // this uid has too many logons under way
  kNoPeerIdentity = 10,
  kSessionInUse = 11,    // a client has the session of this user and name, or it must be resumed
  kNotResumable = 12,    // that session has ended just now and is being tidied up: try again
  kBadSessionName = 13,  // a resumable session needs a name
  kJournalFailed = 14,   // nobody can log on until the engine is started again
  kTooManyWatchers = 15,
  kSlowReader = 20,
  kBreach = 21,
};

inline constexpr std::uint32_t kLogonCancelOnDisconnect = 1;
inline constexpr std::uint32_t kLogonWholeObjects = 2;
inline constexpr std::uint32_t kLogonAllAccounts = 4;
// The session outlives its client and the engine, and is known by its user and name.
inline constexpr std::uint32_t kLogonResumable = 8;
// Goes on with that session if the engine knows it, else opens it. Implies kLogonResumable.
inline constexpr std::uint32_t kLogonResume = 16;
inline constexpr std::uint32_t kLogonFlagsAll = 31;

// Of users and sessions: at most 31 characters and a zero.
inline constexpr std::size_t kNameBytes = core::kSessionNameBytes;
inline constexpr std::size_t kSentenceBytes = 240;  // at most 239 characters and a zero

struct LogonRequest {
  static constexpr PacketType kType = PacketType::kLogonRequest;
  PacketHeader header;
  std::uint32_t flags = 0;  // kLogon... bits
  std::uint32_t request_slots = 0;
  std::uint32_t report_slots = 0;
  // Resume: reports before (sequence, ordinal) are known to the client; (0, 0): none.
  std::uint32_t seen_ordinal = 0;
  core::Sequence seen_sequence = 0;
  core::EngineRun seen_run;    // Serving::run of the session in which that was seen
  char user[kNameBytes] = {};  // empty: the first user that this uid may be
  char session_name[kNameBytes] = {};
};

struct LogonOffer {
  static constexpr PacketType kType = PacketType::kLogonOffer;
  PacketHeader header;
  core::UserId user_id = 0;
  std::uint64_t requests_size = 0;  // bytes of each memory
  std::uint64_t reports_size = 0;
  std::uint64_t reference_size = 0;
  std::uint32_t request_slots = 0;
  std::uint32_t report_slots = 0;
  std::uint32_t first_slot_offset = 0;  // bytes from the start, in both memories
  std::uint32_t permissions = 0;        // core::kPermission... bits
  char user[kNameBytes] = {};
};

struct Confirm {
  static constexpr PacketType kType = PacketType::kConfirm;
  PacketHeader header;
};

struct Serving {
  static constexpr PacketType kType = PacketType::kServing;
  PacketHeader header;
  core::SessionSerial serial = 0;
  std::uint32_t resumed = 0;  // 1 when an earlier session goes on: Resumed is the first report
  // Not 0 when the engine has lost inputs that this client has seen reports of (durability async):
  // reports from this sequence on that it saw before never were.
  core::Sequence lost_from = 0;
  core::EngineRun run;  // the present one: whoever resumes says in which run it has seen its mark
};

struct Farewell {
  static constexpr PacketType kType = PacketType::kFarewell;
  PacketHeader header;
  FarewellReason reason{};
  std::uint32_t reserved = 0;
  char sentence[kSentenceBytes] = {};
};

struct WatchRequest {
  static constexpr PacketType kType = PacketType::kWatchRequest;
  PacketHeader header;
};

struct WatchOffer {
  static constexpr PacketType kType = PacketType::kWatchOffer;
  PacketHeader header;
  std::uint64_t counters_size = 0;  // bytes of each memory
  std::uint64_t reference_size = 0;
};

static_assert(sizeof(PacketHeader) == 8 && offsetof(PacketHeader, type) == 6);
static_assert(sizeof(LogonRequest) == 112 && offsetof(LogonRequest, flags) == 8);
static_assert(offsetof(LogonRequest, request_slots) == 12 &&
              offsetof(LogonRequest, report_slots) == 16);
static_assert(offsetof(LogonRequest, seen_ordinal) == 20 &&
              offsetof(LogonRequest, seen_sequence) == 24);
static_assert(offsetof(LogonRequest, seen_run) == 32 && offsetof(LogonRequest, user) == 48);
static_assert(offsetof(LogonRequest, session_name) == 80);
static_assert(sizeof(LogonOffer) == 88 && offsetof(LogonOffer, user_id) == 8);
static_assert(offsetof(LogonOffer, request_slots) == 40 && offsetof(LogonOffer, user) == 56);
static_assert(sizeof(Confirm) == 8);
static_assert(sizeof(Serving) == 40 && offsetof(Serving, serial) == 8);
static_assert(offsetof(Serving, resumed) == 12 && offsetof(Serving, lost_from) == 16);
static_assert(offsetof(Serving, run) == 24);
static_assert(sizeof(Farewell) == 256 && offsetof(Farewell, reason) == 8);
static_assert(offsetof(Farewell, sentence) == 16);
static_assert(sizeof(WatchRequest) == 8);
static_assert(sizeof(WatchOffer) == 24 && offsetof(WatchOffer, counters_size) == 8);
static_assert(offsetof(WatchOffer, reference_size) == 16);

inline constexpr std::size_t kPacketBytesMax = sizeof(Farewell);

// Copies `text` to a packet's field, cut to fit with its terminating zero.
template <std::size_t Size>
void set_text(char (&field)[Size], std::string_view text) noexcept {
  const std::size_t count = text.size() < Size ? text.size() : Size - 1;
  for (std::size_t i = 0; i < Size; ++i) field[i] = i < count ? text[i] : '\0';
}

// The text in a packet's field, which need not be terminated.
template <std::size_t Size>
std::string_view get_text(const char (&field)[Size]) noexcept {
  std::size_t count = 0;
  while (count < Size && field[count] != '\0') ++count;
  return {field, count};
}

}  // namespace shmatch::ipc
