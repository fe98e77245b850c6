// ReadAhead: an InputStream whose batches another one reads on a thread of its own, so that reading
// and parsing a log and applying it go on at the same time.
//
// Thread: the stream that is read ahead belongs to the reading thread from the first next() to
// stop() or the destructor; everything here is called by one other thread.
#pragma once

#include <array>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "tools/replay_input.h"

namespace shmatch::tools {

class ReadAhead final : public InputStream {
 public:
  // `input` must outlive it.
  explicit ReadAhead(InputStream& input) : input_(input) {}
  ~ReadAhead() override { stop(); }
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  // Ends the reading thread: the stream that was read ahead is the caller's again, wherever it
  // stands. Nothing more can be taken from here.
  void stop();

  Next next(InputBatch& batch) override;
  const ipc::Fault& fault() const override { return input_.fault(); }
  const core::Configuration& configuration() const override { return input_.configuration(); }
  core::WordSource* initial_state() override { return input_.initial_state(); }
  double progress() const override { return progress_; }
  std::uint64_t preparing_records() const override { return input_.preparing_records(); }

 private:
  // A batch with all that it refers to.
  struct Held {
    Next what = Next::kEnd;
    core::Sequence first_sequence = 0;
    std::uint32_t record_count = 0;
    std::uint32_t well_formed = 0;
    std::vector<std::uint64_t> words;
    std::vector<ipc::DigestMark> marks;
    std::optional<core::Configuration> configuration;
    double progress = 0;
  };
  static constexpr std::size_t kHeld = 4;

  void run();
  static void hold(const InputBatch& batch, Held& held);

  InputStream& input_;
  std::array<Held, kHeld> held_;
  // Batches read and batches no longer needed, counted from the start; the ones in between are
  // held. Guarded by mutex_, as is stopping_.
  std::uint64_t read_ = 0;
  std::uint64_t released_ = 0;
  bool stopping_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::thread thread_;
  bool giving_ = false;  // the caller still looks at the oldest one held
  double progress_ = 0;
};

}  // namespace shmatch::tools
