#include "tests/process/kill_ledger.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <system_error>

#include "core/check.h"

namespace shmatch::process_test {
namespace {

// Address space; memory is taken as it is used.
constexpr std::size_t kBytes = std::size_t{256} << 20;
constexpr std::size_t kEntryWordsMax = 2 + core::kMessageWordsMax;

}  // namespace

struct Ledger::Head {
  std::atomic<std::uint64_t> used{0};  // words behind the head
  std::atomic<std::uint64_t> replies{0};
  std::atomic<std::uint64_t> deaths{0};
  std::atomic<std::uint64_t> rested_deaths{0};
};

Ledger::Ledger() {
  void* const memory = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
  head_ = new (memory) Head;
  words_ = static_cast<std::uint64_t*>(memory) + sizeof(Head) / 8;
}

Ledger::~Ledger() { ::munmap(head_, kBytes); }

bool Ledger::room() const noexcept {
  const std::uint64_t used = head_->used.load(std::memory_order_relaxed);
  // Reports of what is under way come on top of the next request.
  constexpr std::size_t kSpare = 4096 * kEntryWordsMax;
  return used + kSpare < (kBytes - sizeof(Head)) / 8;
}

void Ledger::opened(const SessionInfo& session) noexcept {
  const std::uint64_t words[] = {session.run.first, session.run.name, session.last_request,
                                 session.lost_from};
  put(Kind::kSession, session.serial,
      std::span(words).first(session.resumed ? std::size(words) : 2));
}

void Ledger::sending(RequestId number, const core::Request& request) noexcept {
  put(Kind::kRequest, number, {request.words, std::size_t{request.slots()} * core::kSlotWords});
}

void Ledger::heard(const Report& report) noexcept {
  put(Kind::kReport, 0, {report.words, std::size_t{report.slots()} * core::kSlotWords});
  if (replied_request(report) != 0) head_->replies.fetch_add(1, std::memory_order_relaxed);
}

std::uint64_t Ledger::deaths() const noexcept {
  return head_->deaths.load(std::memory_order_acquire);
}

void Ledger::rest(std::uint64_t deaths) noexcept {
  // SYNC POINT resting: pairs with resting(); whoever sees it sees all that was written down.
  head_->rested_deaths.store(deaths, std::memory_order_release);
}

void Ledger::put(Kind kind, std::uint64_t number, std::span<const std::uint64_t> words) noexcept {
  const std::uint64_t used = head_->used.load(std::memory_order_relaxed);
  SHMATCH_CHECK(used + kEntryWordsMax <= (kBytes - sizeof(Head)) / 8);
  words_[used] = static_cast<std::uint64_t>(kind) | words.size() << 8;
  words_[used + 1] = number;
  std::ranges::copy(words, &words_[used + 2]);
  // SYNC POINT ledger: pairs with read.
  head_->used.store(used + 2 + words.size(), std::memory_order_release);
}

bool Ledger::read(std::size_t& at, Entry& entry) const noexcept {
  if (at == head_->used.load(std::memory_order_acquire)) return false;
  entry.kind = static_cast<Kind>(words_[at] & 0xFF);
  entry.number = words_[at + 1];
  entry.words = {&words_[at + 2], static_cast<std::size_t>(words_[at] >> 8)};
  at += 2 + entry.words.size();
  return true;
}

std::uint64_t Ledger::replies() const noexcept {
  return head_->replies.load(std::memory_order_relaxed);
}

void Ledger::note_death() noexcept { head_->deaths.fetch_add(1, std::memory_order_release); }

bool Ledger::resting() const noexcept {
  return head_->rested_deaths.load(std::memory_order_acquire) ==
         head_->deaths.load(std::memory_order_relaxed);
}

}  // namespace shmatch::process_test
