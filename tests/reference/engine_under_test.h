// One face for both engines, so that a test can be told to two of them: the product's matching
// engine with its memory, and the plain reference. Reports are kept per session until taken.
#pragma once

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "core/configuration.h"
#include "core/matching_engine.h"
#include "core/message.h"

namespace shmatch::reference {

// What each session received, in the order in which it received it.
using Received = std::map<core::SessionSlot, std::vector<core::Report>>;

class EngineUnderTest {
 public:
  virtual ~EngineUnderTest() = default;

  virtual core::SessionSerial logon(core::SessionSlot slot, const core::Logon& logon,
                                    core::TimeNs now) = 0;
  virtual void request(core::SessionSlot slot, core::Sequence request_sequence,
                       const core::Request& request, core::TimeNs now) = 0;
  virtual void cancel_replace(core::SessionSlot slot, core::Sequence request_sequence,
                              const core::CancelOrder& cancel, const core::NewOrder& order,
                              core::TimeNs now) = 0;
  virtual void end_session(core::SessionSlot slot, core::TimeNs now) = 0;
  virtual bool sweep(core::TimeNs now) = 0;
  virtual void stop_accepting(core::Detail why, core::TimeNs now) = 0;
  virtual void restart(core::TimeNs now) = 0;
  virtual void resume(core::SessionSlot slot, const core::Logon& logon, core::TimeNs now) = 0;
  virtual void forget_session(core::SessionSlot slot, core::TimeNs now) = 0;

  virtual core::SessionView session(core::SessionSlot slot) const = 0;
  virtual bool slot_free(core::SessionSlot slot) const = 0;
  virtual bool sweeping() const = 0;
  virtual core::Sequence last_sequence() const = 0;
  virtual std::uint32_t working_orders() const = 0;
  virtual std::uint32_t finished_orders() const = 0;
  virtual std::uint64_t trade_count() const = 0;
  virtual core::Touch best(core::InstrumentId instrument, core::Side side) const = 0;
  virtual core::Wide quantity_at(core::InstrumentId instrument, core::Side side,
                                 core::Ticks price) const = 0;
  virtual core::Ticks last_trade_price(core::InstrumentId instrument) const = 0;
  virtual void check_invariants() const = 0;

  // What arrived since the last call.
  virtual Received take_received() = 0;
};

std::unique_ptr<EngineUnderTest> make_fast_engine(const core::Configuration& configuration,
                                                  std::uint64_t hash_salt);
std::unique_ptr<EngineUnderTest> make_reference_engine(const core::Configuration& configuration);

// All that travels of the two is the same, padding included.
bool same_words(const core::Report& a, const core::Report& b);

// A report sink that keeps all it gets.
class RecordingSink final : public core::ReportSink {
 public:
  void deliver(core::SessionSlot to, const core::Report& report) noexcept override {
    received_[to].push_back(report);
  }
  Received take() { return std::exchange(received_, {}); }

 private:
  Received received_;
};

// The product's engine with the memory that it wants, and with a sink that keeps its reports.
class EngineInMemory {
 public:
  EngineInMemory(const core::Configuration& configuration, std::uint64_t hash_salt,
                 bool keep_digest = true);

  core::MatchingEngine& operator*() { return engine_; }
  const core::MatchingEngine& operator*() const { return engine_; }
  core::MatchingEngine* operator->() { return &engine_; }
  const core::MatchingEngine* operator->() const { return &engine_; }

  // What arrived since the last call.
  Received take_received() { return sink_.take(); }

 private:
  struct FreeMemory {
    void operator()(std::byte* memory) const noexcept;
  };

  std::size_t size_;
  std::unique_ptr<std::byte, FreeMemory> memory_;
  RecordingSink sink_;
  core::MatchingEngine engine_;
};

}  // namespace shmatch::reference
