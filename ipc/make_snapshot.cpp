#include "ipc/make_snapshot.h"

#include <span>

#include "core/configuration_bytes.h"
#include "ipc/journal_repair.h"
#include "ipc/random_word.h"
#include "ipc/snapshot_file.h"

namespace shmatch::ipc {
namespace {

// Clients chose the ids of what is replayed: with a salt that they know, they could have each
// search walk all of an index.
ReplicaOptions replica_options(const SnapshotOptions& options) {
  return {.hash_salt = random_word(), .window_slots = options.window_slots, .keep_digest = true};
}

Fault verify(FileLayer& layer, const std::string& folder, const SnapshotOptions& options,
             const SnapshotReport& report) {
  SnapshotReader reader(layer);
  if (FileFault fault = reader.open(folder, snapshot_name(report.sequence))) return fault;
  Replica again(replica_options(options));
  if (Fault fault = again.load(reader)) return fault;
  if (again.engine().digest() == report.digest) return {};
  return Fault{reader.path() + ": what was read back is not the state that was written"};
}

// Segments first: without them, older snapshots lead nowhere.
Fault remove_what_is_behind(FileLayer& layer, const std::string& folder, SnapshotReport& report) {
  if (FileFault fault = remove_segments_behind(layer, folder, report.sequence, report.removed)) {
    return fault;
  }
  std::vector<std::string> snapshots;
  if (FileFault fault = remove_snapshots_before(layer, folder, report.sequence, snapshots)) {
    return fault;
  }
  report.removed.insert(report.removed.end(), snapshots.begin(), snapshots.end());
  return {};
}

}  // namespace

Fault make_snapshot(FileLayer& layer, const std::string& folder, const SnapshotOptions& options,
                    SnapshotReport& report) {
  Replica replica(replica_options(options));
  JournalReader reader(layer, folder, ReadMode::kFollow);
  if (Fault fault = recover(layer, reader, {.up_to = options.up_to, .use_snapshots = true}, replica,
                            report.recovery)) {
    return fault;
  }
  if (report.recovery.last_sequence == 0 ||
      report.recovery.last_sequence == report.recovery.snapshot_sequence) {
    return {};
  }
  const std::string configuration = core::encode_configuration(replica.configuration());
  const SnapshotStart start{.sequence = report.recovery.last_sequence,
                            .input_chain = reader.input_chain(),
                            .digest = replica.engine().digest(),
                            .build_digest = build_digest(),
                            .created = replica.last_time(),
                            .configuration = std::as_bytes(std::span(configuration))};
  SnapshotWriter writer(layer, folder);
  if (FileFault fault = writer.create(start)) return fault;
  if (FileFault fault = replica.save(writer)) return fault;
  if (FileFault fault = writer.commit()) return fault;
  report.sequence = start.sequence;
  report.digest = start.digest;
  report.bytes = writer.bytes();
  report.path = folder + "/" + snapshot_name(start.sequence);
  if (Fault fault = verify(layer, folder, options, report)) {
    // Nobody shall start from it. If it cannot be removed either, recovery compares once more.
    layer.remove(report.path);
    return fault;
  }
  return options.remove_segments ? remove_what_is_behind(layer, folder, report) : Fault{};
}

}  // namespace shmatch::ipc
