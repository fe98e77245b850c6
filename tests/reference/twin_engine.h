// The product's engine with a twin that must never differ from it.
//
// Every input is also encoded as a record and applied to the twin: the reports of both must be the
// same words, and so must their digests be. Now and then the engine's state is exported and put
// into a fresh twin, which goes on from there: of the same configuration, or of a larger one that
// is listed in another order, with or without a digest kept. So each stream that is told to this
// engine proves records, digests and exports as well.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/state_export.h"
#include "tests/reference/engine_under_test.h"

namespace shmatch::reference {

// An exported state in memory.
class WordBuffer final : public core::WordSink, public core::WordSource {
 public:
  WordBuffer() = default;
  explicit WordBuffer(std::vector<std::uint64_t> words) : words_(std::move(words)) {}

  bool put(std::span<const std::uint64_t> words) noexcept override;
  bool get(std::span<std::uint64_t> words) noexcept override;

  const std::vector<std::uint64_t>& words() const { return words_; }
  std::size_t words_left() const { return words_.size() - taken_; }

 private:
  std::vector<std::uint64_t> words_;
  std::size_t taken_ = 0;
};

WordBuffer exported(const core::MatchingEngine& engine);

// The same with more instruments, users, accounts and sessions, listed in another order.
core::Configuration enlarged(core::Configuration configuration);

class TwinEngine final : public EngineUnderTest {
 public:
  TwinEngine(const core::Configuration& configuration, std::uint64_t hash_salt);

  // The first thing in which the twin differed; empty while there is none.
  const std::string& difference() const { return difference_; }

  core::SessionSerial logon(core::SessionSlot slot, const core::Logon& logon,
                            core::TimeNs now) override;
  void request(core::SessionSlot slot, core::Sequence request_sequence,
               const core::Request& request, core::TimeNs now) override;
  // No record has it yet: the twin is told as the engine is.
  void cancel_replace(core::SessionSlot slot, core::Sequence request_sequence,
                      const core::CancelOrder& cancel, const core::NewOrder& order,
                      core::TimeNs now) override;
  void end_session(core::SessionSlot slot, core::TimeNs now) override;
  bool sweep(core::TimeNs now) override;
  void stop_accepting(core::Detail why, core::TimeNs now) override;
  void restart(core::TimeNs now) override;
  void resume(core::SessionSlot slot, const core::Logon& logon, core::TimeNs now) override;
  void forget_session(core::SessionSlot slot, core::TimeNs now) override;

  core::SessionView session(core::SessionSlot slot) const override { return one_->session(slot); }
  bool slot_free(core::SessionSlot slot) const override { return one_->slot_free(slot); }
  bool sweeping() const override { return one_->sweeping(); }
  core::Sequence last_sequence() const override { return one_->last_sequence(); }
  std::uint32_t working_orders() const override { return one_->working_orders(); }
  std::uint32_t finished_orders() const override { return one_->finished_orders(); }
  std::uint64_t trade_count() const override { return one_->trade_count(); }
  core::Touch best(core::InstrumentId instrument, core::Side side) const override {
    return one_->best(instrument, side);
  }
  core::Wide quantity_at(core::InstrumentId instrument, core::Side side,
                         core::Ticks price) const override {
    return one_->quantity_at(instrument, side, price);
  }
  core::Ticks last_trade_price(core::InstrumentId instrument) const override {
    return one_->last_trade_price(instrument);
  }
  void check_invariants() const override;
  Received take_received() override { return std::exchange(received_, {}); }

 private:
  // `encode(words)` writes the record of the input that engine one has just had.
  template <class Encode>
  void mirror(Encode encode);
  // The twin has had the same input: compares what came of it.
  void compare_inputs(const Received& one);
  void collect(Received received);
  void compare(const Received& one, const Received& two);
  void move();

  core::Configuration configuration_;
  std::uint32_t move_every_;    // inputs between two exports
  std::uint32_t digest_every_;  // inputs between two comparisons of the digests
  EngineInMemory one_;
  std::optional<EngineInMemory> two_;
  Received received_;
  std::uint32_t inputs_ = 0;
  std::uint32_t moves_ = 0;
  std::string difference_;
};

}  // namespace shmatch::reference
