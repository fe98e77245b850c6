// The deterministic state machine: inputs in, reports out. Equal configuration and equal inputs
// give byte-equal reports.
//
// Inputs (logon, request, end_session, sweep, stop_accepting) come one at a time, each with its
// time; each but a query takes the next engine sequence number. Every input is judged completely
// before the first write: a refused request changes nothing but the sequence number and the
// session's rate budget.
//
// Reports leave through a ReportSink while the input is applied: first the reply to the session
// that asked, then the events, in the order in which they happened. Every order that an input
// touches gets exactly one order state event for it, every execution one trade event for each of
// its two orders (the taker's first); a new order's own state event comes last, because it says how
// the order ended up.
//
// Memory: all of it is handed in at construction (memory_size says how much); nothing allocates
// afterwards. Nothing throws. Thread: one at a time; no atomics inside. Broken invariants end the
// process (core/check.h).
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "core/configuration.h"
#include "core/message.h"

namespace shmatch::core {

// Where reports go. Called on the engine's thread, during an input; must not call the engine back.
class ReportSink {
 public:
  // `report` is complete (type, slots, header) and only valid during the call.
  virtual void deliver(SessionSlot to, const Report& report) noexcept = 0;

 protected:
  ~ReportSink() = default;
};

struct Logon {
  UserId user_id = 0;  // must be configured
  bool cancel_on_disconnect = false;
  bool whole_objects = false;
  bool all_accounts = false;  // only honoured for users with Operator permission
};

// A request's own replies never take more slots than this: whoever hands requests in keeps as many
// free in the session's report ring. Events of other sessions' requests come on top.
inline constexpr std::uint32_t kReplySlotsMax = 64;

// Best price and its size on one side; price 0 when the side is empty.
struct Touch {
  Ticks price = 0;
  Wide quantity = 0;
};

class MatchingEngine {
 public:
  // Bytes that the constructor needs, aligned to 4096, for a configuration without fault.
  static std::size_t memory_size(const Configuration& configuration);

  // `memory` must be zeroed, aligned to 4096, at least memory_size bytes, and outlive the engine.
  // `hash_salt` hides the hash order from clients, who choose their client order ids; it never
  // shows in any report.
  MatchingEngine(const Configuration& configuration, std::span<std::byte> memory,
                 std::uint64_t hash_salt, ReportSink& sink);
  ~MatchingEngine();
  MatchingEngine(const MatchingEngine&) = delete;
  MatchingEngine& operator=(const MatchingEngine&) = delete;

  // ---- inputs

  // Opens a session in `slot`, which must be free (slot_free). Returns its serial.
  SessionSerial logon(SessionSlot slot, const Logon& logon, TimeNs now) noexcept;

  // Applies a well-formed request of the session in `slot`; replies name it `request_sequence`.
  void request(SessionSlot slot, Sequence request_sequence, const Request& request,
               TimeNs now) noexcept;

  // Ends the session: no report goes there any more. With cancel on disconnect its working orders
  // are then cancelled by sweep, a bounded number at a time, and the slot stays taken until that is
  // done.
  void end_session(SessionSlot slot, TimeNs now) noexcept;

  // Does one bounded step of the cancels that ended sessions left. False when there is none to do
  // (no sequence number is taken then).
  bool sweep(TimeNs now) noexcept;

  // From now on SendOrder and CancelOrder get 102 with this detail (kStopping or kJournalFailed).
  void stop_accepting(Detail why, TimeNs now) noexcept;

  // ---- views; they change nothing

  bool slot_free(SessionSlot slot) const noexcept;
  bool sweeping() const noexcept;
  Sequence last_sequence() const noexcept;
  std::uint32_t working_orders() const noexcept;
  std::uint32_t finished_orders() const noexcept;
  std::uint64_t trade_count() const noexcept;
  // For an instrument that is configured; else an empty touch and 0.
  Touch best(InstrumentId instrument, Side side) const noexcept;
  Wide quantity_at(InstrumentId instrument, Side side, Ticks price) const noexcept;
  Ticks last_trade_price(InstrumentId instrument) const noexcept;

  // Walks everything and ends the process if an invariant is broken. For tests; O(all orders).
  void check_invariants() const noexcept;

 private:
  class State;
  State* state_;  // lives in the memory handed in
};

}  // namespace shmatch::core
