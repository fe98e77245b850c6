// Where the engine's reports go.
//
// A ReportPort lends the memory in which a report is built: what sends it on can have it built
// where it has to be, in a slot of a ring, and copies nothing. A ReportSink is the same for
// everybody else: it gets each report as a whole.
//
// A room is laid out as slots of a ring are (ipc/ring.h): kSlotWords words of the report, one word
// that is the port's own, the next kSlotWords words of the report, and so on. A report of any
// length has room. The engine stores every word of the report's slots and reads none of them back.
//
// Called on the engine's thread, during an input; must not call the engine back.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/message.h"

namespace shmatch::core {

// From one slot's first word to the next one's, in a room.
inline constexpr std::size_t kRoomStride = kSlotWords + 1;
inline constexpr std::size_t kRoomWordsMax = kRoomStride * kSlotsPerMessageMax;

// Where word `word` of a report is, in a room.
constexpr std::size_t room_place(std::size_t word) noexcept { return word + word / kSlotWords; }

class ReportPort {
 public:
  // Where the next report, to `to`, is to be built. The engine fills it, then calls send.
  std::uint64_t* room(SessionSlot to) noexcept {
    std::uint64_t* const ready = ready_[to & for_each_session_];
    return ready != nullptr ? ready : room_for(to);
  }
  // The report of `slots` slots (1 to 4) in the room that was asked for last is complete: type,
  // slots, header and all words.
  virtual void send(SessionSlot to, std::uint32_t slots) noexcept = 0;

 protected:
  // A port that has the next room ready at any time, whoever the report will be for: asking is a
  // load then, not a call.
  explicit ReportPort(std::uint64_t* const* ready) noexcept : ready_(ready) {}
  // A port that is asked for each room, by room_for, unless it calls one of the next two.
  ReportPort() noexcept : ready_(&kNone) {}
  // From now on it is as the first kind.
  void have_room(std::uint64_t* const* ready) noexcept { ready_ = ready; }
  // From now on it has rooms ready by session, `ready` by slot; where that is null, it is asked.
  void have_rooms(std::uint64_t* const* ready) noexcept {
    ready_ = ready;
    for_each_session_ = ~SessionSlot{0};
  }
  ReportPort(const ReportPort&) = delete;
  ReportPort& operator=(const ReportPort&) = delete;
  ~ReportPort() = default;

 private:
  virtual std::uint64_t* room_for(SessionSlot) noexcept { return *ready_; }

  static constexpr std::uint64_t* kNone = nullptr;
  std::uint64_t* const* ready_;
  SessionSlot for_each_session_ = 0;  // all bits set where there is one for each
};

// A whole report, into a room.
inline void build(const Report& report, std::uint64_t* room) noexcept {
  for (std::size_t word = 0; word < report.slots() * kSlotWords; ++word) {
    room[room_place(word)] = report.words[word];
  }
}

// A whole report to a port.
inline void deliver(ReportPort& port, SessionSlot to, const Report& report) noexcept {
  build(report, port.room(to));
  port.send(to, report.slots());
}

// What a room holds, as a whole report.
inline void read_room(const std::uint64_t* room, std::uint32_t slots, Report& report) noexcept {
  for (std::size_t word = 0; word < slots * kSlotWords; ++word) {
    // Word by word: see copy_words.
    std::uint64_t value = room[room_place(word)];
    asm("" : "+r"(value));
    report.words[word] = value;
  }
}

class ReportSink : public ReportPort {
 public:
  // `report` is complete (type, slots, header) and only valid during the call.
  virtual void deliver(SessionSlot to, const Report& report) noexcept = 0;

 protected:
  ReportSink() noexcept : ReportPort(&place_) {}
  ~ReportSink() = default;

 private:
  void send(SessionSlot to, std::uint32_t slots) noexcept final {
    Report report;
    read_room(room_, slots, report);
    deliver(to, report);
  }

  alignas(64) std::uint64_t room_[kRoomWordsMax] = {};
  std::uint64_t* place_ = room_;
};

}  // namespace shmatch::core
