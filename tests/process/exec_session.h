// `shmatch exec` as a conversation: one frame in, its reply and events out.
//
// Thread: one. A session that answers out of turn, or not at all, throws with what it said;
// GoogleTest reports that as the test's failure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"
#include "tests/process/engine.h"
#include "tests/process/process.h"
#include "tools/json.h"

namespace shmatch::process_test {

// One line of exec's output.
struct Frame {
  std::string line;          // as printed
  std::string kind;          // m
  std::string sequence;      // i; empty in events
  std::string function;      // n
  tools::JsonValue payload;  // o
};

// Throws when `line` is not a frame.
Frame parse_frame(const std::string& line);

// Parses a JSON text of this test's own; throws when it is none.
tools::JsonValue json(std::string_view text);

// The text of `object`'s member: as written for numbers, decoded for strings, "null", "true" or
// "false"; "absent" when there is no such key.
std::string member(const tools::JsonValue& object, std::string_view key);

// The first difference between two JSON values, as a sentence; empty when they are the same.
// Members must come in the same order; numbers are compared as exact decimals. In a string of
// `expected`, # stands for a row of digits; the string "*" stands for any value at all.
std::string difference(const tools::JsonValue& actual, const tools::JsonValue& expected);

class ExecSession {
 public:
  struct Answer {
    std::vector<Frame> earlier;  // events of others that came before the reply
    Frame reply;
    std::vector<Frame> events;

    // The payload of the reply: one of its members.
    std::string operator[](std::string_view key) const { return member(reply.payload, key); }
    core::OrderId order_id() const;
  };

  ExecSession(const TestEngine& engine, std::string_view user);

  // Sends one line and returns all that exec prints for it.
  Answer call(std::string_view line);
  // The same for a call of `user` (empty: the session's own) with this payload.
  Answer call(std::string_view user, std::string_view function, std::string_view payload);

  // A limit order in TEST that must be accepted. `more` holds further keys, each led by a comma.
  core::OrderId place(std::string_view user, core::AccountId account, char side, int quantity,
                      int price, std::string_view more = {});

  Process& process() noexcept { return process_; }
  // Ends the input and returns the exit status.
  int close();

 private:
  std::string next_line();

  Process process_;
};

}  // namespace shmatch::process_test
