// Journals made up from a seed: sessions that come, go and return, restarts, orders of all kinds,
// with the state that recovery must come to.
//
// Thread: one.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/configuration.h"
#include "core/matching_engine.h"
#include "ipc/file_layer.h"
#include "ipc/journal_writer.h"
#include "ipc/replica.h"
#include "tests/reference/engine_under_test.h"
#include "tests/reference/random_stream.h"

namespace shmatch::tests {

// Hears what the sessions of a replica hear, while the report windows go on being filled.
class Listener final : public core::ReportSink {
 public:
  explicit Listener(ipc::Replica& replica) : replica_(replica) {}

  // Begins to hear; again after the replica has got another engine.
  void listen() { replica_.engine().set_port(*this); }
  // Applies a run of whole records, each of which must be applicable.
  void apply(std::span<const std::uint64_t> records);
  // What arrived since the last call.
  reference::Received take() { return std::exchange(received_, {}); }
  // The newest order that was accepted; 0 when none was since the last call.
  core::OrderId take_accepted() { return std::exchange(accepted_, 0); }

 private:
  void deliver(core::SessionSlot to, const core::Report& report) noexcept override;

  ipc::Replica& replica_;
  reference::Received received_;
  core::OrderId accepted_ = 0;
};

class RandomJournal {
 public:
  static constexpr std::uint32_t kWindowSlots = 64;  // so few that windows have gaps

  // The smallest segments, so that there are many. The folder must be there.
  RandomJournal(ipc::FileLayer& layer, std::string folder, std::uint64_t seed);

  // What the journal starts with; it has room for additions.
  const core::Configuration& configuration() const { return profile_.configuration; }

  // An engine of this configuration begins the journal or goes on with it, in a new segment.
  void start(const core::Configuration& configuration);
  void start() { start(profile_.configuration); }
  // So many inputs, or one or two more, in groups of different sizes that are made durable.
  void run(std::uint32_t inputs);
  // The engine's end, as a clean stop leaves it.
  void stop();

  // So many further inputs, and those since the last call that were not written, as records. They
  // are applied and not written.
  std::vector<std::uint64_t> imagine(std::uint32_t inputs);

  // The state behind the last input.
  ipc::Replica& state() { return state_; }
  Listener& listener() { return listener_; }
  ipc::JournalWriter& writer() { return *writer_; }

 private:
  void add_command();
  template <class Encode>
  void add(Encode encode);
  void add_request(const reference::Command& command);
  bool applicable(const reference::Command& command) const;
  void write();

  ipc::FileLayer& layer_;
  std::string folder_;
  reference::Profile profile_;
  reference::RandomStream stream_;
  reference::Random random_;
  ipc::Replica state_;
  Listener listener_;
  std::optional<ipc::JournalWriter> writer_;
  std::vector<std::uint64_t> waiting_;  // records that are applied and not written yet
  std::uint32_t inputs_ = 0;            // applied so far
  core::SessionSlot observer_ = 0;
  core::Sequence request_number_ = 0;
  std::map<std::uint32_t, core::OrderId> orders_;  // by the command that entered them
  core::TimeNs now_ = 0;
};

// The whole state of a replica, its report windows too, as words that can be compared.
std::vector<std::uint64_t> words_of(ipc::Replica& replica);

// Whether two engines told their sessions the same, word by word.
bool same_received(const reference::Received& a, const reference::Received& b);

}  // namespace shmatch::tests
