// Hints to the processor about requests that will be applied soon. Orders lie all over hundreds of
// megabytes; whoever knows what comes (a replay, an engine with many requests waiting in a ring)
// can have each of them fetched while earlier ones are applied, instead of waiting for one after
// the other.
//
// Hints change nothing, and whatever a message holds they are harmless: it may be memory that a
// client writes. Thread: the engine's.
#pragma once

#include <cstdint>

#include "core/input_record.h"
#include "core/matching_engine.h"

namespace shmatch::core {

class LookAhead {
 public:
  // Requests between a hint and its use, at best.
  static constexpr std::uint32_t kFar = 20;
  static constexpr std::uint32_t kNear = 10;
  // Words that a message must have to be read.
  static constexpr std::uint32_t kMessageWords = sizeof(NewOrder) / sizeof(std::uint64_t);

  // `engine` must outlive it.
  explicit LookAhead(const MatchingEngine& engine) noexcept : state_(*engine.state_) {
    for (Index& level : levels_) level = kNoIndex;
  }

  // Whether hints are worth their time: what few orders need is in the cache anyway.
  bool worthwhile() const noexcept;
  // For the request that is kFar requests away: what it names.
  void far(const std::uint64_t* message) noexcept;
  // For the request that is kNear requests away, after far: where what it names leads to.
  void near(const std::uint64_t* message) noexcept;

  // The same for inputs of any kind, whose records have no fault of form (core/input_record.h).
  void far_input(const std::uint64_t* words) noexcept {
    if (input_kind(words[0]) == InputKind::kRequest) far(words + kInputRequestWords);
  }
  void near_input(const std::uint64_t* words) noexcept {
    if (input_kind(words[0]) == InputKind::kRequest) near(words + kInputRequestWords);
  }
  // The same for records that nobody has looked at, as far as they are worthwhile.
  void far_record(const std::uint64_t* words) noexcept {
    if (worthwhile() && is_whole_request(words)) far(words + kInputRequestWords);
  }
  void near_record(const std::uint64_t* words) noexcept {
    if (worthwhile() && is_whole_request(words)) near(words + kInputRequestWords);
  }

 private:
  // CancelOrder is shorter, and nothing is read behind it.
  static bool is_whole_request(const std::uint64_t* words) noexcept {
    if (input_kind(words[0]) != InputKind::kRequest) return false;
    const std::uint32_t size = input_words(words[0]);
    const bool cancels =
        size > kInputRequestWords &&
        (words[kInputRequestWords] & 0xFF) == static_cast<std::uint64_t>(RequestType::kCancelOrder);
    return size >= kInputRequestWords +
                       (cancels ? sizeof(CancelOrder) / sizeof(std::uint64_t) : kMessageWords);
  }
  [[gnu::noinline]] void far_without_order_id(const std::uint64_t* message) const noexcept;
  [[gnu::noinline]] void near_without_order_id(const std::uint64_t* message) noexcept;
  void prefetch_order(Index slot) const noexcept;
  void follow_level(const std::uint64_t* message) noexcept;

  // Requests between a hint of the level that an order will join and one of the order at its end.
  static constexpr std::uint32_t kTailDelay = kNear / 2;

  const MatchingEngine::State& state_;
  Index levels_[kTailDelay];
  std::uint32_t next_level_ = 0;
};

}  // namespace shmatch::core
