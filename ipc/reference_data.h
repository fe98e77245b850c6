// What a session needs to know to read its reports: instruments with their increments, and names of
// users. The engine writes it once at start into a sealed memfd that every session receives; it
// never changes while the engine runs.
//
// Thread: immutable after parse; any thread may read. Ownership: a plain value, copied out of
// shared memory.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/configuration.h"
#include "core/reject.h"

namespace shmatch {

class ReferenceData {
 public:
  ReferenceData() = default;
  explicit ReferenceData(const core::Configuration& configuration);

  core::OmsId oms_id() const noexcept { return oms_id_; }
  const std::vector<core::Instrument>& instruments() const noexcept { return instruments_; }

  // Null when there is no such instrument.
  const core::Instrument* instrument(core::InstrumentId id) const noexcept;
  // Empty when there is no such user.
  std::string_view user_name(core::UserId id) const noexcept;

  // The sentence for a refusal, with users by name. Empty when it has no detail.
  std::string describe(const core::Refusal& refusal) const;

  // The bytes that `parse` reads: little-endian, self-describing, docs/PROTOCOL.md "Reference
  // data".
  std::string serialize() const;
  // False when `bytes` are not what serialize wrote (another version, or damage); *this is
  // unchanged.
  bool parse(std::span<const std::byte> bytes);

 private:
  struct UserName {
    core::UserId id = 0;
    std::string name;
  };

  core::OmsId oms_id_ = 0;
  std::vector<core::Instrument> instruments_;  // ascending by id
  std::vector<UserName> users_;                // ascending by id
};

}  // namespace shmatch
