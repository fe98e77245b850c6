#include "tools/replay_minimize.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <numeric>
#include <utility>

#include "tools/command.h"
#include "tools/log_writer.h"
#include "tools/replay_output.h"
#include "tools/replay_run.h"
#include "tools/request_text.h"
#include "tools/shrink_attempt.h"

namespace shmatch::tools {

namespace {

using Places = std::vector<std::size_t>;

// Numbers that name inputs, orders and trades: another log gives others.
bool names_something(const std::string& path) {
  return path == "sequence" || path == "ordinal" || path == "session" || path == "o.OrderId" ||
         path == "o.OrigOrderId" || path == "o.TradeId";
}

// Statuses of the shell that starts a program.
constexpr int kNotExecutable = 126;
constexpr int kNotFound = 127;

// What `program` says about a journal; "no digest" when it fails in a way of its own.
ipc::Fault replay_with(const std::string& program, const std::string& folder, std::string& said) {
  const std::string command = "'" + program + "' --json replay '" + folder + "' 2>/dev/null";
  std::FILE* const pipe = ::popen(command.c_str(), "re");
  if (pipe == nullptr) return ipc::system_fault("cannot run " + program, errno);
  char line[8192];
  std::string text;
  while (std::fgets(line, sizeof line, pipe) != nullptr) text += line;
  const int status = ::pclose(pipe);
  const int ended = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (ended == kNotExecutable || ended == kNotFound) return {"cannot run " + program};
  const std::string digest = value_at(text, "digest");
  const std::string reports = value_at(text, "reports_digest");
  // A core that fails is a disagreement; who does not know the command is no shmatch.
  if (digest.empty() && (ended == kExitDone || ended == kExitUsage)) {
    return {program + " does not replay journals as shmatch does: it ended with status " +
            std::to_string(ended) + " and without a digest"};
  }
  said = digest.empty() ? "no digest, status " + std::to_string(ended)
                        : "digest " + digest + ", reports digest " + reports;
  return {};
}

class Minimizer {
 public:
  Minimizer(const LoadedLog& log, const MinimizeOptions& options, Minimized& result)
      : log_(log), options_(options), result_(result), runner_(log) {}

  ipc::Fault run() {
    if (ipc::Fault fault = runner_.prepare()) return fault;
    if (ipc::Fault fault = find_failure()) return fault;
    if (!result_.failed) return {};
    // What comes behind the failure does not matter; what prepares the replay always stays.
    Places places;
    for (std::size_t place = log_.preparing_records; place < end_; ++place) {
      if (!fixed_ || place != *fixed_) places.push_back(place);
    }
    if (!result_.cut_only) {
      if (ipc::Fault fault = shrink(places)) return fault;
    }
    return take(places);
  }

 private:
  // ---- what is wrong with the whole log

  ipc::Fault find_failure() {
    Places all(log_.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    end_ = log_.size();
    Verdict verdict;
    ++result_.attempts;
    if (ipc::Fault fault = runner_.run(all, nullptr, BadRecords::kFailure, verdict)) return fault;
    runner_.learn_order_ids();
    if (verdict.kind != Verdict::Kind::kClean) {
      wanted_ = verdict;
      fixed_ = verdict.record;
      end_ = verdict.record + 1;
      const std::string where = " at input " + std::to_string(verdict.record + 1);
      fail((verdict.kind == Verdict::Kind::kCrash ? "the core ends the process"
                                                  : "a record cannot be applied") +
           where + ": " + verdict.text);
      return {};
    }
    if (!options_.against.empty()) return find_disagreement();
    if (!options_.expect.empty()) return find_difference();
    return find_divergence();
  }

  void fail(std::string sentence) {
    result_.failed = true;
    result_.failure = std::move(sentence);
  }

  ipc::Fault find_disagreement() {
    Places all(log_.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    bool fails = false;
    if (ipc::Fault fault = disagree(all, fails)) return fault;
    if (fails) fail("the two programs disagree: " + disagreement_);
    return {};
  }

  ipc::Fault find_difference() {
    LineComparison comparison;
    if (ipc::Fault fault = comparison.open(options_.expect)) return fault;
    WholeReports reports;
    if (ipc::Fault fault = reports.start(log_.configuration)) return fault;
    std::size_t place = 0;
    for (; place < log_.size() && !comparison.differs(); ++place) {
      const auto change = log_.changes.find(place);
      if (change != log_.changes.end()) {
        if (ipc::Fault fault = reports.reconfigure(change->second)) return fault;
      }
      if (const char* reason = reports.apply({place + 1, log_.record(place)})) return {reason};
      for (std::size_t i = 0; i < reports.size(); ++i) {
        if (!comparison.take(reports.line(i))) break;
      }
    }
    comparison.finish(!options_.cut);
    if (comparison.fault()) return comparison.fault();
    if (!comparison.differs()) return {};
    result_.details = comparison.describe();
    fail("the reports differ from " + options_.expect + " at line " +
         std::to_string(comparison.lines()));
    sign_from(comparison);
    return {};
  }

  // Which report a smaller log has to get as wrong as the whole log.
  void sign_from(const LineComparison& comparison) {
    const auto sequence_of = [](const std::string& line) {
      const std::string text = value_at(line, "sequence");
      return text.empty() ? SIZE_MAX : static_cast<std::size_t>(std::stoull(text));
    };
    const std::size_t expected = sequence_of(comparison.expected());
    const std::size_t got = sequence_of(comparison.got());
    if (got == SIZE_MAX || expected < got) {
      // A report is missing.
      sign_ = sign_of(comparison.expected());
      sign_.wanted = false;
      sign_.record = expected - 1;
    } else {
      sign_ = sign_of(comparison.got());
      sign_.record = got - 1;
      add_values(comparison);
    }
    if (sign_.record >= log_.size()) {
      result_.cut_only = true;
      return;
    }
    fixed_ = sign_.record;
    end_ = sign_.record + 1;
    wanted_ = {Verdict::Kind::kSign, sign_.record, {}};
  }

  void add_values(const LineComparison& comparison) {
    if (comparison.expected().empty()) return;
    for (const std::string& difference : differing_keys(comparison.expected(), comparison.got())) {
      const std::string path = difference.substr(0, difference.find(':'));
      if (!names_something(path)) {
        sign_.values.emplace_back(path, value_at(comparison.got(), path));
      }
    }
    // Nothing but numbers differs: a smaller log has other numbers, right or wrong.
    if (sign_.values.empty()) result_.cut_only = true;
  }

  ipc::Fault find_divergence() {
    class Nobody final : public core::ReportSink {
      void deliver(core::SessionSlot, const core::Report&) noexcept override {}
    } nobody;
    ReplayEngine engine(nobody);
    if (ipc::Fault fault = engine.start(log_.configuration)) return fault;
    auto mark = log_.marks.begin();
    for (std::size_t place = 0; place < log_.size() && mark != log_.marks.end(); ++place) {
      const auto change = log_.changes.find(place);
      if (change != log_.changes.end()) {
        if (ipc::Fault fault = engine.reconfigure(change->second)) return fault;
      }
      core::apply(*engine, log_.record(place).data());
      if (mark->sequence > place + 1) continue;
      if (mark->digest != engine->digest()) {
        end_ = place + 1;
        result_.cut_only = true;
        fail("the state after input " + std::to_string(place + 1) +
             " has another digest than the log says");
        return {};
      }
      ++mark;
    }
    return {};
  }

  // ---- attempts

  ipc::Fault still_fails(const Places& places, bool& fails) {
    if (options_.progress) options_.progress(places.size(), result_.attempts);
    ++result_.attempts;
    const Places kept = with_fixed(places);
    if (!disagreement_.empty()) return disagree(kept, fails);
    Verdict verdict;
    const bool by_sign = wanted_.kind == Verdict::Kind::kSign;
    const BadRecords bad_records = wanted_.kind == Verdict::Kind::kBadRecord
                                       ? BadRecords::kFailureAtEnd
                                       : BadRecords::kLeftOut;
    if (ipc::Fault fault = runner_.run(kept, by_sign ? &sign_ : nullptr, bad_records, verdict)) {
      return fault;
    }
    fails = verdict == wanted_;
    return {};
  }

  // Runs both programs on a journal of these records.
  ipc::Fault disagree(const Places& kept, bool& fails) {
    Verdict verdict;
    if (ipc::Fault fault = runner_.run(kept, nullptr, BadRecords::kLeftOut, verdict)) return fault;
    char folder[] = "/tmp/shmatch-minimize-XXXXXX";
    if (::mkdtemp(folder) == nullptr) return ipc::system_fault("cannot make a folder", errno);
    std::string own;
    std::string other;
    ipc::Fault fault = write_journal(as_applied(kept), folder);
    if (!fault) fault = replay_with(options_.own_program, folder, own);
    if (!fault) fault = replay_with(options_.against, folder, other);
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
    fails = own != other;
    if (fails) disagreement_ = "this one says " + own + "; " + options_.against + " says " + other;
    return fault;
  }

  // The head that prepares the replay, `places`, and the record that fails, in order.
  Places with_fixed(const Places& places) const {
    Places kept(log_.preparing_records);
    std::iota(kept.begin(), kept.end(), std::size_t{0});
    kept.insert(kept.end(), places.begin(), places.end());
    if (fixed_) kept.push_back(*fixed_);
    return kept;
  }

  // Delta debugging: leaves out halves, then quarters, ... then single records, until no single one
  // can be left out any more.
  ipc::Fault shrink(Places& places) {
    std::size_t chunk = std::max<std::size_t>(1, places.size() / 2);
    for (;;) {
      bool any = false;
      for (std::size_t at = 0; at < places.size();) {
        Places fewer(places.begin(), places.begin() + static_cast<std::ptrdiff_t>(at));
        const std::size_t behind = std::min(places.size(), at + chunk);
        fewer.insert(fewer.end(), places.begin() + static_cast<std::ptrdiff_t>(behind),
                     places.end());
        bool fails = false;
        if (ipc::Fault fault = still_fails(fewer, fails)) return fault;
        if (fails) {
          places = std::move(fewer);
          std::erase_if(places, [&](std::size_t place) { return !runner_.applied(place); });
          any = true;
        } else {
          at = behind;
        }
      }
      if (chunk == 1 && !any) return {};
      if (!any || chunk > places.size()) chunk = std::max<std::size_t>(1, chunk / 2);
      if (places.empty()) return {};
    }
  }

  // ---- the smaller log

  ipc::Fault take(const Places& places) {
    const Places kept = with_fixed(places);
    Verdict verdict;
    if (ipc::Fault fault = runner_.run(kept, nullptr, BadRecords::kLeftOut, verdict)) return fault;
    result_.log = as_applied(kept);
    if (result_.cut_only) {
      for (const ipc::DigestMark& mark : log_.marks) {
        if (mark.sequence <= end_) result_.log.marks.push_back(mark);
      }
    }
    return {};
  }

  LoadedLog as_applied(const Places& kept) const {
    LoadedLog log;
    log.configuration = log_.configuration;
    log.preparing_records = log_.preparing_records;
    log.offsets.push_back(0);
    for (const std::size_t place : kept) {
      // The record that cannot be applied is the failure.
      if (!runner_.applied(place) && place != fixed_) continue;
      const std::vector<std::uint64_t> words = runner_.record_as_applied(place);
      const auto change = log_.changes.find(place);
      if (change != log_.changes.end()) log.changes.emplace(log.size(), change->second);
      log.words.insert(log.words.end(), words.begin(), words.end());
      log.offsets.push_back(log.words.size());
    }
    return log;
  }

  const LoadedLog& log_;
  const MinimizeOptions& options_;
  Minimized& result_;
  AttemptRunner runner_;
  std::size_t end_ = 0;               // records from here on do not matter
  std::optional<std::size_t> fixed_;  // the record at which it fails
  Verdict wanted_;
  ReportSign sign_;
  std::string disagreement_;  // not empty: what fails is that two programs disagree
};

}  // namespace

ipc::Fault load(InputStream& input, LoadedLog& log, core::Sequence until) {
  if (input.initial_state() != nullptr) {
    return {
        "this journal starts from a snapshot: it can only be replayed on the core, and as a whole"};
  }
  log.configuration = input.configuration();
  log.preparing_records = input.preparing_records();
  log.offsets.push_back(0);
  InputBatch batch;
  InputStream::Next next = InputStream::Next::kEnd;
  while (log.size() < until && (next = input.next(batch)) == InputStream::Next::kBatch) {
    if (batch.configuration != nullptr) log.changes.emplace(log.size(), *batch.configuration);
    log.marks.insert(log.marks.end(), batch.marks.begin(), batch.marks.end());
    std::span<const std::uint64_t> rest = batch.words;
    for (std::uint32_t i = 0; i < batch.record_count; ++i) {
      const std::size_t size = rest.empty() ? 0 : core::input_words(rest[0]);
      if (size == 0 || size > rest.size()) return {"a record's length is wrong"};
      log.words.insert(log.words.end(), rest.begin(),
                       rest.begin() + static_cast<std::ptrdiff_t>(size));
      log.offsets.push_back(log.words.size());
      rest = rest.subspan(size);
    }
  }
  if (next == InputStream::Next::kFault) return input.fault();
  log.cut(until);
  return {};
}

ipc::Fault minimize(const LoadedLog& log, const MinimizeOptions& options, Minimized& result) {
  return Minimizer(log, options, result).run();
}

}  // namespace shmatch::tools
