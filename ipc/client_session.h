// ClientSession: what a logged-on Client stands on: the link, both rings, and the reports that
// blocking calls met and nobody has polled yet.
//
// Thread: one at a time, as its Client.
#pragma once

#include <unistd.h>

#include <chrono>
#include <deque>
#include <memory>
#include <string>

#include "core/prefetch.h"
#include "ipc/client.h"
#include "ipc/reply_in_place.h"
#include "ipc/report_mark.h"
#include "ipc/ring.h"
#include "ipc/session_link.h"

namespace shmatch::ipc {

class ClientSession {
 public:
  // What is worth another try, as long as there is time.
  enum class Retry : std::uint8_t {
    kNever,
    kWhileInUse,  // the session to be resumed has a client still
    kWhileAway,   // and no engine is there
  };

  // Logs on until `deadline`, whatever options.timeout says; `session` changes only on success. A
  // resumed session's Resumed report has been taken in.
  static Failure open(const LogonOptions& options, Retry retry, Deadline deadline,
                      std::unique_ptr<ClientSession>& session);

  ClientSession(const LogonOptions& options, SessionLink opened);
  ~ClientSession();
  ClientSession(const ClientSession&) = delete;
  ClientSession& operator=(const ClientSession&) = delete;

  const LogonOptions& options() const noexcept { return options_; }
  const SessionLink& link() const noexcept { return link_; }
  bool closed() const noexcept { return closed_; }
  const std::string& end_reason() const noexcept { return end_reason_; }
  RequestId last_request() const noexcept { return requests_.last_sequence(); }

  // ---- non-blocking

  RequestId submit(core::Request& request) noexcept {
    const std::uint32_t slots = request.slots();
    if (slots == 0 || slots > core::kSlotsPerMessageMax || !may_submit(slots)) return 0;
    return write(request, slots);
  }
  // The same for a message whose size is known: it need not be put together anywhere else first.
  template <class Message>
  RequestId submit(const Message& message) noexcept {
    constexpr std::uint32_t kSlots = core::slots_of<Message>();
    if (!may_submit(kSlots)) [[unlikely]] {
      return 0;
    }
    core::Request request;
    request.assign(message);
    return write(request, kSlots);
  }
  // The reply to the newest request from its own line, once.
  bool early_reply(Report& reply) noexcept {
    if ((asked_ & kReplyInPlaceBit) == 0) return false;
    if (!read_reply_in_place(requests_.last_head(), asked_, reply)) return false;
    asked_ = 0;
    if (replied_request(reply) == requests_.last_sequence()) [[likely]]
      return true;
    broken_ = true;
    return false;
  }
  // The next report, queued ones first.
  bool poll(Report& report) noexcept {
    if (!queued_.empty()) [[unlikely]] {
      return poll_queued(report);
    }
    return read(report) == RingResult::kDone;
  }
  // A queued reply to `request`. False when there is none.
  bool take_queued(RequestId request, Report& reply);

  EngineState state() const noexcept;
  EngineState look_at_socket() noexcept;

  // ---- blocking

  Failure await(RequestId request, Report& reply, Deadline deadline);
  Failure call(core::Request& request, RequestId& id, Report& reply, Deadline deadline);
  template <class Row, class Query, class OnRow>
  Failure page(const Query& query, const OnRow& on_row, core::PageEnd& end, core::Receipt& refused,
               Deadline deadline);

  // ---- going on after an end

  // Ends the session and takes in what the engine has written already.
  void leave();
  // The options with which the session goes on where this one was left.
  LogonOptions resumption() const;
  // Queues what was left unpolled in `earlier`, before everything of this session, but for what
  // means nothing any more: replies to requests that never were, and reports of inputs that were
  // lost.
  void take_over(ClientSession& earlier);

 private:
  static Failure try_open(const LogonOptions& options, std::unique_ptr<ClientSession>& session,
                          FarewellReason& refusal);
  bool may_submit(std::uint32_t slots) noexcept {
    if (closed_ || broken_) return false;
    const RingResult room = requests_.reserve(slots);
    if (room == RingResult::kBreach) broken_ = true;
    return room == RingResult::kDone;
  }
  RequestId write(core::Request& request, std::uint32_t slots) noexcept {
    if (options_.reply_in_place) request.words[0] |= kReplyInPlaceBit;
    asked_ = request.words[0];
    requests_.write_reserved(request.words, slots);
    return requests_.last_sequence();
  }
  // Not inline: it would push the registers of every poll.
  [[gnu::noinline]] bool poll_queued(Report& report) noexcept;
  RingResult read(Report& report) noexcept {
    if (broken_) return RingResult::kBreach;
    const RingResult result = reports_.read(report.words);
    if (result == RingResult::kDone) [[likely]] {
      // An event follows most replies, and is there by the time that its reply has come: its line
      // is on its way while the reply is looked at. It takes nothing from the engine that the next
      // poll would not take: that looks there in any case.
      core::prefetch_shared(&reports_.next_sequence());
      // Answers to queries count, too: the reports of the inputs that they saw came before them.
      if (keeps_mark_) [[unlikely]] {
        if (const Mark behind = mark_behind(report); seen_ < behind) seen_ = behind;
      }
    } else if (result == RingResult::kBreach) {
      broken_ = true;
    }
    return result;
  }
  Failure take_resumed(Deadline deadline);
  Failure gone() const;

  LogonOptions options_;
  SessionLink link_;
  RingWriter requests_;
  RingReader reports_;
  std::uint64_t asked_ = 0;  // first word of the newest request, until its early reply is taken
  bool keeps_mark_;          // the session can be resumed: whoever does needs to know what was seen
  Mark seen_;
  std::deque<Report> queued_;  // met by blocking calls, not yet polled
  std::string end_reason_;
  bool closed_ = false;  // the kernel said so
  bool broken_ = false;  // the engine's side of a ring made no sense
  pid_t owner_ = ::getpid();
};

// Asks for one page: rows, then the end of the page. A refusal ends it with `refused.code` set.
template <class Row, class Query, class OnRow>
Failure ClientSession::page(const Query& query, const OnRow& on_row, core::PageEnd& end,
                            core::Receipt& refused, Deadline deadline) {
  core::Request request;
  request.assign(query);
  RequestId id = 0;
  Report reply;
  Failure failed = call(request, id, reply, deadline);
  while (!failed) {
    if (reply.is<core::PageEnd>()) {
      end = reply.as<core::PageEnd>();
      return {};
    }
    if (!reply.is<Row>()) {
      if (!reply.is<core::Receipt>()) {
        return {ClientError::kInvalidReport, "the engine answered another question"};
      }
      refused = reply.as<core::Receipt>();
      return {};
    }
    on_row(reply.as<Row>());
    failed = await(id, reply, deadline);
  }
  return failed;
}

}  // namespace shmatch::ipc
