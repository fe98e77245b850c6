// EmbeddedEngine: the matching engine inside one's own program. Calls are executed where they are
// made and reports come by callback before the call returns: no session with another process, no
// ring, no thread, no journal. ipc/embedded.h is the same for C; docs/EMBEDDING.md has both.
//
// All memory is taken and made present by create(); no call allocates, waits or throws afterwards.
// Thread: one at a time, any one. The port is called on the calling thread and must not call the
// engine back.
#pragma once

#include <optional>

#include "core/matching_engine.h"
#include "ipc/fault.h"
#include "ipc/private_memory.h"

namespace shmatch {

class EmbeddedEngine {
 public:
  EmbeddedEngine() = default;
  EmbeddedEngine(const EmbeddedEngine&) = delete;
  EmbeddedEngine& operator=(const EmbeddedEngine&) = delete;

  // Once. Builds the engine and opens its one session as `logon` says (a configured user; with
  // Operator permission and all_accounts it hears of every order exactly once). Of
  // `configuration`, capacities.sessions must be at least 1. `port` must outlive the engine.
  // With `keep_digest` engine().digest() is answered at once, at some cost for each call. Fault:
  // the configuration cannot be served (its first fault in words: mend it), the user is not in it,
  // or memory is short (configure smaller capacities); the object can then be given another try.
  ipc::Fault create(const core::Configuration& configuration, const core::Logon& logon,
                    core::ReportPort& port, bool keep_digest = false);

  // ---- after create(). Each answers through the port: its reply, then the events it caused, as
  // core/matching_engine.h says. `now` is nanoseconds since 1970, in 0..2^62, and is only copied
  // into reports; a program that needs no times may pass 0.
  void new_order(const core::NewOrder& order, core::TimeNs now) noexcept { give(order, now); }
  void cancel(const core::CancelOrder& cancel, core::TimeNs now) noexcept { give(cancel, now); }
  void cancel_replace(const core::CancelOrder& cancel, const core::NewOrder& order,
                      core::TimeNs now) noexcept {
    engine_->cancel_replace(0, ++requests_, cancel, order, now);
  }
  // Queries: order status, open orders and depth of a book, in pages.
  template <class Query>
  void query(const Query& query, core::TimeNs now) noexcept {
    give(query, now);
  }

  // Best prices, depth at a price, counts, digest. Inputs must come through the calls above.
  const core::MatchingEngine& engine() const noexcept { return *engine_; }

 private:
  template <class Message>
  void give(const Message& message, core::TimeNs now) noexcept {
    core::Request request;
    request.assign(message);
    engine_->request(0, ++requests_, request, now);
  }

  ipc::PrivateMemory memory_;
  std::optional<core::MatchingEngine> engine_;
  core::Sequence requests_ = 0;
};

}  // namespace shmatch
