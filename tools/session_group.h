// The sessions of one `exec` run: one for each user, opened when first needed, and the events that
// all of them received, each once and in the engine's order.
//
// An event reaches several sessions. Every report names the input that caused it, and a session's
// pong says up to which input the session has received everything; so what lies at or below the
// smallest such mark is complete, and only that is handed out. The rest waits for the next fence.
//
// Methods throw ExitError when the engine goes away. Thread: one.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "core/message.h"
#include "ipc/client.h"
#include "tools/command.h"

namespace shmatch::tools {

class SessionGroup {
 public:
  // Logs the global options' user on; throws ExitError when that fails.
  explicit SessionGroup(const GlobalOptions& global);
  SessionGroup(const SessionGroup&) = delete;
  SessionGroup& operator=(const SessionGroup&) = delete;

  // Chooses the session that `execute` sends through; empty chooses the global options' user. Logs
  // the user on at the first call. False when the engine refuses that; then `refusal` is its
  // sentence.
  bool choose(const std::string& user, std::string& refusal);

  // Executes one request through the chosen session and returns the API's JSON of its reply.
  std::string execute(const core::Request& request);

  // Returns once every session has received everything that the engine has done so far.
  void fence();

  // The frames of the events that are complete, a line each, in the engine's order; every event is
  // handed out once.
  std::string take_events();

  // The same for all events received so far: for the end of the run, whatever ended it.
  std::string take_all_events();

 private:
  struct Session {
    Client client;
    bool gone = false;      // what is left to poll is all that will ever come
    bool fenced = false;    // a ping travels behind the latest request already
    RequestId ping = 0;     // the ping that is not answered yet; 0 when there is none
    RequestId awaited = 0;  // the request whose reply is awaited; 0 when `reply` is it
    Report reply;
    core::Sequence received = 0;  // all reports of inputs up to here have come
  };

  // Engine sequence and ordinal: the engine's order, and an event's name.
  using EventKey = std::pair<core::Sequence, std::uint32_t>;

  Session& add(Client client);
  // Sends a request that has one reply, and returns that.
  template <class Message>
  Report call(const Message& message);
  std::string open_orders(const core::OpenOrdersQuery& query);
  std::string l2_snapshot(const core::L2Query& query);

  // Writes a request into the session's ring. Waits while the ring is full.
  template <class Message>
  RequestId submit(Session& session, const Message& message);
  void ping(Session& session);
  void await_pong(Session& session);

  // Takes reports from `session` until `done` is true.
  template <class Done>
  void wait(Session& session, Done done);
  void take(Session& session, const Report& report);
  std::string hand_out(core::Sequence up_to);

  const GlobalOptions& global_;
  std::deque<Session> sessions_;  // the first is the global options' user; addresses stay
  std::map<std::string, Session*, std::less<>> by_user_;
  std::map<std::string, std::string, std::less<>> refusals_;  // by user
  Session* chosen_ = nullptr;
  std::map<EventKey, std::string> events_;  // received, not handed out
};

}  // namespace shmatch::tools
