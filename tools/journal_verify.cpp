#include "tools/journal_verify.h"

#include <cerrno>
#include <span>
#include <utility>

#include "core/configuration_bytes.h"
#include "ipc/snapshot_file.h"
#include "tools/digest_text.h"
#include "tools/read_ahead.h"
#include "tools/replay_journal.h"
#include "tools/replay_run.h"

namespace shmatch::tools {

namespace {

// Checks the bytes of every file.
void verify_files(ipc::FileLayer& layer, const std::string& folder, Verification& result) {
  ipc::JournalReader reader(layer, folder,
                            result.in_use ? ipc::ReadMode::kFollow : ipc::ReadMode::kWhole);
  ipc::JournalNext next = ipc::JournalNext::kFault;
  if (ipc::FileFault fault = reader.open()) {
    result.damage.push_back(fault.text);
    return;
  }
  ipc::JournalGroup group;
  std::string segment;
  while ((next = reader.next_group(group)) == ipc::JournalNext::kGiven) {
    ++result.groups;
    result.records += group.header.record_count;
    if (reader.segment().name == segment) continue;
    segment = reader.segment().name;
    ++result.segments;
    const std::vector<std::byte>& bytes = reader.segment().configuration;
    core::Configuration configuration;
    const std::string fault = core::decode_configuration(
        {reinterpret_cast<const char*>(bytes.data()), bytes.size()}, configuration);
    if (!fault.empty()) result.damage.push_back(folder + "/" + segment + " at byte 128: " + fault);
  }
  result.last_sequence = reader.last_sequence();
  if (next == ipc::JournalNext::kFault) result.damage.push_back(reader.fault().text);
  if (next == ipc::JournalNext::kTornEnd) {
    result.damage.push_back(torn_sentence(reader.torn_end()));
  }
}

ipc::Fault verify_snapshots(ipc::FileLayer& layer, const std::string& folder,
                            Verification& result) {
  ipc::JournalListing listing;
  if (ipc::FileFault fault = ipc::list_journal(layer, folder, listing)) return fault;
  result.snapshots = listing.snapshots.size();
  const bool whole = result.damage.empty();
  for (const ipc::JournalFile& file : listing.snapshots) {
    ipc::SnapshotReader snapshot(layer);
    if (ipc::FileFault fault = snapshot.open(folder, file.name)) {
      // The engine has made a newer one meanwhile.
      if (result.in_use && fault.error == ENOENT) {
        --result.snapshots;
        continue;
      }
      result.damage.push_back(fault.text);
    } else if (snapshot.header().sequence > result.last_sequence && whole && !result.in_use) {
      // Snapshots are taken of durable states only.
      result.damage.push_back(folder + "/" + file.name + " holds the state after input " +
                              std::to_string(snapshot.header().sequence) +
                              ", and the journal ends with input " +
                              std::to_string(result.last_sequence) + ": the end is missing");
    }
  }
  return {};
}

// Applies every record, and compares the digests on the way.
void verify_state(ipc::FileLayer& layer, const std::string& folder, const VerifyOptions& options,
                  Verification& result) {
  JournalInput journal(layer);
  if (ipc::Fault fault = journal.open(folder)) {
    result.damage.push_back(fault.text);
    return;
  }
  ReplaySettings settings;
  settings.progress = options.progress;
  ReadAhead input(journal);
  const ReplayOutcome outcome = Replay(input, std::move(settings)).run();
  input.stop();
  result.marks = outcome.marks;
  const std::string place = folder + "/" + journal.reader().segment().name + ": ";
  if (outcome.fault) {
    result.damage.push_back(outcome.fault.text);
  } else if (outcome.bad_record) {
    result.damage.push_back(place + "input " + std::to_string(outcome.bad_record->sequence) +
                            " cannot be applied: " + outcome.bad_record->reason);
  } else if (outcome.divergence) {
    result.damage.push_back(place + "the state after input " +
                            std::to_string(outcome.divergence->sequence) + " has the digest " +
                            digest_text(outcome.divergence->got) + ", not " +
                            digest_text(outcome.divergence->expected));
  }
}

}  // namespace

std::string torn_sentence(const ipc::TornEnd& torn) {
  return torn.path + " at byte " + std::to_string(torn.offset) + ": a torn end of " +
         with_commas(torn.bytes) + (torn.bytes == 1 ? " byte" : " bytes") +
         " that was never called durable; recovery cuts it (" + torn.seen + ")";
}

ipc::Fault verify_journal(ipc::FileLayer& layer, const std::string& folder,
                          const VerifyOptions& options, Verification& result) {
  if (ipc::FileFault fault = ipc::find_owner(layer, folder, result.in_use)) return fault;
  verify_files(layer, folder, result);
  if (ipc::Fault fault = verify_snapshots(layer, folder, result)) return fault;
  if (result.damage.empty() && options.apply_records && result.records > 0) {
    verify_state(layer, folder, options, result);
  }
  return {};
}

}  // namespace shmatch::tools
