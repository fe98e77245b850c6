#include "ipc/journal_thread.h"

#include <pthread.h>
#include <sys/prctl.h>

#include <algorithm>
#include <string>
#include <utility>

#include "ipc/cpu.h"

namespace shmatch::ipc {
namespace {

using Clock = std::chrono::steady_clock;

// Between two looks at the queue. In sync somebody waits for the next one, and it comes at once
// while there is anything to do. In async nobody does, and each look takes the line that says how
// far the records go away from the engine's core: so there it comes at once only when much waits.
constexpr std::chrono::microseconds kLookSync{20};
constexpr std::chrono::microseconds kLookAsync{200};
constexpr std::size_t kMuchWaits = kAppendWordsMax / 2;
// A quiet journal says what is durable after this time, so that readers can tell damage from a torn
// end.
constexpr std::chrono::milliseconds kQuiet{20};
// The kernel would otherwise add 50 microseconds to each short sleep.
constexpr unsigned long kTimerSlackNs = 1'000;

// Words of the whole records at the start of `records`, at most `limit`, and how many they are.
std::size_t whole_records(std::span<const std::uint64_t> records, std::size_t limit,
                          core::Sequence& count) {
  std::size_t words = 0;
  while (words < records.size()) {
    const std::uint32_t next = core::input_words(records[words]);
    if (words + next > limit) break;
    words += next;
    ++count;
  }
  return words;
}

}  // namespace

JournalThread::JournalThread(JournalWriter& writer, JournalQueue& queue, Durability durability,
                             std::chrono::nanoseconds sync_interval, Log log)
    : writer_(writer),
      queue_(queue),
      durability_(durability),
      sync_interval_(sync_interval),
      log_(std::move(log)),
      durable_(writer.durable_sequence()) {}

void JournalThread::start(int avoided_cpu) {
  thread_ = std::thread([this, avoided_cpu] {
    ::pthread_setname_np(::pthread_self(), "shmatch-journal");
    ::prctl(PR_SET_TIMERSLACK, kTimerSlackNs);
    if (avoided_cpu >= 0) avoid_cpu(avoided_cpu);
    run();
  });
}

void JournalThread::stop() {
  stopping_.store(true, std::memory_order_release);
  if (thread_.joinable()) thread_.join();
}

void JournalThread::run() {
  const auto look = durability_ == Durability::kSync ? kLookSync : kLookAsync;
  auto last_moved = Clock::now();
  last_sync_ = last_moved;
  while (true) {
    // Read before the queue: what was published before the stop is then seen below.
    const bool stopping = stopping_.load(std::memory_order_acquire);
    std::size_t words = 0;
    FileFault fault = move_groups(words);
    const bool moved = words != 0;
    if (!fault && stopping && !moved) {
      fault = writer_.close(digest_up_to(writer_.last_sequence()));
      if (!fault) durable_.store(writer_.durable_sequence(), std::memory_order_release);
      if (fault) fail(fault);
      return;
    }
    const auto now = Clock::now();
    if (moved) last_moved = now;
    if (!fault) fault = make_durable(now - last_moved >= kQuiet);
    if (fault) return fail(fault);
    const bool busy = durability_ == Durability::kSync ? moved : words >= kMuchWaits;
    if (!busy && !stopping) std::this_thread::sleep_for(look);
  }
}

// Writes what waits now, at most one queue full.
FileFault JournalThread::move_groups(std::size_t& moved) {
  const std::span<const std::uint64_t> waiting = queue_.take();
  for (std::size_t done = 0; done < waiting.size();) {
    core::Sequence count = 0;
    const std::size_t words = whole_records(waiting.subspan(done), kAppendWordsMax, count);
    const core::Sequence first = writer_.last_sequence() + 1;
    if (FileFault fault =
            writer_.append(waiting.subspan(done, words), first, digest_up_to(first + count - 1))) {
      return fault;
    }
    done += words;
  }
  moved = waiting.size();
  if (moved != 0) queue_.give_back(moved);
  return {};
}

DigestMark JournalThread::digest_up_to(core::Sequence last) const noexcept {
  DigestMark mark;
  return queue_.digest(mark) && mark.sequence <= last ? mark : DigestMark{};
}

FileFault JournalThread::make_durable(bool idle) {
  const auto now = Clock::now();
  if (writer_.durable_sequence() != writer_.last_sequence() &&
      (durability_ == Durability::kSync || now - last_sync_ >= sync_interval_)) {
    if (FileFault fault = writer_.sync()) return fault;
    last_sync_ = Clock::now();
    // SYNC POINT durable: pairs with durable().
    durable_.store(writer_.durable_sequence(), std::memory_order_release);
  }
  return idle ? writer_.write_mark() : FileFault{};
}

void JournalThread::fail(const FileFault& fault) {
  log_(LogLevel::kError, fault.text + "; the engine accepts nothing more");
  error_.store(fault.error != 0 ? fault.error : -1, std::memory_order_release);
}

}  // namespace shmatch::ipc
