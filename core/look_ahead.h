// Hints to the processor about records that will be applied soon. Orders lie all over hundreds of
// megabytes; a replay that knows what comes can have each of them fetched while earlier records are
// applied, instead of waiting for one after the other.
//
// Hints change nothing, and whatever a record holds they are harmless. Thread: the engine's.
#pragma once

#include <cstdint>

#include "core/input_record.h"
#include "core/matching_engine.h"

namespace shmatch::core {

class LookAhead {
 public:
  // Records between a hint and its use, at best.
  static constexpr std::uint32_t kFar = 20;
  static constexpr std::uint32_t kNear = 10;

  // `engine` must outlive it.
  explicit LookAhead(const MatchingEngine& engine) noexcept : state_(*engine.state_) {}

  // For the record that is kFar records away: what it names.
  void far(const std::uint64_t* words) noexcept;
  // For the record that is kNear records away: where what it names leads to.
  void near(const std::uint64_t* words) noexcept;

 private:
  void follow_forgotten() noexcept;
  void follow_free() noexcept;

  const MatchingEngine::State& state_;
  Index forgotten_ = kNoIndex;  // an ended order that will be forgotten soon
  std::uint32_t forgotten_lead_ = 0;
  Index oldest_ = kNoIndex;  // that follow_forgotten saw last
  Index free_ = 0;           // a slot that a new order will take soon
};

}  // namespace shmatch::core
