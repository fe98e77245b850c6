#include "core/state_export.h"

#include "core/engine_state.h"

namespace shmatch::core {
namespace {

// Gives words to a sink until it takes no more.
class WordWriter {
 public:
  explicit WordWriter(WordSink& sink) noexcept : sink_(sink) {}

  void put(std::span<const std::uint64_t> words) noexcept { good_ = good_ && sink_.put(words); }
  bool good() const noexcept { return good_; }

 private:
  WordSink& sink_;
  bool good_ = true;
};

}  // namespace

// In this order: magic, counters, head; each level with its orders, by priority; ended orders by
// age; instruments; sessions; the queue of sessions to be swept; the digest.
bool MatchingEngine::State::export_to(WordSink& sink) const noexcept {
  WordWriter writer(sink);
  const auto write_order = [&](Index slot) noexcept {
    OrderWords words;
    put_order(slot, words);
    writer.put(words.entered);
    writer.put(words.since);
  };
  CounterWords counters;
  put_counters(counters);
  ExportHeadWords head;
  put_export_head(head);
  writer.put({&kStateMagic, 1});
  writer.put(counters);
  writer.put(head);
  books_.for_each_level([&](const Level& level) noexcept {
    writer.put(LevelWords{level.side_key, static_cast<std::uint64_t>(level.price),
                          static_cast<std::uint64_t>(level.changed), level.order_count});
    for (Index slot = level.head; slot != kNoIndex; slot = store_[slot].next) write_order(slot);
  });
  for (std::uint32_t age = 0; age < store_.finished_count(); ++age)
    write_order(store_.finished(age));
  for_each_instrument_words([&](const InstrumentWords& words) noexcept { writer.put(words); });
  for_each_session_words([&](const SessionWords& words) noexcept { writer.put(words); });
  for (std::uint32_t place = 0; place < sweep_count_; ++place) {
    const std::uint64_t slot = swept_at(place);
    writer.put({&slot, 1});
  }
  const std::uint64_t state_digest = digest();
  writer.put({&state_digest, 1});
  return writer.good();
}

void MatchingEngine::State::put_export_head(ExportHeadWords& words) const noexcept {
  std::uint64_t instruments = 0;
  std::uint64_t sessions = 0;
  for_each_instrument_words([&](const InstrumentWords&) noexcept { ++instruments; });
  for_each_session_words([&](const SessionWords&) noexcept { ++sessions; });
  words[0] = static_cast<std::uint64_t>(oms_id_);
  words[1] = pack(capacities_.working_orders, capacities_.finished_orders);
  words[2] = pack(store_.working_count(), store_.finished_count());
  words[3] = pack(instruments, sessions);
}

bool export_state(const MatchingEngine& engine, WordSink& sink) noexcept {
  return engine.state_->export_to(sink);
}

}  // namespace shmatch::core
