// Input records as text: what `journal dump` prints, and what a replay says about the inputs around
// a difference.
//
// Thread: one.
#pragma once

#include <string>
#include <vector>

#include "core/configuration.h"
#include "ipc/reference_data.h"
#include "tools/replay_input.h"

namespace shmatch::tools {

// "request", "logon", ...: the name of a record's kind.
std::string input_name(core::InputKind kind);

// Decodes records one after the other. It remembers who is logged on in which slot, so it has to be
// shown every record, in order, of which a line may be wanted.
class RecordText {
 public:
  explicit RecordText(const core::Configuration& configuration) { configure(configuration); }

  // From the next record on.
  void configure(const core::Configuration& configuration);

  // Takes notice of the record.
  void see(const InputRecord& record);

  // One line without line feed for people: sequence, time, session and user, what it asks for.
  std::string line(const InputRecord& record) const;

  // {"sequence","time_ns","kind","session","user",...}
  std::string json(const InputRecord& record) const;

  // Who is logged on in the slot; empty when nobody was seen to be.
  std::string_view user_name(core::SessionSlot slot) const;

 private:
  std::string what(const InputRecord& record) const;

  ReferenceData reference_;
  std::vector<core::UserId> users_;  // by slot; 0: not known
};

}  // namespace shmatch::tools
