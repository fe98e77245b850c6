// journal: looks at an engine's journal, checks it, repairs it, makes a snapshot of it.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/configuration_bytes.h"
#include "ipc/journal_repair.h"
#include "ipc/make_snapshot.h"
#include "tools/command.h"
#include "tools/digest_text.h"
#include "tools/flag_checks.h"
#include "tools/journal_verify.h"
#include "tools/open_log.h"
#include "tools/progress_bar.h"
#include "tools/read_ahead.h"
#include "tools/record_text.h"
#include "tools/replay_journal.h"
#include "tools/replay_run.h"
#include "tools/replay_summary.h"
#include "tools/request_text.h"
#include "tools/text_table.h"
#include "tools/text_view.h"

namespace shmatch::tools {

namespace {

void require(const ipc::Fault& fault) {
  if (fault) throw ExitError(kExitRefused, fault.text);
}

void require_folder(const std::string& folder) {
  if (!std::filesystem::is_directory(folder)) {
    throw ExitError(kExitUsage, "there is no folder " + folder);
  }
}

// A folder without any of a journal's files is most often another folder than was meant.
void require_journal(const std::string& folder) {
  require_folder(folder);
  ipc::PosixFileLayer layer;
  ipc::JournalListing listing;
  require(ipc::list_journal(layer, folder, listing));
  if (listing.segments.empty() && listing.snapshots.empty()) {
    throw ExitError(kExitRefused, folder + " holds no journal");
  }
}

bool in_use(ipc::FileLayer& layer, const std::string& folder) {
  bool owned = false;
  require(ipc::find_owner(layer, folder, owned));
  return owned;
}

// ---- stat

struct Stat {
  ReplayOutcome outcome;
  core::Sequence first_sequence = 0;
  std::vector<ipc::UsedFile> files;
  std::vector<ipc::JournalFile> snapshots;
};

std::string stat_json(const Stat& stat) {
  std::string json = R"({"records":)" + std::to_string(stat.outcome.records);
  json += R"(,"last_sequence":)" + std::to_string(stat.outcome.last_sequence);
  json += R"(,"digest":")" + digest_text(stat.outcome.digest) + "\"";
  json += R"(,"files":[)";
  bool first = true;
  for (const ipc::UsedFile& file : stat.files) {
    json += first ? "{" : ",{";
    first = false;
    json += R"("path":)" + json_string(file.name);
    json += R"(,"used_bytes":)" + std::to_string(file.used_bytes) + "}";
  }
  json += R"(],"snapshots":[)";
  first = true;
  for (const ipc::JournalFile& file : stat.snapshots) {
    json += first ? "{" : ",{";
    first = false;
    json += R"("path":)" + json_string(file.name);
    json += R"(,"sequence":)" + std::to_string(file.sequence) + "}";
  }
  return json + "]}";
}

std::string stat_text(const Stat& stat, const JournalInput& journal) {
  std::uint64_t bytes = 0;
  TextTable table({{"File", false}, {"Bytes used"}});
  for (const ipc::UsedFile& file : stat.files) {
    table.add({file.name, with_commas(file.used_bytes)});
    bytes += file.used_bytes;
  }
  for (const ipc::JournalFile& file : stat.snapshots) table.add({file.name, "snapshot"});
  const core::Sequence last = stat.outcome.last_sequence;
  std::string text = count_of(stat.outcome.records, "record");
  if (stat.outcome.records > 0) {
    text += ", inputs " + std::to_string(last - stat.outcome.records + 1) + " to " +
            std::to_string(last);
  }
  text += ", " + count_of(bytes, "byte") + (journal.owned() ? ", in use\n" : "\n");
  text += "Digest  " + digest_text(stat.outcome.digest) + "\n\n" + table.text();
  if (journal.torn_end() != nullptr) text += "\n" + torn_sentence(*journal.torn_end()) + "\n";
  return text;
}

int run_stat(const GlobalOptions& global, const std::string& folder) {
  require_journal(folder);
  ipc::PosixFileLayer layer;
  JournalInput journal(layer);
  require(journal.open(folder));
  ProgressBar bar("stat");
  ReplaySettings settings;
  settings.progress = [&](double share) { bar.show(share); };
  ReadAhead input(journal);
  Stat stat;
  stat.outcome = Replay(input, std::move(settings)).run();
  input.stop();
  bar.clear();
  require(stat.outcome.fault);
  stat.files = journal.reader().files();
  ipc::JournalListing listing;
  require(ipc::list_journal(layer, folder, listing));
  stat.snapshots = listing.snapshots;
  if (global.json) {
    print_line(stat_json(stat));
  } else {
    print(stat_text(stat, journal));
  }
  return stat.outcome.failed() ? kExitRefused : kExitDone;
}

// ---- verify

int run_verify(const GlobalOptions& global, const std::string& folder, bool files_only) {
  require_journal(folder);
  ProgressBar bar("verify");
  VerifyOptions options;
  options.apply_records = !files_only;
  options.progress = [&](double share) { bar.show(share); };
  Verification result;
  ipc::PosixFileLayer layer;
  require(verify_journal(layer, folder, options, result));
  bar.clear();
  if (global.json) {
    std::string json = result.damage.empty() ? R"({"valid":true)" : R"({"valid":false)";
    json += R"(,"records":)" + std::to_string(result.records);
    json += R"(,"groups":)" + std::to_string(result.groups);
    json += R"(,"digest_marks":)" + std::to_string(result.marks);
    json += R"(,"in_use":)" + std::string(result.in_use ? "true" : "false") + R"(,"damage":[)";
    for (std::size_t i = 0; i < result.damage.size(); ++i) {
      json += (i == 0 ? "" : ",") + json_string(result.damage[i]);
    }
    print_line(json + "]}");
  } else {
    std::string text;
    for (const std::string& damage : result.damage) text += damage + "\n";
    // Not all of them are damage: a file of another version is none.
    text += result.damage.empty() ? "Whole: "
                                  : count_of(result.damage.size(), "fault") + ". Readable: ";
    text += count_of(result.records, "record") + " in " + count_of(result.groups, "group") +
            " and " + count_of(result.segments, "file");
    if (result.snapshots > 0) text += ", " + count_of(result.snapshots, "snapshot");
    if (result.marks > 0) text += ", " + count_of(result.marks, "digest") + " recomputed";
    print(text + (result.in_use ? ", in use\n" : "\n"));
  }
  return result.damage.empty() ? kExitDone : kExitRefused;
}

// ---- dump

struct DumpRange {
  std::optional<core::Sequence> from;
  std::optional<core::Sequence> to;
};

std::string group_line(const ipc::JournalReader& reader, const ipc::JournalGroup& group) {
  const ipc::GroupHeader& header = group.header;
  std::string text = "-- " + reader.segment().name + " at byte " + std::to_string(group.offset) +
                     ": " + count_of(header.record_count, "record");
  text += ", durable up to " + std::to_string(header.durable_sequence);
  if (header.digest.sequence != 0) {
    text += ", digest after " + std::to_string(header.digest.sequence) + " " +
            digest_text(header.digest.digest);
  }
  return text + "\n";
}

std::string group_json(const ipc::JournalReader& reader, const ipc::JournalGroup& group) {
  const ipc::GroupHeader& header = group.header;
  std::string json = R"({"group":{"file":)" + json_string(reader.segment().name);
  json += R"(,"offset":)" + std::to_string(group.offset);
  json += R"(,"records":)" + std::to_string(header.record_count);
  json += R"(,"first_sequence":)" + std::to_string(header.first_sequence);
  json += R"(,"durable_sequence":)" + std::to_string(header.durable_sequence);
  if (header.digest.sequence != 0) {
    json += R"(,"digest_sequence":)" + std::to_string(header.digest.sequence);
    json += R"(,"digest":")" + digest_text(header.digest.digest) + "\"";
  }
  return json + "}}\n";
}

class Dump {
 public:
  Dump(const GlobalOptions& global, const std::string& folder, const DumpRange& range, bool groups)
      : json_(global.json),
        folder_(folder),
        range_(range),
        from_(range.from.value_or(0)),
        groups_(groups) {
    if (range.to && from_ > *range.to) {
      throw ExitError(kExitUsage, "--from " + std::to_string(from_) + " is behind --to " +
                                      std::to_string(*range.to));
    }
  }

  int run() {
    require_journal(folder_);
    const bool owned = in_use(layer_, folder_);
    ipc::JournalReader reader(layer_, folder_,
                              owned ? ipc::ReadMode::kFollow : ipc::ReadMode::kWhole);
    require(reader.open());
    const core::Sequence first = reader.last_sequence() + 1;
    require_input(range_.from, "--from", first, folder_);
    require_input(range_.to, "--to", first, folder_);
    ipc::JournalGroup group;
    ipc::JournalNext next = ipc::JournalNext::kEnd;
    while ((next = reader.next_group(group)) == ipc::JournalNext::kGiven) {
      if (range_.to && group.header.first_sequence > *range_.to) break;
      if (!take(reader, group)) break;
      if (text_.size() > kFlushAt) flush();
    }
    flush();
    if (next == ipc::JournalNext::kFault) throw ExitError(kExitRefused, reader.fault().text);
    if (next == ipc::JournalNext::kTornEnd) {
      throw ExitError(kExitRefused, torn_sentence(reader.torn_end()));
    }
    return kExitDone;
  }

 private:
  static constexpr std::size_t kFlushAt = 1U << 16;

  bool take(const ipc::JournalReader& reader, const ipc::JournalGroup& group) {
    if (reader.segment().name != segment_ && !enter(reader)) return false;
    if (groups_ && group.header.end_sequence() > from_) {
      text_ += json_ ? group_json(reader, group) : group_line(reader, group);
    }
    std::span<const std::uint64_t> rest = group.records;
    for (std::uint32_t i = 0; i < group.header.record_count; ++i) {
      const InputRecord record{group.header.first_sequence + i,
                               rest.first(core::input_words(rest[0]))};
      rest = rest.subspan(record.words.size());
      records_->see(record);
      if (record.sequence < from_ || (range_.to && record.sequence > *range_.to)) continue;
      text_ += (json_ ? records_->json(record) : records_->line(record)) + "\n";
    }
    return true;
  }

  // A new file, and perhaps a new configuration.
  bool enter(const ipc::JournalReader& reader) {
    segment_ = reader.segment().name;
    const std::vector<std::byte>& bytes = reader.segment().configuration;
    core::Configuration configuration;
    const std::string fault = core::decode_configuration(
        {reinterpret_cast<const char*>(bytes.data()), bytes.size()}, configuration);
    if (!fault.empty()) throw ExitError(kExitRefused, folder_ + "/" + segment_ + ": " + fault);
    if (records_) {
      records_->configure(configuration);
    } else {
      records_.emplace(configuration);
    }
    return true;
  }

  void flush() { print(std::exchange(text_, {})); }

  bool json_;
  std::string folder_;
  DumpRange range_;
  core::Sequence from_;
  bool groups_;
  ipc::PosixFileLayer layer_;
  std::string segment_;
  std::optional<RecordText> records_;
  std::string text_;
};

// ---- repair

// "FILE:OFFSET"; FILE is a name in the journal's folder, or its path.
std::pair<std::string, std::uint64_t> parse_place(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  const std::string digits = colon == std::string::npos ? "" : text.substr(colon + 1);
  const bool number = !digits.empty() && digits.size() < 19 &&
                      digits.find_first_not_of("0123456789") == std::string::npos;
  if (!number) throw ExitError(kExitUsage, "--truncate-at takes FILE:OFFSET, not " + text);
  return {std::filesystem::path(text.substr(0, colon)).filename().string(), std::stoull(digits)};
}

int run_repair(const GlobalOptions& global, const std::string& folder, const std::string& place,
               bool only_look) {
  require_folder(folder);
  const auto [name, offset] = parse_place(place);
  ipc::PosixFileLayer layer;
  ipc::JournalFolder owner(layer);
  // Refused while an engine serves from it.
  require(owner.take(folder));
  ipc::Loss loss;
  require(ipc::truncate_journal(layer, folder, name, offset, only_look, loss));
  if (global.json) {
    std::string json = R"({"done":)" + std::string(only_look ? "false" : "true");
    json += R"(,"lost_bytes":)" + std::to_string(loss.bytes);
    json += R"(,"lost_groups":)" + std::to_string(loss.groups);
    json += R"(,"lost_records":)" + std::to_string(loss.records);
    json += R"(,"first_lost_sequence":)" + std::to_string(loss.first_sequence);
    json += R"(,"last_lost_sequence":)" + std::to_string(loss.last_sequence);
    json += R"(,"last_sequence":)" + std::to_string(loss.remaining_sequence);
    json += R"(,"removed":[)";
    for (std::size_t i = 0; i < loss.removed.size(); ++i) {
      json += (i == 0 ? "" : ",") + json_string(loss.removed[i]);
    }
    print_line(json + "]}");
    return kExitDone;
  }
  std::string text = only_look ? "Would be lost: " : "Lost: ";
  text += count_of(loss.bytes, "byte") + ", " + count_of(loss.records, "readable record");
  if (loss.records > 0) {
    text += " (inputs " + std::to_string(loss.first_sequence) + " to " +
            std::to_string(loss.last_sequence) + ")";
  }
  text += "\n";
  for (const std::string& removed : loss.removed) {
    text += (only_look ? "Would be removed: " : "Removed: ") + removed + "\n";
  }
  print(text + "The journal ends with input " + std::to_string(loss.remaining_sequence) + "\n");
  return kExitDone;
}

// ---- snapshot

// The newest input that a snapshot may hold: one that a crash cannot take away any more.
ipc::Fault durable_end(ipc::FileLayer& layer, const std::string& folder, bool owned,
                       core::Sequence& sequence) {
  ipc::JournalReader reader(layer, folder, owned ? ipc::ReadMode::kFollow : ipc::ReadMode::kWhole);
  if (ipc::FileFault fault = reader.open()) return fault;
  ipc::JournalGroup group;
  ipc::JournalNext next = ipc::JournalNext::kEnd;
  while ((next = reader.next_group(group)) == ipc::JournalNext::kGiven) {
  }
  sequence = reader.durable_sequence();
  return next == ipc::JournalNext::kFault ? reader.fault() : ipc::FileFault{};
}

int run_snapshot(const GlobalOptions& global, const std::string& folder, bool remove_segments) {
  require_journal(folder);
  ipc::PosixFileLayer layer;
  const bool owned = in_use(layer, folder);
  ipc::SnapshotOptions options;
  options.remove_segments = remove_segments;
  ipc::SnapshotReport report;
  const auto make = [&]() -> ipc::Fault {
    if (ipc::Fault fault = durable_end(layer, folder, owned, options.up_to)) return fault;
    if (options.up_to == 0) return {folder + " holds no durable records"};
    report = {};
    return ipc::make_snapshot(layer, folder, options, report);
  };
  require(owned ? ipc::read_while_files_go(layer, folder, make) : make());
  if (global.json) {
    std::string json = R"({"sequence":)" + std::to_string(report.sequence);
    json += R"(,"digest":")" + digest_text(report.digest);
    json += R"(","bytes":)" + std::to_string(report.bytes);
    json += R"(,"path":)" + json_string(report.path) + R"(,"removed":[)";
    for (std::size_t i = 0; i < report.removed.size(); ++i) {
      json += (i == 0 ? "" : ",") + json_string(report.removed[i]);
    }
    print_line(json + "]}");
    return kExitDone;
  }
  if (report.sequence == 0) {
    print("Nothing new: the newest snapshot holds input " + std::to_string(options.up_to) + "\n");
    return kExitDone;
  }
  std::string text = report.path + ": the state after input " + std::to_string(report.sequence) +
                     ", " + count_of(report.bytes, "byte") + ", digest " +
                     digest_text(report.digest) + ", read back and compared\n";
  for (const std::string& removed : report.removed) text += "Removed: " + removed + "\n";
  print(text);
  return kExitDone;
}

// ---- command line

struct JournalFlags {
  std::string folder;
  DumpRange range;
  bool groups = false;
  bool files_only = false;
  std::string place;
  bool only_look = false;
  bool remove_segments = false;
};

CLI::App* add(CLI::App& parent, const char* name, const char* help, JournalFlags& flags) {
  CLI::App* command = parent.add_subcommand(name, help);
  command->add_option("DIR", flags.folder, "the journal's folder")->required();
  return command;
}

}  // namespace

void add_journal_command(CLI::App& app, CommandLine& line) {
  auto flags = std::make_shared<JournalFlags>();
  CLI::App* command = app.add_subcommand("journal", "Look at, check or repair an engine's journal");
  command->require_subcommand(1);
  const auto runs = [&line, flags](CLI::App* sub, auto run) {
    sub->callback([&line, flags, run] {
      line.run = [&line, flags, run] { return run(line.global, *flags); };
    });
  };

  CLI::App* stat = add(*command, "stat", "Count the records and recompute the digest", *flags);
  runs(stat, [](const GlobalOptions& global, const JournalFlags& f) {
    return run_stat(global, f.folder);
  });

  CLI::App* verify = add(*command, "verify",
                         "Check every byte, apply every record and compare the digests", *flags);
  verify->add_flag("--files-only", flags->files_only, "do not apply the records");
  runs(verify, [](const GlobalOptions& global, const JournalFlags& f) {
    return run_verify(global, f.folder, f.files_only);
  });

  CLI::App* dump = add(*command, "dump", "Print the records, one a line", *flags);
  dump->add_option("--from", flags->range.from, "first input to print")->check(number());
  dump->add_option("--to", flags->range.to, "last input to print")->check(number());
  dump->add_flag("--groups", flags->groups, "print a line for each commit group as well");
  runs(dump, [](const GlobalOptions& global, const JournalFlags& f) {
    return Dump(global, f.folder, f.range, f.groups).run();
  });

  CLI::App* repair = add(*command, "repair",
                         "Force a damaged journal to end at a place that verify named", *flags);
  repair->add_option("--truncate-at", flags->place, "FILE:OFFSET, where the journal shall end")
      ->required();
  repair->add_flag("--only-look", flags->only_look, "change nothing, only say what would be lost");
  runs(repair, [](const GlobalOptions& global, const JournalFlags& f) {
    return run_repair(global, f.folder, f.place, f.only_look);
  });

  CLI::App* snapshot = add(*command, "snapshot", "Write a snapshot of the newest state", *flags);
  snapshot->add_flag("--remove-segments", flags->remove_segments,
                     "remove the files that the snapshot makes superfluous");
  runs(snapshot, [](const GlobalOptions& global, const JournalFlags& f) {
    return run_snapshot(global, f.folder, f.remove_segments);
  });

  command->footer(
      "A journal that an engine is writing may be looked at; repair is refused then.\n"
      "Exit status: 0 whole or done, 1 damaged, or refused, 2 usage.\n"
      "Examples:\n"
      "  shmatch --json journal stat /var/lib/shmatch/journal\n"
      "  shmatch journal dump /var/lib/shmatch/journal --from 1000 --to 1020");
}

}  // namespace shmatch::tools
