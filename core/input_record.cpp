#include "core/input_record.h"

#include <algorithm>
#include <cstring>

#include "core/session_table.h"

namespace shmatch::core {
namespace {

constexpr std::uint32_t kNameWords = kSessionNameBytes / sizeof(std::uint64_t);
constexpr std::uint32_t kLogonWords = kInputHeaderWords + 2 + kNameWords;

constexpr const char* kSlotTaken = "a session logs on in a slot that is not free";

// Words of a request that is an input, without its slots' padding; 0 for any other.
std::uint32_t request_words(RequestType type) noexcept {
  switch (type) {
    case RequestType::kCancelOrder:
      return sizeof(CancelOrder) / sizeof(std::uint64_t);
    case RequestType::kNewOrder:
      return sizeof(NewOrder) / sizeof(std::uint64_t);
    default:
      return 0;
  }
}

std::uint32_t put_header(std::uint64_t* words, InputKind kind, std::uint32_t count,
                         SessionSlot slot, TimeNs now) noexcept {
  words[0] = input_first_word(kind, count, slot);
  words[1] = static_cast<std::uint64_t>(now);
  return count;
}

std::uint32_t put_bare(std::uint64_t* words, InputKind kind, SessionSlot slot,
                       TimeNs now) noexcept {
  return put_header(words, kind, kInputHeaderWords, slot, now);
}

// How many words a record of this kind has; 0 when there is no such kind. `words` holds as many as
// its first word says.
std::uint32_t words_of_kind(const std::uint64_t* words) noexcept {
  switch (input_kind(words[0])) {
    case InputKind::kLogon:
      return kLogonWords;
    case InputKind::kRequest: {
      if (input_words(words[0]) <= kInputRequestWords) return 0;
      const std::uint32_t count =
          request_words(static_cast<RequestType>(words[kInputRequestWords] & 0xFF));
      return count == 0 ? 0 : kInputRequestWords + count;
    }
    case InputKind::kStopAccepting:
    case InputKind::kResume:
      return kInputHeaderWords + 1;
    case InputKind::kEndSession:
    case InputKind::kSweep:
    case InputKind::kRestart:
    case InputKind::kForgetSession:
      return kInputHeaderWords;
    case InputKind::kNone:
      break;
  }
  return 0;
}

bool names_slot(InputKind kind) noexcept {
  return kind != InputKind::kSweep && kind != InputKind::kStopAccepting &&
         kind != InputKind::kRestart;
}

const char* find_logon_form_fault(const std::uint64_t* words) noexcept {
  if (words[3] > kLogonFlagsAll) return "a logon has unknown flags";
  if (!valid_name(decode_logon(words))) return "a logon has a session name that is none";
  return nullptr;
}

const char* find_logon_fault(const MatchingEngine& engine, const std::uint64_t* words) noexcept {
  if (!engine.slot_free(input_slot(words[0]))) return kSlotTaken;
  const Logon logon = decode_logon(words);
  if (!engine.user_configured(logon.user_id)) return "a session logs on for an unknown user";
  if (logon.resumable &&
      engine.find_resumable(logon.user_id, logon.name) != engine.session_capacity()) {
    return "a resumable session logs on with the name of another one";
  }
  return nullptr;
}

const char* find_request_fault(const MatchingEngine& engine, const std::uint64_t* words) noexcept {
  const SessionSlot slot = input_slot(words[0]);
  if (!engine.session_open(slot)) return "a request comes from a session that is not open";
  if (request_number(words) <= engine.last_request(slot)) {
    return "a request has a number that is not above the one before";
  }
  return nullptr;
}

const char* find_session_fault(const MatchingEngine& engine, const std::uint64_t* words) noexcept {
  const SessionView session = engine.session(input_slot(words[0]));
  const bool open = session.state == SessionState::kOpen;
  const bool orphaned = session.state == SessionState::kOrphaned;
  const bool detached = session.state == SessionState::kDetached;
  switch (input_kind(words[0])) {
    case InputKind::kEndSession:
      return open || orphaned ? nullptr : "a session ends that is neither open nor orphaned";
    case InputKind::kResume:
      if (!session.logon.resumable || !(orphaned || detached)) {
        return "a session is resumed that cannot be";
      }
      return nullptr;
    case InputKind::kForgetSession:
      return detached ? nullptr : "a session is forgotten that is not detached";
    default:
      return nullptr;
  }
}

}  // namespace

std::uint32_t encode_logon(std::uint64_t* words, SessionSlot slot, const Logon& logon,
                           TimeNs now) noexcept {
  words[2] = static_cast<std::uint64_t>(logon.user_id);
  words[3] = logon_flags(logon);
  std::memcpy(words + 4, logon.name, kSessionNameBytes);
  return put_header(words, InputKind::kLogon, kLogonWords, slot, now);
}

std::uint32_t encode_end_session(std::uint64_t* words, SessionSlot slot, TimeNs now) noexcept {
  return put_bare(words, InputKind::kEndSession, slot, now);
}

std::uint32_t encode_sweep(std::uint64_t* words, TimeNs now) noexcept {
  return put_bare(words, InputKind::kSweep, 0, now);
}

std::uint32_t encode_stop_accepting(std::uint64_t* words, Detail why, TimeNs now) noexcept {
  words[2] = static_cast<std::uint64_t>(why);
  return put_header(words, InputKind::kStopAccepting, kInputHeaderWords + 1, 0, now);
}

std::uint32_t encode_restart(std::uint64_t* words, TimeNs now) noexcept {
  return put_bare(words, InputKind::kRestart, 0, now);
}

std::uint32_t encode_resume(std::uint64_t* words, SessionSlot slot, const Logon& logon,
                            TimeNs now) noexcept {
  words[2] = logon_flags(logon) & kResumeFlagsAll;
  return put_header(words, InputKind::kResume, kInputHeaderWords + 1, slot, now);
}

std::uint32_t encode_forget_session(std::uint64_t* words, SessionSlot slot, TimeNs now) noexcept {
  return put_bare(words, InputKind::kForgetSession, slot, now);
}

Logon decode_logon(const std::uint64_t* words) noexcept {
  if (input_kind(words[0]) == InputKind::kResume) {
    return logon_of(static_cast<std::uint32_t>(words[2]));
  }
  Logon logon = logon_of(static_cast<std::uint32_t>(words[3]));
  logon.user_id = static_cast<UserId>(words[2]);
  std::memcpy(logon.name, words + 4, kSessionNameBytes);
  return logon;
}

Request decode_request(const std::uint64_t* words) noexcept {
  Request request;
  const std::uint64_t* const message = words + kInputRequestWords;
  // Two lengths that the compiler knows, instead of any.
  const auto copy = [&](std::size_t count) noexcept {
    for (std::size_t i = 0; i < count; ++i) request.words[i] = message[i];
  };
  if ((message[0] & 0xFF) == static_cast<std::uint64_t>(RequestType::kCancelOrder)) {
    copy(sizeof(CancelOrder) / sizeof(std::uint64_t));
  } else {
    copy(sizeof(NewOrder) / sizeof(std::uint64_t));
  }
  return request;
}

const char* find_form_fault(const std::uint64_t* words, std::uint32_t word_count) noexcept {
  if (word_count < kInputHeaderWords || input_words(words[0]) != word_count) {
    return "a record has another length than it says";
  }
  const InputKind kind = input_kind(words[0]);
  if (words_of_kind(words) != word_count) return "a record is of an unknown kind or length";
  if ((words[0] >> 16 & 0xFFFF) != 0 || (!names_slot(kind) && input_slot(words[0]) != 0)) {
    return "a record has bits set that must be zero";
  }
  if (words[1] >= static_cast<std::uint64_t>(kTimeEnd)) return "a record's time is out of range";
  switch (kind) {
    case InputKind::kLogon:
      return find_logon_form_fault(words);
    case InputKind::kRequest:
      return well_formed(words + kInputRequestWords) ? nullptr : "a request is malformed";
    case InputKind::kStopAccepting:
      if (words[2] == static_cast<std::uint64_t>(Detail::kStopping) ||
          words[2] == static_cast<std::uint64_t>(Detail::kJournalFailed)) {
        return nullptr;
      }
      return "the engine stops for an unknown reason";
    case InputKind::kResume:
      return words[2] <= kResumeFlagsAll ? nullptr : "a resume has unknown flags";
    default:
      return nullptr;
  }
}

const char* find_fault(const MatchingEngine& engine, const std::uint64_t* words,
                       std::uint32_t word_count) noexcept {
  const char* const fault = find_form_fault(words, word_count);
  return fault != nullptr ? fault : find_state_fault(engine, words);
}

const char* find_state_fault(const MatchingEngine& engine, const std::uint64_t* words) noexcept {
  switch (input_kind(words[0])) {
    case InputKind::kRequest:
      return find_request_fault(engine, words);
    case InputKind::kLogon:
      return find_logon_fault(engine, words);
    case InputKind::kSweep:
      return engine.sweeping() ? nullptr : "a sweep finds nothing to do";
    case InputKind::kStopAccepting:
    case InputKind::kRestart:
      return nullptr;
    default:
      return find_session_fault(engine, words);
  }
}

void apply(MatchingEngine& engine, const std::uint64_t* words) noexcept {
  const SessionSlot slot = input_slot(words[0]);
  const auto now = static_cast<TimeNs>(words[1]);
  switch (input_kind(words[0])) {
    case InputKind::kLogon:
      engine.logon(slot, decode_logon(words), now);
      return;
    case InputKind::kRequest:
      return engine.request(slot, request_number(words), words + kInputRequestWords, now);
    case InputKind::kEndSession:
      return engine.end_session(slot, now);
    case InputKind::kSweep:
      SHMATCH_CHECK(engine.sweep(now));
      return;
    case InputKind::kStopAccepting:
      return engine.stop_accepting(stop_reason(words), now);
    case InputKind::kRestart:
      return engine.restart(now);
    case InputKind::kResume:
      return engine.resume(slot, decode_logon(words), now);
    case InputKind::kForgetSession:
      return engine.forget_session(slot, now);
    case InputKind::kNone:
      break;
  }
  check_failed("a record without fault", __FILE__, __LINE__);
}

const char* try_apply(MatchingEngine& engine, const std::uint64_t* words) noexcept {
  // Nearly all records are requests: these skip the choice by kind, which both halves make.
  const bool request = input_kind(words[0]) == InputKind::kRequest;
  const char* const fault =
      request ? find_request_fault(engine, words) : find_state_fault(engine, words);
  if (fault != nullptr) return fault;
  if (!request) {
    apply(engine, words);
  } else {
    engine.request(input_slot(words[0]), request_number(words), words + kInputRequestWords,
                   static_cast<TimeNs>(words[1]));
  }
  return nullptr;
}

}  // namespace shmatch::core
