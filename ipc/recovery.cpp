#include "ipc/recovery.h"

#include <chrono>
#include <cstdio>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "core/configuration_bytes.h"
#include "core/input_record.h"
#include "core/look_ahead.h"

namespace shmatch::ipc {
namespace {

std::string place(const JournalReader& reader) {
  return reader.folder() + "/" + reader.segment().name + " at byte " +
         std::to_string(reader.group().offset);
}

class Recovery {
 public:
  Recovery(JournalReader& reader, Replica& replica, RecoveryReport& report)
      : reader_(reader), replica_(replica), report_(report) {}

  // The newest snapshot that is whole and turns out to be the state that it says.
  Fault load_snapshot(FileLayer& layer, core::Sequence at_most) {
    SnapshotReader snapshot(layer);
    while (true) {
      bool found = false;
      if (FileFault fault = open_newest_snapshot(layer, reader_.folder(), at_most, snapshot, found,
                                                 report_.notes)) {
        return fault;
      }
      if (!found) return {};
      Fault wrong = replica_.load(snapshot);
      if (!wrong) break;
      report_.notes.push_back(std::move(wrong.text));
      at_most = snapshot.header().sequence - 1;
    }
    report_.snapshot_sequence = snapshot.header().sequence;
    chain_ = snapshot.header().input_chain;
    return {};
  }

  Fault run(core::Sequence up_to) {
    const core::Sequence from = report_.snapshot_sequence;
    report_.last_sequence = from;
    const auto begin = Clock::now();
    Fault fault = replay(from, up_to);
    const std::chrono::duration<double> replaying = Clock::now() - begin - preparing_;
    report_.seconds = replaying.count();
    return fault;
  }

 private:
  using Clock = std::chrono::steady_clock;

  Fault replay(core::Sequence from, core::Sequence up_to) {
    if (FileFault fault = reader_.open(from + 1, chain_)) return fault;
    for (JournalRecord record;;) {
      if (up_to != 0 && report_.last_sequence >= up_to) return {};
      switch (reader_.next(record)) {
        case JournalNext::kGiven:
          break;
        case JournalNext::kFault:
          return reader_.fault();
        case JournalNext::kEnd:
        case JournalNext::kTornEnd:
          return compare();
      }
      if (Fault fault = step(record)) return fault;
    }
  }

  Fault step(const JournalRecord& record) {
    if (reader_.segment().header.first_sequence != segment_) {
      if (Fault fault = enter_segment()) return fault;
    }
    if (Fault fault = compare()) return fault;
    hint(record);
    // A start opens a segment of its own, which says when that was.
    const JournalSegment& segment = reader_.segment();
    if (record.sequence == 1 || core::input_kind(record.words[0]) == core::InputKind::kRestart) {
      replica_.begin_run({record.sequence, static_cast<std::uint64_t>(segment.header.created)});
    }
    if (Fault fault = replica_.apply(record.words)) {
      return Fault{"journal: the record " + std::to_string(record.sequence) + " in " +
                   place(reader_) + " cannot follow the state before it: " + fault.text};
    }
    ++report_.records;
    report_.last_sequence = record.sequence;
    return compare();
  }

  // Has what the group's next records need fetched while earlier ones are applied.
  void hint(const JournalRecord& record) noexcept {
    const std::span<const std::uint64_t> rest = reader_.rest_of_group();
    std::uint32_t far_steps = 1;
    std::uint32_t near_steps = 1;
    // A new group, or one that the reader has moved.
    if (record.words.data() != expected_ || rest.data() + rest.size() != group_end_) {
      far_ = near_ = record.words.data();
      group_end_ = rest.data() + rest.size();
      far_steps = core::LookAhead::kFar;
      near_steps = core::LookAhead::kNear;
    }
    expected_ = rest.data();
    if (!hints_) hints_.emplace(replica_.engine());
    for (; far_steps > 0 && far_ < group_end_; --far_steps) {
      hints_->far_record(far_);
      far_ += core::input_words(*far_);
    }
    for (; near_steps > 0 && near_ < far_; --near_steps) {
      hints_->near_record(near_);
      near_ += core::input_words(*near_);
    }
  }

  // A configuration takes effect where a segment with it begins.
  Fault enter_segment() {
    const JournalSegment& segment = reader_.segment();
    segment_ = segment.header.first_sequence;
    core::Configuration configuration;
    const std::string fault = core::decode_configuration(
        {reinterpret_cast<const char*>(segment.configuration.data()), segment.configuration.size()},
        configuration);
    if (!fault.empty()) return Fault{"journal: " + place(reader_) + ": " + fault};
    // Before the first record there is no engine yet. Making one is not replaying.
    const auto begin = Clock::now();
    const Fault failed = report_.last_sequence == 0 ? replica_.create(configuration)
                                                    : replica_.change_configuration(configuration);
    preparing_ += Clock::now() - begin;
    hints_.reset();  // they are about an engine that is no more
    return failed ? Fault{"journal: the configuration of " + reader_.folder() + "/" + segment.name +
                          " cannot be taken: " + failed.text}
                  : Fault{};
  }

  // The mark for a state stands in the group of its last record or in the one behind that.
  Fault compare() {
    const DigestMark& mark = reader_.group().header.digest;
    if (mark.sequence != report_.last_sequence || mark.sequence == 0) return {};
    if (mark.sequence == compared_.sequence && mark.digest == compared_.digest) return {};
    compared_ = mark;
    ++report_.marks;
    const std::uint64_t digest = replica_.engine().digest();
    if (digest == mark.digest) return {};
    char text[128];
    std::snprintf(text, sizeof text, "expected digest %016llx, got %016llx",
                  static_cast<unsigned long long>(mark.digest),
                  static_cast<unsigned long long>(digest));
    return Fault{"journal: the state after input " + std::to_string(mark.sequence) + " (" +
                 place(reader_) + ") is not the one that was recorded: " + text};
  }

  JournalReader& reader_;
  Replica& replica_;
  RecoveryReport& report_;
  std::optional<std::uint64_t> chain_;
  core::Sequence segment_ = 0;
  DigestMark compared_;  // the newest
  std::optional<core::LookAhead> hints_;
  // Where the hints are in the group, and the record that next gives next. near_ <= far_.
  const std::uint64_t* far_ = nullptr;
  const std::uint64_t* near_ = nullptr;
  const std::uint64_t* group_end_ = nullptr;
  const std::uint64_t* expected_ = nullptr;
  Clock::duration preparing_{0};
};

}  // namespace

Fault recover(FileLayer& layer, JournalReader& reader, const RecoveryOptions& options,
              Replica& replica, RecoveryReport& report) {
  Recovery recovery(reader, replica, report);
  if (options.use_snapshots) {
    const core::Sequence newest = options.up_to == 0 ? ~core::Sequence{0} : options.up_to;
    if (Fault fault = recovery.load_snapshot(layer, newest)) return fault;
  }
  return recovery.run(options.up_to);
}

std::uint64_t build_digest() noexcept {
  constexpr std::string_view kCompiler = __VERSION__;
  return (std::uint64_t{kJournalVersion} << 32) | crc32c(std::as_bytes(std::span(kCompiler)));
}

std::string describe(const RecoveryReport& report) {
  char text[160];
  std::snprintf(text, sizeof text, "replayed %llu records in %.3f s",
                static_cast<unsigned long long>(report.records), report.seconds);
  std::string sentence = text;
  if (report.snapshot_sequence != 0) {
    sentence += " behind the snapshot of input " + std::to_string(report.snapshot_sequence);
  }
  if (report.records > 0 && report.seconds > 0) {
    std::snprintf(text, sizeof text, ", %.2f million a second",
                  static_cast<double>(report.records) / report.seconds / 1e6);
    sentence += text;
  }
  sentence += ", " + std::to_string(report.marks) + " digests compared; last input " +
              std::to_string(report.last_sequence);
  return sentence;
}

}  // namespace shmatch::ipc
