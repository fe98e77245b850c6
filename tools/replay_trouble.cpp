#include "tools/replay_trouble.h"

#include <optional>
#include <vector>

#include "ipc/journal_folder.h"
#include "ipc/snapshot_file.h"
#include "tools/digest_text.h"
#include "tools/record_text.h"
#include "tools/state_difference.h"

namespace shmatch::tools {

namespace {

constexpr std::size_t kInputsShown = 10;

// The inputs after `from` up to `to` as text, the last kInputsShown of them.
class InputWindow final : public ReplayObserver {
 public:
  InputWindow(core::Sequence from, core::Sequence to) : from_(from), to_(to) {}

  void configured(const core::Configuration& configuration, const core::MatchingEngine&) override {
    if (text_) {
      text_->configure(configuration);
    } else {
      text_.emplace(configuration);
    }
  }
  void applying(const InputRecord& record, const core::MatchingEngine&) override {
    text_->see(record);
    if (record.sequence <= from_) return;
    ++count_;
    lines_.push_back("  " + text_->line(record));
    if (lines_.size() > kInputsShown) lines_.erase(lines_.begin());
  }
  bool applied(const InputRecord& record, const core::MatchingEngine&) override {
    return record.sequence < to_;
  }

  std::string lines() const {
    std::string text = with_commas(count_) + (count_ == 1 ? " input" : " inputs");
    text += count_ > lines_.size() ? ", of which the last are\n" : "\n";
    for (const std::string& line : lines_) text += line + "\n";
    return text;
  }

 private:
  core::Sequence from_;
  core::Sequence to_;
  std::optional<RecordText> text_;
  std::vector<std::string> lines_;
  std::uint64_t count_ = 0;
};

// Reads the log again for the inputs in question.
std::string inputs_between(const LogChoice& choice, core::Sequence from, core::Sequence to) {
  OpenLog log(choice);
  ReplaySettings settings;
  settings.until = to;
  settings.check_marks = false;
  Replay run(log.input(), settings);
  InputWindow window(from, to);
  run.add(window);
  run.run();
  return window.lines();
}

std::string compare_with(InputStream& input, ipc::SnapshotReader& snapshot) {
  ReplaySettings settings;
  settings.until = snapshot.header().sequence;
  settings.check_marks = false;
  Replay run(input, settings);
  const ReplayOutcome outcome = run.run();
  if (outcome.failed() || outcome.last_sequence != settings.until) return "";
  class Nobody final : public core::ReportSink {
    void deliver(core::SessionSlot, const core::Report&) noexcept override {}
  } nobody;
  ReplayEngine expected(nobody);
  if (ipc::Fault fault = expected.start(run.configuration(), &snapshot)) {
    return snapshot.path() + " cannot be compared: " + fault.text + "\n";
  }
  std::string text = "In the states after input " + std::to_string(settings.until) + ", of " +
                     snapshot.path() + " and of this replay:\n";
  const std::vector<std::string> differences =
      state_differences(*expected, run.engine(), run.configuration(), kInputsShown);
  for (const std::string& difference : differences) text += "  " + difference + "\n";
  return differences.empty() ? text + "  nothing that works is different; ended orders are\n"
                             : text;
}

// A digest says that two states differ, but not in what. A snapshot that the journal's engine
// wrote after the divergence holds its state: where there is one, both are compared there.
std::string states_at_a_snapshot(const LogChoice& choice, core::Sequence diverged) {
  OpenLog log(choice);
  ipc::PosixFileLayer layer;
  ipc::JournalListing listing;
  if (log.journal() == nullptr || ipc::list_journal(layer, log.journal()->folder(), listing)) {
    return "";
  }
  for (const ipc::JournalFile& file : listing.snapshots) {
    ipc::SnapshotReader snapshot(layer);
    if (file.sequence < diverged || snapshot.open(log.journal()->folder(), file.name)) continue;
    return compare_with(log.input(), snapshot);
  }
  return "No snapshot of a later state exists in which to look what is different.\n";
}

}  // namespace

std::string divergence_text(const LogChoice& log, const Divergence& divergence) {
  std::string text = "\nFirst divergence: the state after input " +
                     std::to_string(divergence.sequence) + " is not the one that the log says\n";
  text += "  expected digest " + digest_text(divergence.expected) + "\n";
  text += "  got digest      " + digest_text(divergence.got) + "\n";
  if (divergence.agreed > 0) {
    text += "Both agreed after input " + std::to_string(divergence.agreed) + ". Between: ";
  } else {
    text += "No earlier digest was compared. Up to there: ";
  }
  return text + inputs_between(log, divergence.agreed, divergence.sequence) +
         states_at_a_snapshot(log, divergence.sequence);
}

std::string bad_record_text(const LogChoice& log, const BadRecord& bad) {
  return "\nInput " + std::to_string(bad.sequence) + " cannot be applied: " + bad.reason +
         "\nBefore it: " +
         inputs_between(log, bad.sequence > kInputsShown ? bad.sequence - kInputsShown - 1 : 0,
                        bad.sequence - 1);
}

}  // namespace shmatch::tools
