#include "ipc/counters_page.h"

#include <unistd.h>

#include <chrono>
#include <new>

#include "ipc/logon.h"
#include "ipc/memory_layout.h"
#include "ipc/versioned_block.h"

namespace shmatch::ipc {

static_assert(static_cast<unsigned>(Durability::kAsync) == 1 &&
              static_cast<unsigned>(Durability::kSync) == 2);
static_assert(static_cast<unsigned>(IdleMode::kYield) == 1 &&
              static_cast<unsigned>(IdleMode::kSleep) == 2);

Fault CountersPage::create(const ServerOptions& options) {
  const core::Capacities& capacities = options.configuration.capacities;
  const std::size_t size = counters_size(capacities.sessions);
  if (Fault fault = create_memory("shmatch-counters", size, memory_)) return fault;
  if (Fault fault = mapping_.map(memory_.get(), size, Access::kReadWrite)) return fault;
  if (Fault fault = seal_memory(memory_.get(), kSharedSeals)) return fault;
  CountersHeader header{};
  header.magic = kCountersMagic;
  header.version = kCountersVersion;
  header.session_slots = capacities.sessions;
  header.started_ns =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                     std::chrono::system_clock::now().time_since_epoch())
                                     .count());
  header.process = static_cast<std::uint64_t>(::getpid());
  header.working_orders_max = capacities.working_orders;
  header.finished_orders_max = capacities.finished_orders;
  header.price_levels_max = capacities.levels();
  header.durability = static_cast<std::uint32_t>(options.durability);
  header.idle_mode = static_cast<std::uint32_t>(options.idle);
  header.gap_window_ns = kGapWindowNs;
  set_text(header.engine_version, SHMATCH_VERSION);
  new (mapping_.data()) CountersHeader(header);
  EngineCounters nothing_yet{};
  nothing_yet.updated_ns = header.started_ns;
  nothing_yet.status = static_cast<std::uint64_t>(EngineStatus::kServing);
  show(nothing_yet);
  return {};
}

void CountersPage::show(const EngineCounters& counters) noexcept {
  store_block(words_at(kEngineCountersOffset), counters);
}

void CountersPage::show(core::SessionSlot slot, const SessionCounters& counters) noexcept {
  store_block(words_at(kSessionCountersOffset + slot * sizeof(SessionCounters)), counters);
}

EngineCounters CountersPage::engine() const noexcept {
  EngineCounters counters{};
  // The writer is a thread of this process, and is never stopped alone for long.
  while (!load_block(words_at(kEngineCountersOffset), counters)) {
  }
  return counters;
}

std::uint64_t* CountersPage::words_at(std::size_t byte) const noexcept {
  return reinterpret_cast<std::uint64_t*>(mapping_.data() + byte);
}

}  // namespace shmatch::ipc
