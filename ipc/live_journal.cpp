#include "ipc/live_journal.h"

#include <chrono>
#include <string>
#include <utility>

#include "core/configuration_bytes.h"
#include "ipc/journal_repair.h"

namespace shmatch::ipc {
namespace {

// Room for more than ten thousand cancels: what the engine may be ahead of a disk that hesitates.
// Not more, because the engine goes round in it, and it should stay in the cache.
constexpr std::size_t kQueueWords = 1U << 17;

PosixFileLayer kernel_files;

core::TimeNs wall_time() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

LiveJournal::LiveJournal(const ServerOptions& options)
    : options_(options),
      layer_(options.file_layer != nullptr ? *options.file_layer : kernel_files),
      folder_(layer_),
      writer_(layer_, options.journal, options.journal_segment_bytes) {}

Fault LiveJournal::open(Replica& replica) {
  if (FileFault fault = folder_.take(options_.journal)) return fault;
  SegmentStart start;
  if (Fault fault = read(replica, start)) return fault;
  const std::string configuration = core::encode_configuration(options_.configuration);
  start.configuration = std::as_bytes(std::span(configuration));
  start.build_digest = build_digest();
  start.created = wall_time();
  if (FileFault fault = writer_.open(start)) return fault;
  replica.begin_run({start.first_sequence, static_cast<std::uint64_t>(start.created)});
  queue_.emplace(kQueueWords);
  thread_.emplace(
      writer_, *queue_, options_.durability, options_.journal_sync_interval,
      options_.log ? options_.log : [](LogLevel, std::string_view) {});
  if (options_.snapshot_every != 0) {
    snapshotter_.emplace(layer_, options_, *thread_, report_.snapshot_sequence);
  }
  return {};
}

Fault LiveJournal::read(Replica& replica, SegmentStart& start) {
  JournalReader reader(layer_, options_.journal);
  const Fault fault = recover(layer_, reader, {}, replica, report_);
  // They may be the reason.
  for (const std::string& note : report_.notes) say(LogLevel::kWarning, note);
  if (fault) return fault;
  if (const TornEnd& torn = reader.torn_end(); torn.bytes != 0) {
    say(LogLevel::kWarning, "journal: the end of " + torn.path + " was torn at byte " +
                                std::to_string(torn.offset) +
                                " and is cut: " + std::to_string(torn.bytes) +
                                " bytes that nobody was promised (" + torn.seen + ")");
  }
  if (!recovered()) {
    if (FileFault unsettled = settle_journal(layer_, reader)) return unsettled;
    say(LogLevel::kInfo, "journal: a new one in " + options_.journal);
    return replica.create(options_.configuration);
  }
  say(LogLevel::kInfo, "journal: " + describe(report_));
  if (Fault conflict = replica.change_configuration(options_.configuration)) {
    return Fault{"the configuration contradicts the journal in " + options_.journal + ": " +
                 conflict.text};
  }
  // Only a start that will succeed changes files.
  if (FileFault unsettled = settle_journal(layer_, reader)) return unsettled;
  start.first_sequence = report_.last_sequence + 1;
  start.input_chain = reader.input_chain();
  start.digest = {report_.last_sequence, replica.engine().digest()};
  return {};
}

void LiveJournal::start() {
  thread_->start(options_.cpu.value_or(-1));
  if (snapshotter_) snapshotter_->start();
}

void LiveJournal::finish() {
  if (snapshotter_) snapshotter_->stop();
  if (thread_) thread_->stop();
}

InputLog LiveJournal::log() noexcept { return {*queue_, *thread_, options_.durability}; }

void LiveJournal::say(LogLevel level, const std::string& sentence) const {
  if (options_.log) options_.log(level, sentence);
}

}  // namespace shmatch::ipc
