// One attempt of a minimization: a part of a log, run in a process of its own, and what came of it.
//
// Thread: one; the process must have no other threads, because it forks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ipc/fault.h"
#include "tools/replay_minimize.h"
#include "tools/replay_output.h"

namespace shmatch::tools {

// A report that is right or wrong, named so that it is found again in a smaller log.
struct ReportSign {
  std::size_t record = 0;  // place of the input that causes it
  bool wanted = true;      // false: the failure is that there is no such report
  std::string user;
  std::string name;            // "OrderStateEvent", "SendOrder", ...
  std::string request;         // number of the request that a reply answers; empty for events
  core::OrderId order_id = 0;  // in the whole log's numbers; 0: the report names none
  // The values that are wrong, as JSON, by path: {"o.OrderState", "\"Canceled\""}.
  std::vector<std::pair<std::string, std::string>> values;
};

// The sign of `line`, a line of the report stream. Nothing is asked of values.
ReportSign sign_of(std::string_view line);
// What stands at `path` ("o.OrderState") in a line; empty where nothing does.
std::string value_at(std::string_view line, std::string_view path);

struct Verdict {
  enum class Kind { kClean, kCrash, kBadRecord, kSign };
  Kind kind = Kind::kClean;
  std::size_t record = 0;  // place of the record at which it happened
  std::string text;        // the crash's or the record's reason

  friend bool operator==(const Verdict& a, const Verdict& b) noexcept {
    return a.kind == b.kind && a.record == b.record && a.text == b.text;
  }
};

// What becomes of a record that cannot be applied.
enum class BadRecords {
  kLeftOut,       // it is no part of the attempt
  kFailure,       // it is the verdict
  kFailureAtEnd,  // it is the verdict if it is the attempt's last one, else it is left out
};

// Runs parts of one log. Memory shared with the attempts' processes holds what they find out about
// each record.
class AttemptRunner {
 public:
  explicit AttemptRunner(const LoadedLog& log);
  ~AttemptRunner();
  AttemptRunner(const AttemptRunner&) = delete;
  AttemptRunner& operator=(const AttemptRunner&) = delete;

  // Fault: memory is short.
  ipc::Fault prepare();

  // Runs the records `kept` (ascending places). `sign`, if not null, is looked for, and is then the
  // verdict unless the process ends before. Fault: no process can be started.
  ipc::Fault run(const std::vector<std::size_t>& kept, const ReportSign* sign,
                 BadRecords bad_records, Verdict& verdict);

  // After a run: whether the record could be applied.
  bool applied(std::size_t place) const noexcept { return notes_[place].applied != 0; }
  // After a run: the record as it was applied, with the smaller log's OrderIds.
  std::vector<std::uint64_t> record_as_applied(std::size_t place) const;

  // Takes the OrderIds that the run of the whole log gave as the log's own numbers.
  void learn_order_ids();

 private:
  struct Note {
    std::uint64_t applied;
    core::OrderId order_id;  // that the record entered; 0: none
  };

  Verdict attempt(const std::vector<std::size_t>& kept, const ReportSign* sign,
                  BadRecords bad_records);
  bool shown(const ReportSign& sign, const WholeReports& reports) const;
  // The number that the whole log's order has in this attempt.
  core::OrderId id_here(core::OrderId order_id) const;

  const LoadedLog& log_;
  std::size_t memory_size_ = 0;
  // In memory shared with the attempts' processes: a note for each record, and behind them the
  // place of the record that is being applied.
  Note* notes_ = nullptr;
  std::unordered_map<core::OrderId, std::size_t> entered_at_;  // in the whole log
};

}  // namespace shmatch::tools
