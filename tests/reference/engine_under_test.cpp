#include "tests/reference/engine_under_test.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "tests/reference/reference_engine.h"

namespace shmatch::reference {

using namespace core;

namespace {

constexpr std::size_t kPageSize = 4096;

std::byte* zeroed_memory(std::size_t size) {
  auto* memory = static_cast<std::byte*>(std::aligned_alloc(kPageSize, size));
  if (memory == nullptr) throw std::bad_alloc();
  std::memset(memory, 0, size);
  return memory;
}

std::size_t whole_pages(std::size_t size) { return (size + kPageSize - 1) / kPageSize * kPageSize; }

// Hands every call to an engine of either kind.
template <class Engine>
class Adapter : public EngineUnderTest {
 public:
  SessionSerial logon(SessionSlot slot, const Logon& logon, TimeNs now) override {
    return engine().logon(slot, logon, now);
  }
  void request(SessionSlot slot, Sequence request_sequence, const Request& request,
               TimeNs now) override {
    engine().request(slot, request_sequence, request, now);
  }
  void cancel_replace(SessionSlot slot, Sequence request_sequence, const CancelOrder& cancel,
                      const NewOrder& order, TimeNs now) override {
    engine().cancel_replace(slot, request_sequence, cancel, order, now);
  }
  void end_session(SessionSlot slot, TimeNs now) override { engine().end_session(slot, now); }
  bool sweep(TimeNs now) override { return engine().sweep(now); }
  void stop_accepting(Detail why, TimeNs now) override { engine().stop_accepting(why, now); }

  void restart(TimeNs now) override { engine().restart(now); }
  void resume(SessionSlot slot, const Logon& logon, TimeNs now) override {
    engine().resume(slot, logon, now);
  }
  void forget_session(SessionSlot slot, TimeNs now) override { engine().forget_session(slot, now); }

  SessionView session(SessionSlot slot) const override { return engine().session(slot); }
  bool slot_free(SessionSlot slot) const override { return engine().slot_free(slot); }
  bool sweeping() const override { return engine().sweeping(); }
  Sequence last_sequence() const override { return engine().last_sequence(); }
  std::uint32_t working_orders() const override { return engine().working_orders(); }
  std::uint32_t finished_orders() const override { return engine().finished_orders(); }
  std::uint64_t trade_count() const override { return engine().trade_count(); }
  Touch best(InstrumentId instrument, Side side) const override {
    return engine().best(instrument, side);
  }
  Wide quantity_at(InstrumentId instrument, Side side, Ticks price) const override {
    return engine().quantity_at(instrument, side, price);
  }
  Ticks last_trade_price(InstrumentId instrument) const override {
    return engine().last_trade_price(instrument);
  }

 protected:
  virtual Engine& engine() = 0;
  virtual const Engine& engine() const = 0;
};

class FastEngine final : public Adapter<MatchingEngine> {
 public:
  FastEngine(const Configuration& configuration, std::uint64_t hash_salt)
      : engine_(configuration, hash_salt) {}

  void check_invariants() const override { engine_->check_invariants(); }
  Received take_received() override { return engine_.take_received(); }

 private:
  MatchingEngine& engine() override { return *engine_; }
  const MatchingEngine& engine() const override { return *engine_; }

  EngineInMemory engine_;
};

class PlainEngine final : public Adapter<ReferenceEngine> {
 public:
  explicit PlainEngine(const Configuration& configuration) : engine_(configuration, sink_) {}

  void check_invariants() const override {}
  Received take_received() override { return sink_.take(); }

 private:
  ReferenceEngine& engine() override { return engine_; }
  const ReferenceEngine& engine() const override { return engine_; }

  RecordingSink sink_;
  ReferenceEngine engine_;
};

}  // namespace

bool same_words(const Report& a, const Report& b) {
  const std::size_t words = std::min<std::size_t>(a.slots() * kSlotWords, kMessageWordsMax);
  return a.slots() == b.slots() && std::equal(a.words, a.words + words, b.words);
}

EngineInMemory::EngineInMemory(const Configuration& configuration, std::uint64_t hash_salt,
                               bool keep_digest)
    : size_(whole_pages(MatchingEngine::memory_size(configuration))),
      memory_(zeroed_memory(size_)),
      engine_(configuration, std::span<std::byte>(memory_.get(), size_), hash_salt, sink_,
              keep_digest) {}

void EngineInMemory::FreeMemory::operator()(std::byte* memory) const noexcept { std::free(memory); }

std::unique_ptr<EngineUnderTest> make_fast_engine(const Configuration& configuration,
                                                  std::uint64_t hash_salt) {
  return std::make_unique<FastEngine>(configuration, hash_salt);
}

std::unique_ptr<EngineUnderTest> make_reference_engine(const Configuration& configuration) {
  return std::make_unique<PlainEngine>(configuration);
}

}  // namespace shmatch::reference
