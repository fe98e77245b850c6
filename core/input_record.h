// One input of the engine as the journal keeps it: everything that changes the state, in 64-bit
// little-endian words.
//
//   word 0   kind (8 bits) | words of the record (8) | 0 (16) | session slot (32)
//   word 1   time, nanoseconds since 1970
//   then by kind:
//     logon            2 user id   3 flags   4..7 session name, 32 bytes, filled up with zeros
//     request          2 request sequence    3.. the request's words, whole message without padding
//     end_session      -
//     sweep            -            (slot 0)
//     stop_accepting   2 Detail     (slot 0)
//     restart          -            (slot 0)
//     resume           2 flags      (never resumable: it is)
//     forget_session   -
//
//   flags: 1 cancel on disconnect, 2 whole objects, 4 all accounts, 8 resumable
//
// A record's engine sequence number is not in it: records are consecutive, and whoever stores them
// knows the first. Equal records applied to equal states give byte-equal reports.
//
// Thread: pure functions, but for apply and try_apply, which are inputs of their engine.
#pragma once

#include <cstdint>

#include "core/matching_engine.h"
#include "core/message.h"

namespace shmatch::core {

enum class InputKind : std::uint8_t {
  kNone = 0,
  kLogon = 1,
  kRequest = 2,
  kEndSession = 3,
  kSweep = 4,
  kStopAccepting = 5,
  kRestart = 6,
  kResume = 7,
  kForgetSession = 8,
};

inline constexpr std::uint32_t kInputHeaderWords = 2;
inline constexpr std::uint32_t kInputRequestWords = kInputHeaderWords + 1;  // before the message
inline constexpr std::uint32_t kInputRecordWordsMax = kInputRequestWords + kMessageWordsMax;

// Number of words of a record, from its first word; 0 when that is no record.
constexpr std::uint32_t input_words(std::uint64_t first_word) noexcept {
  const auto words = static_cast<std::uint32_t>((first_word >> 8) & 0xFF);
  return words >= kInputHeaderWords && words <= kInputRecordWordsMax ? words : 0;
}
constexpr InputKind input_kind(std::uint64_t first_word) noexcept {
  return static_cast<InputKind>(first_word & 0xFF);
}
constexpr SessionSlot input_slot(std::uint64_t first_word) noexcept {
  return static_cast<SessionSlot>(first_word >> 32);
}
constexpr std::uint64_t input_first_word(InputKind kind, std::uint32_t words,
                                         SessionSlot slot) noexcept {
  return static_cast<std::uint64_t>(kind) | (std::uint64_t{words} << 8) |
         (std::uint64_t{slot} << 32);
}

// The flags of a logon as records and exported states have them. logon_of ignores other bits.
inline constexpr std::uint32_t kLogonFlagsAll = 15;
inline constexpr std::uint32_t kResumeFlagsAll = 7;
constexpr std::uint32_t logon_flags(const Logon& logon) noexcept {
  return (logon.cancel_on_disconnect ? 1U : 0U) | (logon.whole_objects ? 2U : 0U) |
         (logon.all_accounts ? 4U : 0U) | (logon.resumable ? 8U : 0U);
}
constexpr Logon logon_of(std::uint32_t flags) noexcept {
  return {.cancel_on_disconnect = (flags & 1) != 0,
          .whole_objects = (flags & 2) != 0,
          .all_accounts = (flags & 4) != 0,
          .resumable = (flags & 8) != 0};
}

// True for the requests that take a sequence number: SendOrder and CancelOrder. Queries do not.
inline bool is_input(const Request& request) noexcept {
  return request.is<CancelOrder>() || request.is<NewOrder>();
}

// Each encode_ writes one record to `words` (room for kInputRecordWordsMax) and returns its length.
std::uint32_t encode_logon(std::uint64_t* words, SessionSlot slot, const Logon& logon,
                           TimeNs now) noexcept;
std::uint32_t encode_end_session(std::uint64_t* words, SessionSlot slot, TimeNs now) noexcept;
std::uint32_t encode_sweep(std::uint64_t* words, TimeNs now) noexcept;
std::uint32_t encode_stop_accepting(std::uint64_t* words, Detail why, TimeNs now) noexcept;
std::uint32_t encode_restart(std::uint64_t* words, TimeNs now) noexcept;
std::uint32_t encode_resume(std::uint64_t* words, SessionSlot slot, const Logon& logon,
                            TimeNs now) noexcept;
std::uint32_t encode_forget_session(std::uint64_t* words, SessionSlot slot, TimeNs now) noexcept;
// Only for requests that are inputs. Inline: the engine's thread does this for each of them.
inline std::uint32_t encode_request(std::uint64_t* words, SessionSlot slot,
                                    Sequence request_sequence, const Request& request,
                                    TimeNs now) noexcept {
  const auto put = [&](std::uint32_t message_words) noexcept {
    const std::uint32_t count = kInputRequestWords + message_words;
    words[0] = input_first_word(InputKind::kRequest, count, slot);
    words[1] = static_cast<std::uint64_t>(now);
    words[2] = request_sequence;
    for (std::uint32_t i = 0; i < message_words; ++i) {
      words[kInputRequestWords + i] = request.words[i];
    }
    return count;
  };
  if (request.is<CancelOrder>()) return put(sizeof(CancelOrder) / sizeof(std::uint64_t));
  return put(sizeof(NewOrder) / sizeof(std::uint64_t));
}

// What a record without fault (find_form_fault) says. Of a resume's Logon only the three flags
// count that resume() takes.
Logon decode_logon(const std::uint64_t* words) noexcept;  // of logon and resume
Request decode_request(const std::uint64_t* words) noexcept;
constexpr Sequence request_number(const std::uint64_t* words) noexcept { return words[2]; }
constexpr Detail stop_reason(const std::uint64_t* words) noexcept {
  return static_cast<Detail>(words[2]);
}

// Times are below this bound, so that adding any configured interval to one cannot overflow.
inline constexpr TimeNs kTimeEnd = TimeNs{1} << 62;

// Why the words are no record at all, whatever the engine's state; null when they are one. They are
// believed nothing.
const char* find_form_fault(const std::uint64_t* words, std::uint32_t word_count) noexcept;

// Why a record without fault of form cannot be applied to an engine in its present state; null when
// it can.
const char* find_state_fault(const MatchingEngine& engine, const std::uint64_t* words) noexcept;

// Both: why the words are no record, or one that cannot be applied. A journal that passes its
// checksums and still holds such a record was written by another program or for another state:
// stop, and show the sentence.
const char* find_fault(const MatchingEngine& engine, const std::uint64_t* words,
                       std::uint32_t word_count) noexcept;

// Applies a record without fault. Takes exactly one engine sequence number.
void apply(MatchingEngine& engine, const std::uint64_t* words) noexcept;

// find_state_fault, and apply if there is none: for whoever does nothing in between.
const char* try_apply(MatchingEngine& engine, const std::uint64_t* words) noexcept;

}  // namespace shmatch::core
