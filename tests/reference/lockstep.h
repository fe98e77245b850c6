// Runs the fast engine and the reference side by side, command by command, and says the first thing
// in which they differ.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/reference/engine_under_test.h"
#include "tests/reference/random_stream.h"
#include "tests/reference/reference_engine.h"
#include "tests/reference/report_text.h"
#include "tests/reference/twin_engine.h"

namespace shmatch::reference {

// The first difference in one sentence and the reports that show it, or nothing.
using Difference = std::optional<std::string>;

// Queries whose answers come in pages, and those that ask for a later page.
bool paged(const core::Request& request);
bool continues(const core::Request& request);

// What differs if it does, in words.
template <class Value>
Difference differ(const std::string& what, const Value& fast, const Value& plain) {
  if (fast == plain) return {};
  return what + " is " + wide_text(static_cast<core::Wide>(fast)) + ", the reference says " +
         wide_text(static_cast<core::Wide>(plain));
}

class Lockstep {
 public:
  // `full_check_every`: so many commands between two comparisons of every book, account and session
  // slot. The last session slot is taken by `observer`, who must be an Operator; only if it hears
  // all accounts may the streams end sessions with cancel on disconnect, and only if it is
  // resumable may they restart the engine (it resumes at once).
  Lockstep(const core::Configuration& configuration, const core::Logon& observer,
           std::uint32_t full_check_every);

  // False when the command cannot be given now: a request without its session, a logon to a taken
  // slot.
  bool applicable(const Command& command) const;

  Difference apply(const Command& command);

  // Whether the newest command entered an order.
  bool accepted() const { return accepted_; }
  // What the newest request but paged queries was answered; no refusal if it was done.
  const core::Refusal& refusal() const { return refusal_; }

  // Compares everything there is.
  Difference check_everything(core::TimeNs now);

  const ReferenceEngine& reference() const { return reference_; }
  const EngineUnderTest& fast() const { return fast_; }

 private:
  // The answer to a paged query, put together.
  struct Answer {
    std::vector<core::OpenOrderRow> orders;
    std::vector<std::pair<core::Side, core::L2Row>> levels;
    core::Ticks last_trade_price = 0;
    std::uint64_t md_update_id = 0;
    core::Refusal refusal;
    std::string fault;  // what is wrong with the form of the answer
  };

  template <class Engine>
  void give_request(Engine& engine, core::SessionSlot slot, const core::Request& request,
                    core::TimeNs now) {
    engine.request(slot, request_sequence_, request, now);
  }
  // `request` is the command's, with its order's id in it.
  template <class Engine>
  void give(Engine& engine, const Command& command, const core::Request& request) {
    if (!command.replacement) return give_request(engine, command.slot, request, command.now);
    engine.cancel_replace(command.slot, request_sequence_, request.as<core::CancelOrder>(),
                          *command.replacement, command.now);
  }
  Difference apply_request(const Command& command);
  Difference apply_logon(const Command& command);
  Difference apply_sweep_step(core::TimeNs now, bool& more);
  Difference apply_sweep_to_end(core::TimeNs now);
  core::Request resolved(const Command& command) const;
  Difference note_reply(const Command& command, const Received& received);

  Difference compare_reports(Received fast, Received plain) const;
  Difference compare_answers(core::SessionSlot slot, const core::Request& request,
                             core::TimeNs now);
  Difference give_continuation(core::SessionSlot slot, const core::Request& request,
                               core::TimeNs now);
  Difference compare_book_version(core::InstrumentId instrument, std::uint64_t md_update_id);
  Difference compare_counts() const;
  Difference compare_touches() const;
  Difference compare_depth(core::InstrumentId instrument) const;
  Difference compare_slots() const;
  Difference compare_session(core::SessionSlot slot) const;
  Difference compare_open_orders(core::AccountId account, core::TimeNs now);
  Difference compare_l2(core::InstrumentId instrument, core::TimeNs now);
  Difference compare_after(const Command& command);

  template <class Engine>
  Answer collect(Engine& engine, core::SessionSlot slot, core::Request request, core::TimeNs now);
  void add_page(const std::vector<core::Report>& page, core::Sequence request_sequence,
                Answer& answer, core::PageEnd& end) const;
  Received take(EngineUnderTest& engine) { return engine.take_received(); }
  Received take(ReferenceEngine&) { return plain_sink_.take(); }

  core::Configuration configuration_;
  core::SessionSlot observer_slot_;
  std::uint32_t full_check_every_;
  core::Logon observer_;
  TwinEngine fast_;
  RecordingSink plain_sink_;
  ReferenceEngine reference_;
  std::map<std::uint32_t, core::OrderId> order_ids_;  // by command id
  core::OrderId last_order_id_ = 0;
  core::SessionSerial last_serial_ = 0;
  core::Sequence request_sequence_ = 0;
  // What md_update_id was when the reference's book had changed so many times.
  std::map<core::InstrumentId, std::pair<std::uint64_t, std::uint64_t>> book_versions_;
  std::uint32_t command_count_ = 0;
  bool accepted_ = false;
  core::Refusal refusal_;
};

}  // namespace shmatch::reference
