// replay: a captured log or an engine's own journal, again: on the core alone, or through the rings
// of a live engine; compared, explained, cut, made smaller.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "tools/command.h"
#include "tools/digest_text.h"
#include "tools/flag_checks.h"
#include "tools/log_writer.h"
#include "tools/open_log.h"
#include "tools/pacer.h"
#include "tools/progress_bar.h"
#include "tools/read_ahead.h"
#include "tools/record_text.h"
#include "tools/replay_book.h"
#include "tools/replay_live.h"
#include "tools/replay_minimize.h"
#include "tools/replay_output.h"
#include "tools/replay_run.h"
#include "tools/replay_story.h"
#include "tools/replay_summary.h"
#include "tools/replay_trouble.h"
#include "tools/request_text.h"

namespace shmatch::tools {

namespace {

// Inputs of a log that is small enough to be shown.
constexpr std::size_t kSmallLog = 40;

struct ReplayFlags {
  LogChoice log;
  std::string pace = "asap";
  std::string through;
  std::uint32_t clients = 1;
  std::string out;
  std::string expect;
  std::optional<core::Sequence> until;
  std::optional<core::OrderId> explain;
  std::optional<core::Sequence> book_at;
  core::InstrumentId instrument = 0;
  std::uint32_t depth = 10;
  std::string minimize;
  std::string against;
};

class ReplayCommand {
 public:
  ReplayCommand(const GlobalOptions& global, const ReplayFlags& flags)
      : global_(global), flags_(flags) {
    flags_.log.user = global.user;
    flags_.log.one_by_one = may_end_early();
    const std::optional<Pacer> pacer = Pacer::parse(flags.pace);
    if (!pacer) {
      throw ExitError(kExitUsage, "--pace takes asap, original, xN or rate=R, not " + flags.pace);
    }
    pacer_ = *pacer;
  }

  int run() {
    OpenLog log(flags_.log);
    if (log.journal() != nullptr) require_known_inputs(*log.journal());
    if (!flags_.expect.empty()) require_readable(flags_.expect);
    if (!flags_.minimize.empty()) return minimize(log);
    if (!flags_.through.empty()) return through(log);
    if (flags_.explain) return explain(log);
    if (flags_.book_at) return show_book(log);
    return replay(log);
  }

 private:
  // Then only what was read up to there may be counted.
  bool may_end_early() const { return flags_.until || !flags_.expect.empty(); }

  // The state from which the replay starts is known as well.
  void require_known_inputs(const JournalInput& journal) const {
    const core::Sequence start = journal.start_sequence();
    const std::string log = "the replay of " + flags_.log.path;
    const auto check = [&](const std::optional<core::Sequence>& asked, const char* flag) {
      if (asked != start) require_input(asked, flag, start + 1, log);
    };
    check(flags_.until, "--until");
    check(flags_.book_at, "--book-at");
  }

  // A folder can be opened like a file, and to an empty file every report would be a difference.
  static void require_readable(const std::string& path) {
    const int error = ::access(path.c_str(), R_OK) != 0     ? errno
                      : std::filesystem::is_directory(path) ? EISDIR
                                                            : 0;
    if (error != 0) require(ipc::system_fault("cannot read " + path, error), kExitNoEngine);
  }

  ReplaySettings settings(ProgressBar& bar) {
    ReplaySettings settings;
    if (flags_.until) settings.until = *flags_.until;
    settings.progress = [&bar](double share) { bar.show(share); };
    if (!pacer_.asap()) {
      settings.pace = [this](core::TimeNs time) { Pacer::wait(pacer_.next(time)); };
    }
    return settings;
  }

  int replay(OpenLog& log) {
    LineFile file;
    LineComparison comparison;
    std::optional<ReportStream> writing;
    std::optional<ReportStream> comparing;
    ProgressBar bar("replay");
    std::optional<ReadAhead> ahead;
    if (!may_end_early()) ahead.emplace(log.input());
    Replay run(ahead ? *ahead : log.input(), settings(bar));
    if (!flags_.out.empty()) {
      require(file.open(flags_.out));
      run.add(writing.emplace(file));
    }
    if (!flags_.expect.empty()) {
      require(comparison.open(flags_.expect), kExitNoEngine);
      run.add(comparing.emplace(comparison));
    }
    const ReplayOutcome outcome = run.run();
    if (ahead) ahead->stop();
    bar.clear();
    require(file.close());
    if (writing) require(writing->fault(), kExitRefused);
    if (comparing) require(comparing->fault(), kExitRefused);
    require(comparison.fault(), kExitNoEngine);
    comparison.finish(!flags_.until && !outcome.failed() && !flags_.expect.empty());
    show(log, run, outcome, comparison);
    return outcome.failed() || comparison.differs() ? kExitRefused : kExitDone;
  }

  // The first request is read for its time, which is that of the logons before it.
  ReplayOrigin origin(OpenLog& log) const {
    ReplayOrigin origin = log.origin();
    origin.counted = !flags_.until || *flags_.until > log.input().preparing_records();
    return origin;
  }

  void show(OpenLog& log, const Replay& run, const ReplayOutcome& outcome,
            const LineComparison& comparison) {
    if (!run.started()) throw ExitError(kExitRefused, outcome.fault.text);
    if (global_.json) {
      std::string json = "{" + outcome_json(outcome, run.engine()) + origin_json(origin(log));
      if (!flags_.expect.empty()) json += difference_json(comparison);
      print_line(json + "}");
      return;
    }
    // Where the reports go to standard output, they are all that is wanted there.
    const std::string text = origin_text(origin(log)) + outcome_text(outcome, run.engine());
    if (flags_.out == "-") {
      std::fputs(text.c_str(), stderr);
    } else {
      print(text);
    }
    if (!flags_.expect.empty()) {
      print(comparison.differs() ? "\n" + comparison.describe()
                                 : with_commas(comparison.lines()) + " reports as expected by " +
                                       flags_.expect + "\n");
    }
    if (outcome.divergence) print(divergence_text(flags_.log, *outcome.divergence));
    if (outcome.bad_record) print(bad_record_text(flags_.log, *outcome.bad_record));
    if (outcome.fault) throw ExitError(kExitRefused, outcome.fault.text);
  }

  static std::string difference_json(const LineComparison& comparison) {
    if (!comparison.differs()) return R"(,"difference":null)";
    std::string json = R"(,"difference":{"line":)" + std::to_string(comparison.lines());
    json += R"(,"expected":)" + json_string(comparison.expected());
    json += R"(,"got":)" + json_string(comparison.got()) + R"(,"keys":[)";
    bool first = true;
    for (const std::string& key : differing_keys(comparison.expected(), comparison.got())) {
      json += (first ? "" : ",") + json_string(key);
      first = false;
    }
    return json + "]}";
  }

  int explain(OpenLog& log) {
    ProgressBar bar("replay");
    Replay run(log.input(), settings(bar));
    OrderStory story(*flags_.explain);
    run.add(story);
    const ReplayOutcome outcome = run.run();
    bar.clear();
    if (outcome.fault) throw ExitError(kExitRefused, outcome.fault.text);
    if (global_.json) {
      print_line(story.json());
    } else {
      print(story.found() ? story.text() : unknown_order(log));
    }
    return story.found() && !outcome.failed() ? kExitDone : kExitRefused;
  }

  std::string unknown_order(const OpenLog& log) const {
    const core::Sequence start = log.journal() == nullptr ? 0 : log.journal()->start_sequence();
    std::string text = "There was no order " + std::to_string(*flags_.explain);
    if (start != 0) text += " behind input " + std::to_string(start) + ", where this replay starts";
    if (flags_.until) text += " up to input " + std::to_string(*flags_.until);
    return text + ".\n";
  }

  int show_book(OpenLog& log) {
    ProgressBar bar("replay");
    ReplaySettings chosen = settings(bar);
    chosen.until = *flags_.book_at;
    Replay run(log.input(), std::move(chosen));
    const ReplayOutcome outcome = run.run();
    bar.clear();
    if (outcome.fault) throw ExitError(kExitRefused, outcome.fault.text);
    if (outcome.last_sequence < *flags_.book_at) {
      throw ExitError(kExitRefused,
                      "the log ends with input " + std::to_string(outcome.last_sequence));
    }
    const bool known = ReferenceData(run.configuration()).instrument(flags_.instrument) != nullptr;
    if (flags_.instrument != 0 && !known) {
      throw ExitError(kExitRefused, "there is no instrument " + std::to_string(flags_.instrument));
    }
    if (global_.json) {
      print_line(book_json(run.engine(), run.configuration(), flags_.instrument, flags_.depth));
    } else {
      print("After input " + std::to_string(outcome.last_sequence) + "\n" +
            book_text(run.engine(), run.configuration(), flags_.instrument, flags_.depth));
    }
    return outcome.failed() ? kExitRefused : kExitDone;
  }

  LoadedLog loaded(OpenLog& log) {
    LoadedLog loaded;
    constexpr core::Sequence kAll = std::numeric_limits<core::Sequence>::max();
    require(load(log.input(), loaded, flags_.until.value_or(kAll)), kExitRefused);
    return loaded;
  }

  int through(OpenLog& log) {
    const LoadedLog requests = loaded(log);
    ProgressBar bar("replay");
    LiveOptions options;
    options.socket = flags_.through;
    options.clients = flags_.clients;
    options.pacer = pacer_;
    const auto total = static_cast<double>(std::max<std::size_t>(1, requests.size()));
    options.progress = [&](std::uint64_t answered) {
      bar.show(static_cast<double>(answered) / total, with_commas(answered) + " answered");
    };
    const LiveResult result = replay_live(requests, options);
    bar.clear();
    const std::string shortfall = live_shortfall(result);
    if (nobody_logged_on(result)) throw ExitError(kExitNoEngine, shortfall);
    if (global_.json) {
      print_line("{" + live_json(result) + origin_json(origin(log)) + "}");
    } else {
      print(origin_text(origin(log)) + live_text(result));
    }
    if (!shortfall.empty()) throw ExitError(kExitRefused, shortfall);
    return kExitDone;
  }

  int minimize(OpenLog& log) {
    const LoadedLog whole = loaded(log);
    const bool frames = flags_.minimize.ends_with(".jsonl");
    if (frames && (log.source() == nullptr || !frames_fit(whole))) {
      throw ExitError(kExitUsage,
                      "frames cannot carry this log's configuration; name a folder, for a journal");
    }
    ProgressBar bar("minimize");
    MinimizeOptions options;
    options.expect = flags_.expect;
    options.cut = flags_.until.has_value();
    options.against = flags_.against;
    options.own_program = std::filesystem::read_symlink("/proc/self/exe").string();
    const auto total = static_cast<double>(std::max<std::size_t>(1, whole.size()));
    options.progress = [&](std::size_t left, std::size_t attempts) {
      bar.show(1 - static_cast<double>(left) / total,
               with_commas(left) + " records, " + with_commas(attempts) + " attempts");
    };
    Minimized result;
    require(tools::minimize(whole, options, result));
    bar.clear();
    if (!result.failed) throw ExitError(kExitRefused, nothing_wrong(whole));
    require(frames ? write_frames(result.log, flags_.minimize)
                   : write_journal(result.log, flags_.minimize));
    show_minimized(whole, result);
    return kExitDone;
  }

  std::string nothing_wrong(const LoadedLog& whole) const {
    const std::string sentence = "nothing to make smaller: every record can be applied, and ";
    if (!flags_.against.empty()) return sentence + flags_.against + " comes to the same digests";
    if (!flags_.expect.empty()) return sentence + "the reports are those of " + flags_.expect;
    if (whole.marks.empty()) {
      return sentence + "only --expect or --against could say what else is wrong";
    }
    return sentence + "the digest marks of the log are equal";
  }

  // Frames are replayed with the users and instruments that JSON Lines get.
  bool frames_fit(const LoadedLog& log) const {
    const core::Configuration configuration = frames_configuration(flags_.log);
    const core::Configuration& own = log.configuration;
    return own.oms_id == configuration.oms_id && own.instruments == configuration.instruments &&
           own.users == configuration.users && own.accounts == configuration.accounts;
  }

  std::string why_cut_only() const {
    return flags_.expect.empty()
               ? "digest marks say nothing about a smaller one, --against another build does"
               : "whether a smaller one fails in the same way cannot be told";
  }

  void show_minimized(const LoadedLog& whole, const Minimized& result) {
    const std::size_t before = whole.size() - whole.preparing_records;
    const std::size_t after = result.log.size() - result.log.preparing_records;
    if (global_.json) {
      print_line(R"({"records_before":)" + std::to_string(before) + R"(,"records":)" +
                 std::to_string(after) + R"(,"attempts":)" + std::to_string(result.attempts) +
                 R"(,"cut_only":)" + (result.cut_only ? "true" : "false") + R"(,"file":)" +
                 json_string(flags_.minimize) + R"(,"failure":)" + json_string(result.failure) +
                 "}");
      return;
    }
    std::string text =
        result.details.empty() ? "Failure: " + result.failure + "\n" : result.details;
    text += "\n" + count_of(before, "record") + " became " + with_commas(after) + " in " +
            count_of(result.attempts, "attempt") + ", written to " + flags_.minimize + "\n";
    if (result.cut_only) {
      text += "The log was only cut behind the failure: " + why_cut_only() + "\n";
    }
    RecordText records(result.log.configuration);
    for (std::size_t place = 0; place < result.log.size() && after <= kSmallLog; ++place) {
      const InputRecord record{place + 1, result.log.record(place)};
      records.see(record);
      if (place >= result.log.preparing_records) text += "  " + records.line(record) + "\n";
    }
    print(text);
  }

  const GlobalOptions& global_;
  ReplayFlags flags_;
  Pacer pacer_;
};

void add_flags(CLI::App& command, ReplayFlags& flags) {
  command
      .add_option("FILE-or-DIR", flags.log.path,
                  "a log file, a journal's folder or one of its segments")
      ->required();
  command
      .add_option("--format", flags.log.format,
                  "instead of by content: one of " + source_format_names())
      ->check(not_empty());
  command
      .add_option("--config", flags.log.config,
                  "engine configuration for logs that bring none; default as of shmatchd")
      ->check(not_empty());
  command
      .add_option("--pace", flags.pace,
                  "asap, original (the log's own time), xN (N times as fast), rate=R (R a second)")
      ->capture_default_str();
  command.add_option("--until", flags.until, "stop after this input")->check(number());
  command.add_flag("--from-snapshot", flags.log.from_snapshot,
                   "start a journal from its newest snapshot instead of its beginning");
  auto* out = command
                  .add_option("--out", flags.out,
                              "write every report as a line of JSON to this file, - for stdout")
                  ->check(not_empty());
  auto* expect =
      command
          .add_option("--expect", flags.expect, "compare the reports with a file that --out wrote")
          ->check(not_empty());
  auto* through = command
                      .add_option("--through", flags.through,
                                  "send the requests to the live engine at this socket instead")
                      ->check(not_empty());
  command.add_option("--clients", flags.clients, "client processes that send them")
      ->check(CLI::Range(1U, kLiveClientsMax))
      ->needs(through)
      ->capture_default_str();
  auto* explain =
      command.add_option("--explain", flags.explain, "tell the whole story of this OrderId")
          ->check(number());
  auto* book = command.add_option("--book-at", flags.book_at, "show the books after this input")
                   ->check(number());
  command.add_option("--instrument-id", flags.instrument, "the only book to show")
      ->check(number<core::InstrumentId>(1))
      ->needs(book);
  command.add_option("--depth", flags.depth, "price levels a side, at least 1")
      ->check(number<std::uint32_t>(1))
      ->needs(book)
      ->capture_default_str();
  auto* minimize = command.add_option(
      "--minimize", flags.minimize,
      "write the smallest part of the log that still fails: a journal's folder, or FILE.jsonl");
  minimize->check(not_empty());
  command
      .add_option("--against", flags.against,
                  "with --minimize: fail where this other shmatch computes other digests")
      ->check(not_empty())
      ->needs(minimize)
      ->excludes(expect);
  for (CLI::Option* exclusive : {through, explain, book, minimize}) exclusive->excludes(out);
  for (CLI::Option* exclusive : {through, explain, book}) {
    exclusive->excludes(expect);
    exclusive->excludes(minimize);
  }
  through->excludes(explain)->excludes(book);
  explain->excludes(book);
}

}  // namespace

void add_replay_command(CLI::App& app, CommandLine& line) {
  auto flags = std::make_shared<ReplayFlags>();
  CLI::App* command =
      app.add_subcommand("replay", "Replay a captured log or a journal, without an engine");
  add_flags(*command, *flags);
  command->footer(
      "Exit status: 0 replayed and nothing differs; 1 a difference, a divergence, damage, or no\n"
      "such order or input; 2 usage, or a log that cannot be read; 3 no --expect file, no engine,\n"
      "or no user of the log who may log on; 4 the engine went away.\n"
      "Examples:\n"
      "  shmatch replay captured.jsonl.xz --out reports.jsonl\n"
      "  shmatch replay captured.jsonl.xz --expect reports.jsonl\n"
      "  shmatch replay /var/lib/shmatch/journal --explain 1234\n"
      "  shmatch replay feed.itch --through /run/shmatch/engine.sock --clients 4 --pace x10");
  command->callback([&line, flags] {
    line.run = [&line, flags] { return ReplayCommand(line.global, *flags).run(); };
  });
}

}  // namespace shmatch::tools
