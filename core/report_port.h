// Where the engine's reports go.
//
// A ReportPort lends the memory in which a report is built: what sends it on can have it built
// where it has to be, in a slot of a ring, and copies nothing. A ReportSink is the same for
// everybody else: it gets each report as a whole.
//
// A port has a room ready for each session at any time, where a report of any length can be built;
// asking for it is a load, not a call. A room is laid out as slots of a ring are (ipc/ring.h):
// kSlotWords words of the report, one word that is the port's own, the next kSlotWords words of the
// report, and so on. The engine stores every word of the report's slots and reads none of them
// back.
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
  // Where the next report to `to` is to be built. The engine fills it, then calls send.
  std::uint64_t* room(SessionSlot to) const noexcept { return rooms_[to & mask_]; }
  // The report of `slots` slots (1 to 4) in the room of `to` is complete: type, slots, header and
  // all words. The room for the next one is ready when this returns.
  virtual void send(SessionSlot to, std::uint32_t slots) noexcept = 0;

 protected:
  // The rooms, by session; with `one_for_all` there is one, whoever the report is for. They may
  // change whenever no report is being built.
  ReportPort(std::uint64_t* const* rooms, bool one_for_all) noexcept
      : rooms_(rooms), mask_(one_for_all ? 0 : ~SessionSlot{0}) {}
  ReportPort(const ReportPort&) = delete;
  ReportPort& operator=(const ReportPort&) = delete;
  ~ReportPort() = default;

 private:
  std::uint64_t* const* rooms_;
  SessionSlot mask_;
};

// A whole report to a port.
inline void deliver(ReportPort& port, SessionSlot to, const Report& report) noexcept {
  const std::uint32_t slots = report.slots();
  std::uint64_t* const room = port.room(to);
  for (std::size_t word = 0; word < slots * kSlotWords; ++word) {
    room[room_place(word)] = report.words[word];
  }
  port.send(to, slots);
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
  ReportSink() noexcept : ReportPort(&place_, true) {}
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
