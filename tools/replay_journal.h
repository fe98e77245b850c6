// An engine's own journal as the input of a replay.
//
// A journal that a live engine writes may be read at any time: what is there when it is looked at
// counts, and an end that is still being written is no damage. What retention removes while it is
// read is read nevertheless (ipc/segments_ahead.h).
//
// Thread: one.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "ipc/file_layer.h"
#include "ipc/journal_reader.h"
#include "ipc/snapshot_file.h"
#include "tools/replay_input.h"

namespace shmatch::tools {

// Where a replay of a journal starts.
enum class JournalStart {
  kBeginning,  // with the first record; if that is gone, from the oldest snapshot that leads on
  kSnapshot,   // from the newest snapshot that is whole, if there is one
};

// True for a folder, and for a file that is a journal's segment.
bool is_journal(const std::string& path);

class JournalInput final : public InputStream {
 public:
  explicit JournalInput(ipc::FileLayer& layer) : layer_(layer) {}

  // `path` is the journal's folder, or one of its segment files: then the records up to that file's
  // end count. Fault: it cannot be read, or its beginning is gone and no snapshot leads on.
  ipc::Fault open(const std::string& path, JournalStart start = JournalStart::kBeginning);

  Next next(InputBatch& batch) override;
  const ipc::Fault& fault() const override { return fault_; }
  const core::Configuration& configuration() const override { return configuration_; }
  core::WordSource* initial_state() override { return snapshot_.get(); }
  double progress() const override;

  const std::string& folder() const noexcept { return folder_; }
  bool owned() const noexcept { return owned_; }  // a live engine writes here
  // The state that the replay starts from is the one after this input; 0: the beginning.
  core::Sequence start_sequence() const noexcept { return start_sequence_; }
  // Where the last group given stands, for messages.
  const ipc::JournalReader& reader() const noexcept { return *reader_; }
  // After next() said kEnd: not null if what lies there has to be cut before an engine starts.
  const ipc::TornEnd* torn_end() const noexcept;
  // Snapshots that were passed over because they are damaged, a sentence each.
  const std::vector<std::string>& skipped_snapshots() const noexcept { return skipped_; }
  std::uint32_t configuration_changes() const noexcept { return configuration_changes_; }

 private:
  // A group with records, copied: a mark for one of its states may stand in the group behind it.
  struct Group {
    core::Sequence first_sequence = 0;
    std::uint32_t record_count = 0;
    std::vector<std::uint64_t> words;
    std::vector<std::byte>
        configuration;  // of its segment, where the segment is another than before
    bool starts_segment = false;
  };

  ipc::Fault open_once(JournalStart start);
  void begin_again();
  ipc::Fault open_snapshot(const ipc::JournalListing& listing, JournalStart start);
  bool read_ahead();
  void note_mark(const ipc::DigestMark& mark);
  bool decode(std::span<const std::byte> bytes, core::Configuration& configuration);

  ipc::FileLayer& layer_;
  std::string folder_;
  std::string last_segment_;  // the replay ends behind it; empty: with the journal
  bool owned_ = false;
  core::Sequence start_sequence_ = 0;
  std::unique_ptr<ipc::SnapshotReader> snapshot_;
  std::unique_ptr<ipc::JournalReader> reader_;
  std::vector<std::string> skipped_;
  core::Configuration configuration_;           // of the state at the start
  core::Configuration changed_;                 // of the batch given last
  std::vector<std::byte> configuration_bytes_;  // in force behind the last batch
  std::uint32_t configuration_changes_ = 0;
  Group current_;
  Group ahead_;
  bool has_ahead_ = false;
  std::string segment_read_;
  core::Sequence newest_mark_ = 0;        // every group repeats it until there is a newer one
  std::vector<ipc::DigestMark> marks_;    // of the current group
  std::vector<ipc::DigestMark> pending_;  // read, of states that no group was given for yet
  ipc::JournalNext end_ = ipc::JournalNext::kGiven;
  std::uint64_t bytes_read_ = 0;
  std::uint64_t bytes_total_ = 0;
  ipc::Fault fault_;
};

}  // namespace shmatch::tools
