// The report stream of a replay as text, one JSON object a line, and its comparison with a stream
// that was written before.
//
//   {"sequence":12,"ordinal":0,"session":1,"user":"trader1","i":7,"n":"SendOrder","o":{...}}
//   {"sequence":12,"ordinal":1,"session":1,"user":"trader1","n":"OrderStateEvent","o":{...}}
//
// `sequence` and `ordinal` name a report for ever; one that reaches several sessions has a line for
// each. Replies have the number of their request in its session, `i`. `o` is the API's own object,
// whole, as a session gets it that asks for whole objects.
//
// Thread: one.
#pragma once

#include <cstdio>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ipc/reference_data.h"
#include "tools/replay_run.h"

namespace shmatch::tools {

// What takes the lines of a stream. A line has no line feed and is valid during the call.
class LineTaker {
 public:
  virtual ~LineTaker() = default;
  // False when no more lines are wanted.
  virtual bool take(std::string_view line) = 0;

 protected:
  LineTaker() = default;
  LineTaker(const LineTaker&) = default;
  LineTaker& operator=(const LineTaker&) = default;
};

// The reports of each input as whole objects. It runs an engine of its own beside the replay's:
// there every session asks for whole objects, which changes the form of the reports and nothing
// else. Sessions that a snapshot brought along keep the form they had; what theirs leave out is
// left out.
class WholeReports final : private core::ReportSink {
 public:
  WholeReports();

  // A new engine with the state of `engine`, or without any.
  ipc::Fault start(const core::Configuration& configuration);
  ipc::Fault start(const core::Configuration& configuration, const core::MatchingEngine& engine);
  ipc::Fault reconfigure(const core::Configuration& configuration);

  // Applies a record. Null when it was; else why it cannot be, and nothing has changed.
  const char* apply(const InputRecord& record);

  // The reports of the record that was applied last.
  std::size_t size() const noexcept { return deliveries_.size(); }
  const core::Report& report(std::size_t place) const { return deliveries_[place].report; }
  std::string line(std::size_t place) const;

 private:
  struct Delivery {
    core::SessionSlot to;
    core::Report report;
  };

  void deliver(core::SessionSlot to, const core::Report& report) noexcept override;
  std::string event_payload(const core::Report& report) const;

  ReplayEngine engine_;
  ReferenceData reference_;
  std::vector<Delivery> deliveries_;
};

// Hands the lines of a whole replay on.
class ReportStream final : public ReplayObserver {
 public:
  // `taker` must outlive the stream.
  explicit ReportStream(LineTaker& taker) : taker_(taker) {}

  void configured(const core::Configuration& configuration,
                  const core::MatchingEngine& engine) override;
  bool applied(const InputRecord& record, const core::MatchingEngine& engine) override;

  // Why the stream ended before the replay did, if not because the taker had enough.
  const ipc::Fault& fault() const noexcept { return fault_; }

 private:
  LineTaker& taker_;
  WholeReports reports_;
  bool started_ = false;
  ipc::Fault fault_;
};

// Lines into a file, "-" for standard output.
class LineFile final : public LineTaker {
 public:
  ~LineFile() override;
  LineFile() = default;
  LineFile(const LineFile&) = delete;
  LineFile& operator=(const LineFile&) = delete;

  // Fault: it cannot be created.
  ipc::Fault open(const std::string& path);
  bool take(std::string_view line) override;
  // Fault: what was written did not arrive. Call it: the destructor cannot say so.
  ipc::Fault close();

 private:
  std::string path_;
  std::FILE* file_ = nullptr;
  int error_ = 0;  // of the first line that did not arrive
};

// Compares lines with those of a file, up to the first difference.
class LineComparison final : public LineTaker {
 public:
  ~LineComparison() override;
  LineComparison() = default;
  LineComparison(const LineComparison&) = delete;
  LineComparison& operator=(const LineComparison&) = delete;

  // Fault: it cannot be read.
  ipc::Fault open(const std::string& path);
  bool take(std::string_view line) override;
  // No more lines come. The file must have no more either, unless the replay was told to end early.
  void finish(bool complete);

  bool differs() const noexcept { return differs_; }
  // Why no further line could be read; what was found since then means nothing.
  const ipc::Fault& fault() const noexcept { return fault_; }
  std::uint64_t lines() const noexcept { return number_; }  // compared, the differing one included
  const std::string& expected() const noexcept { return expected_; }  // empty: no line expected
  const std::string& got() const noexcept { return got_; }            // empty: no line came

  // The first difference for a person: the three lines before it, both lines, and the keys in which
  // they differ.
  std::string describe() const;

 private:
  bool next_expected();

  std::string path_;
  std::FILE* file_ = nullptr;
  char* buffer_ = nullptr;  // getline's
  std::size_t capacity_ = 0;
  std::deque<std::string> before_;
  std::uint64_t number_ = 0;
  bool differs_ = false;
  ipc::Fault fault_;
  std::string expected_;
  std::string got_;
};

// The keys in which two JSON objects differ, each with both values, "o.OrderState: expected
// "Working", got "Canceled""; empty when `expected` or `got` is no JSON.
std::vector<std::string> differing_keys(std::string_view expected, std::string_view got);

}  // namespace shmatch::tools
