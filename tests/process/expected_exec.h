// What `shmatch exec` must print, by the reference engine: each call is given to both, and the
// first difference is told.
//
// Thread: one.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/configuration.h"
#include "core/message.h"
#include "tests/process/api_text.h"
#include "tests/process/engine.h"
#include "tests/process/exec_session.h"
#include "tests/reference/engine_under_test.h"
#include "tests/reference/reference_engine.h"

namespace shmatch::process_test {

// One line for exec, and the request that it stands for.
struct Call {
  std::string line;
  std::string sequence;  // i
  std::string function;  // n
  std::string user;
  // Nothing when no request can carry it: exec itself answers 100 then.
  std::optional<core::Request> request;
};

struct Totals {
  std::uint64_t calls = 0;
  std::uint64_t orders = 0;   // accepted
  std::uint64_t cancels = 0;  // taken
  std::uint64_t trades = 0;
  std::map<core::ErrorCode, std::uint64_t> refused;  // by code, those of exec itself as well
};

class ExpectedExec {
 public:
  // Starts `shmatch exec` as `user`, who must be an Operator, on an engine that just started.
  ExpectedExec(const TestEngine& engine, const core::Configuration& configuration,
               const std::string& user);

  // Sends the call and compares all that exec prints for it. Empty, or the first difference.
  std::string compare(const Call& call);

  // The order that the last call entered; 0 when it entered none.
  core::OrderId entered() const noexcept { return entered_; }
  const Totals& totals() const noexcept { return totals_; }
  // Ends the input: exec's exit status, or -1 when it printed something more.
  int close();

 private:
  struct Session {
    core::SessionSlot slot = 0;
    core::Sequence last_request = 0;
  };
  // What one input made: replies to its session, and events that any session received, in order.
  struct Made {
    std::vector<core::Report> replies;
    std::vector<core::Report> events;
  };

  Session& session(const std::string& user);
  Made apply(const Call& call);
  Made sort(reference::Received received, core::SessionSlot asking) const;
  void count(const Call& call, const core::Report& reply);
  std::string compare_frame(const Call& call, const Frame& actual, const std::string& expected);

  core::Configuration configuration_;
  reference::RecordingSink sink_;
  reference::ReferenceEngine reference_;
  ApiText text_;
  std::map<std::string, Session> sessions_;
  core::TimeNs now_ = 1;
  Totals totals_;
  core::OrderId entered_ = 0;
  Process exec_;
};

}  // namespace shmatch::process_test
