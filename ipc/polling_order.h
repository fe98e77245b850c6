// PollingOrder: which sessions the engine looks at in a pass, so that many idle ones cost a busy
// one little.
//
// What one look reads lies side by side, apart from the sessions: where the next request's sequence
// word will appear, and the number that it has to exceed. Sessions that were active lately are
// looked at in each pass; of the others, kIdleStep in turn.
//
// Fairness. A request of an active session is found in the next pass; one of an idle session within
// ceil((i + f) / kIdleStep) passes, i being the most idle ones there were meanwhile and f the
// number of them that were found. A pass visits at most the active ones and kIdleStep more. Whoever
// is found is active from then on. When a session ends, another one takes its place in the order,
// whose turn may come one round later. Tests: PollingOrderTest.*.
//
// Member is what is polled (ipc::Session):
//   next_request()  where its next request's sequence word will be
//   last_request()  the number that this word exceeds when it is there
//   attention()     it wants a visit whatever its ring says
//   place           a std::uint32_t that is this class's
//
// Thread: the engine's, once built. No call but the constructor allocates. Members are not owned.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/check.h"
#include "ipc/ring.h"

namespace shmatch::ipc {

template <class Member>
class PollingOrder {
 public:
  static constexpr std::size_t kIdleStep = 8;
  // So many sessions are looked at in each pass in any case.
  static constexpr std::size_t kAlwaysPolled = 8;
  // A session is idle after so many calls of `tidy` without a request.
  static constexpr std::uint32_t kIdleAfter = 16;

  explicit PollingOrder(std::size_t capacity) {
    spots_.reserve(capacity);
    idle_for_.reserve(capacity);
  }

  // Not more than the capacity, and none twice. It counts as active.
  void add(Member& member) {
    SHMATCH_CHECK(spots_.size() < spots_.capacity());
    member.place = static_cast<std::uint32_t>(spots_.size());
    spots_.push_back(Spot{nullptr, 0, &member});
    idle_for_.push_back(0);
    renew(member);
    activate(member.place);
  }

  void remove(Member& member) noexcept {
    std::size_t place = member.place;
    if (place < active_) {
      swap(place, --active_);
      place = active_;
    }
    swap(place, spots_.size() - 1);
    spots_.pop_back();
    idle_for_.pop_back();
  }

  // What a look compares has changed: after each visit, and when attention() has become true.
  void renew(const Member& member) noexcept {
    static constexpr std::uint64_t kAlways = ~std::uint64_t{0};
    Spot& spot = spots_[member.place];
    const bool attention = member.attention();
    spot.next_request = attention ? &kAlways : member.next_request();
    spot.last_request = attention ? 0 : member.last_request();
    if (attention) activate(member.place);
  }

  // One pass: calls visit(member), which may remove members, for each one looked at that wants it.
  // visit returns the number of requests taken; the sum is returned.
  template <class Visit>
  std::uint32_t pass(Visit visit) {
    std::uint32_t done = 0;
    for (std::size_t place = 0; place < active_; ++place) {
      if (wants_visit(place)) done += found(place, visit);
    }
    // From here on `active_` may grow: idle ones that are found join at its end.
    for (std::size_t step = std::min(kIdleStep, spots_.size() - active_); step > 0; --step) {
      if (cursor_ < active_ || cursor_ >= spots_.size()) cursor_ = active_;
      if (cursor_ >= spots_.size()) break;
      const std::size_t place = cursor_++;
      if (!wants_visit(place)) continue;
      done += found(place, visit);
      // Another idle one has its place now, whose turn would be over.
      cursor_ = place;
    }
    return done;
  }

  // Now and then: those that had no request for a while become idle.
  void tidy() noexcept {
    for (std::size_t place = active_; place > 0 && active_ > kAlwaysPolled; --place) {
      if (++idle_for_[place - 1] <= kIdleAfter || spots_[place - 1].member->attention()) continue;
      swap(place - 1, --active_);
    }
  }

  std::size_t size() const noexcept { return spots_.size(); }
  std::size_t active() const noexcept { return active_; }
  Member& operator[](std::size_t place) const noexcept { return *spots_[place].member; }

 private:
  struct Spot {
    const std::uint64_t* next_request;
    std::uint64_t last_request;
    Member* member;
  };

  bool wants_visit(std::size_t place) const noexcept {
    const Spot& spot = spots_[place];
    return load_word(*spot.next_request, std::memory_order_relaxed) > spot.last_request;
  }

  template <class Visit>
  std::uint32_t found(std::size_t place, Visit& visit) {
    Member& member = *spots_[place].member;
    activate(place);
    const std::uint32_t taken = visit(member);
    // Visits end sessions, also others than the visited one.
    if (member.place < spots_.size() && spots_[member.place].member == &member) renew(member);
    return taken;
  }

  void activate(std::size_t place) noexcept {
    idle_for_[place] = 0;
    if (place < active_) return;
    swap(place, active_++);
  }

  void swap(std::size_t a, std::size_t b) noexcept {
    std::swap(spots_[a], spots_[b]);
    std::swap(idle_for_[a], idle_for_[b]);
    spots_[a].member->place = static_cast<std::uint32_t>(a);
    spots_[b].member->place = static_cast<std::uint32_t>(b);
  }

  std::vector<Spot> spots_;              // the active ones first
  std::vector<std::uint32_t> idle_for_;  // by place: calls of tidy since its last request
  std::size_t active_ = 0;
  std::size_t cursor_ = 0;  // the idle one to be looked at next
};

}  // namespace shmatch::ipc
