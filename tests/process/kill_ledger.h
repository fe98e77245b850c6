// What one client told the engine and heard from it, in memory that outlives both: the expected
// state of a kill test.
//
// One process writes at a time (the client, or its successor), the test reads. A request is noted
// before it is sent, a report after it was taken: a client that is killed in between has told the
// engine no more than the ledger says, and heard no less.
//
// Thread: one in each process.
#pragma once

#include <cstdint>
#include <span>

#include "core/message.h"
#include "ipc/client.h"

namespace shmatch::process_test {

class Ledger {
 public:
  enum class Kind : std::uint8_t { kSession = 1, kRequest = 2, kReport = 3 };

  struct Entry {
    Kind kind{};
    std::uint64_t number = 0;  // kSession: its serial; kRequest: its own
    // kRequest and kReport: the message. kSession: the engine's run and, for one that goes on,
    // SessionInfo's last_request and lost_from.
    std::span<const std::uint64_t> words;
  };

  Ledger();
  ~Ledger();
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  // ---- the client

  // False when it is full: nothing is kept then, and the client had better do nothing more.
  bool room() const noexcept;
  void opened(const SessionInfo& session) noexcept;
  void sending(RequestId number, const core::Request& request) noexcept;
  void heard(const Report& report) noexcept;
  // Deaths of engines that the test has seen; read it before you look for an engine.
  std::uint64_t deaths() const noexcept;
  // No engine was there after so many deaths, and all that earlier ones said is written down.
  void rest(std::uint64_t deaths) noexcept;

  // ---- the test, also while the client writes

  // The entry at `at`, which becomes the next one's place; false when there is none yet.
  bool read(std::size_t& at, Entry& entry) const noexcept;
  // Replies heard so far.
  std::uint64_t replies() const noexcept;
  // The engine has died. The client writes nothing more once it rests, until the next one is there.
  void note_death() noexcept;
  bool resting() const noexcept;

 private:
  struct Head;
  void put(Kind kind, std::uint64_t number, std::span<const std::uint64_t> words) noexcept;

  Head* head_;
  std::uint64_t* words_;
};

}  // namespace shmatch::process_test
