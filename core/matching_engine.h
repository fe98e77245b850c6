// The deterministic state machine: inputs in, reports out. Equal configuration and equal inputs
// give byte-equal reports.
//
// Inputs (logon, request, cancel_replace, end_session, sweep, stop_accepting, restart, resume,
// forget_session) come one at a time, each with its time; each but a query takes the next engine
// sequence number. Every input is judged completely before the first write: a refused request
// changes nothing but the sequence number, the session's last request and its rate budget.
// core/input_record.h has the form in which inputs are kept, core/state_export.h the form in which
// the state is.
//
// Reports leave through a ReportPort while the input is applied: first the reply to the session
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
#include "core/report_port.h"

namespace shmatch::core {

class WordSink;
class WordSource;

struct Logon {
  UserId user_id = 0;  // must be configured
  bool cancel_on_disconnect = false;
  bool whole_objects = false;
  bool all_accounts = false;  // only honoured for users with Operator permission
  // The session outlives its client and the engine, and is known by its user and name.
  bool resumable = false;
  char name[kSessionNameBytes] = {};  // filled up with zeros, at least one
};

// A session's life:
//
//   free -> logon -> open -> end_session -> free
//   open -> restart -> orphaned -> end_session -> free
//
// A session that ends with orders to cancel on disconnect is sweeping in between. A resumable one
// becomes detached where others become free, returns from orphaned or detached to open by resume,
// and from detached to free by forget_session.
enum class SessionState : std::uint8_t {
  kFree = 0,
  kOpen = 1,
  kSweeping = 2,  // has ended; its orders are being cancelled
  kOrphaned = 3,  // was open when the engine stopped or died; its orders are untouched
  kDetached = 4,  // has ended, but keeps its slot, its identity and what it hears
};

// A session as the engine knows it.
struct SessionView {
  SessionState state = SessionState::kFree;  // free: all else is as for no session
  SessionSerial serial = 0;
  Sequence last_request = 0;  // number of its last SendOrder or CancelOrder; 0: none yet
  Logon logon;                // the flags are those of its last logon or resume
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
  // shows in any report. With `keep_digest` each input also brings the digest of orders and price
  // levels up to date; without it digest() walks them all.
  MatchingEngine(const Configuration& configuration, std::span<std::byte> memory,
                 std::uint64_t hash_salt, ReportPort& port, bool keep_digest = true);
  ~MatchingEngine();
  MatchingEngine(const MatchingEngine&) = delete;
  MatchingEngine& operator=(const MatchingEngine&) = delete;

  // Reports go to `port` from now on.
  void set_port(ReportPort& port) noexcept;

  // ---- inputs

  // Opens a session in `slot`, which must be free (slot_free). A resumable one needs a name that no
  // other resumable session of its user has. Returns its serial.
  SessionSerial logon(SessionSlot slot, const Logon& logon, TimeNs now) noexcept;

  // Applies a well-formed request of the open session in `slot`; replies name it
  // `request_sequence`. Numbers of SendOrder and CancelOrder must grow within a session, over
  // resumes too.
  void request(SessionSlot slot, Sequence request_sequence, const Request& request,
               TimeNs now) noexcept {
    this->request(slot, request_sequence, request.words, now);
  }
  // The same, where the message lies: in memory that nobody else can write, for it is read more
  // than once. No words are read but the message's own.
  void request(SessionSlot slot, Sequence request_sequence, const std::uint64_t* message,
               TimeNs now) noexcept;

  // Cancels the order that `cancel` names and enters `order` in its place, as one input: judged as
  // a whole by the rules of both requests (one request of the rate limit; the order that goes has
  // given up its client order id and its place among the working orders), and refused as a whole by
  // one receipt, whose request_type says which half was wrong. Else the session gets the cancelled
  // order's last state event, then OrderAccepted, then the new order's events. Headers of both
  // messages are ignored. Numbers grow as those of request.
  //
  // This has no form on the wire and no input record yet: an engine whose inputs are journalled
  // must not be given it.
  void cancel_replace(SessionSlot slot, Sequence request_sequence, const CancelOrder& cancel,
                      const NewOrder& order, TimeNs now) noexcept;

  // Ends the open or orphaned session. No report goes to it any more, unless it is resumable: then
  // it goes on hearing of its accounts. With cancel on disconnect the working orders that it
  // entered are then cancelled by sweep, a bounded number at a time (a resumable session hears of
  // each), and only after that its slot is free or the session detached.
  void end_session(SessionSlot slot, TimeNs now) noexcept;

  // Does one bounded step of the cancels that ended sessions left. False when there is none to do
  // (no sequence number is taken then).
  bool sweep(TimeNs now) noexcept;

  // From now on SendOrder and CancelOrder get 102 with this detail (kStopping or kJournalFailed).
  void stop_accepting(Detail why, TimeNs now) noexcept;

  // The engine serves again after it was stopped or died: open sessions become orphaned, requests
  // are accepted. Orphaned sessions that are resumable go on hearing, others hear nothing any more.
  void restart(TimeNs now) noexcept;

  // The client of the orphaned or detached, resumable session in `slot` is back. Of `logon` only
  // cancel_on_disconnect, whole_objects and all_accounts count, for what comes; cancel on
  // disconnect counts for all working orders that the session ever entered. Serial, last request
  // and rate budget stay.
  void resume(SessionSlot slot, const Logon& logon, TimeNs now) noexcept;

  // The detached session in `slot` is known no more, and its slot is free.
  void forget_session(SessionSlot slot, TimeNs now) noexcept;

  // ---- views; they change nothing

  // 0..session_capacity()-1 are the session slots.
  std::uint32_t session_capacity() const noexcept;
  bool slot_free(SessionSlot slot) const noexcept;
  // The session in `slot`; a free one for a slot out of range.
  SessionView session(SessionSlot slot) const noexcept;
  // Two facts of it, for whoever asks before each request; false and 0 for a slot out of range.
  bool session_open(SessionSlot slot) const noexcept;
  Sequence last_request(SessionSlot slot) const noexcept;
  // The slot of the resumable session of this user with this name (as in Logon), or
  // session_capacity(). O(sessions).
  SessionSlot find_resumable(UserId user_id, const char (&name)[kSessionNameBytes]) const noexcept;
  bool user_configured(UserId user_id) const noexcept;
  bool sweeping() const noexcept;
  Sequence last_sequence() const noexcept;
  std::uint32_t working_orders() const noexcept;
  std::uint32_t finished_orders() const noexcept;
  std::uint32_t price_levels() const noexcept;  // in use, over all books
  std::uint64_t trade_count() const noexcept;
  // For an instrument that is configured; else an empty touch and 0.
  Touch best(InstrumentId instrument, Side side) const noexcept;
  Wide quantity_at(InstrumentId instrument, Side side, Ticks price) const noexcept;
  Ticks last_trade_price(InstrumentId instrument) const noexcept;

  // The digest of the whole state: equal for equal states, whatever the hash salt, the build and
  // the order in which a configuration lists its members; instruments, users, accounts and session
  // slots that no input has touched do not count. O(sessions + instruments) when the digest is
  // kept, else O(all orders).
  std::uint64_t digest() const noexcept;

  // Walks everything and ends the process if an invariant is broken. For tests; O(all orders).
  void check_invariants() const noexcept;

 private:
  friend bool export_state(const MatchingEngine& engine, WordSink& sink) noexcept;
  friend const char* import_state(MatchingEngine& engine, WordSource& source) noexcept;
  friend class LookAhead;
  friend class StateView;

  class State;
  State* state_;  // lives in the memory handed in
};

}  // namespace shmatch::core
