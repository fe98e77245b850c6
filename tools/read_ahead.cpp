#include "tools/read_ahead.h"

namespace shmatch::tools {

InputStream::Next ReadAhead::next(InputBatch& batch) {
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  std::unique_lock lock(mutex_);
  if (giving_) {
    giving_ = false;
    ++released_;
    changed_.notify_all();
  }
  changed_.wait(lock, [this] { return read_ > released_; });
  // The end stays where it is, and may be asked for again.
  const Held& held = held_[released_ % kHeld];
  if (held.what != Next::kBatch) return held.what;
  giving_ = true;
  progress_ = held.progress;
  batch = InputBatch{};
  batch.first_sequence = held.first_sequence;
  batch.record_count = held.record_count;
  batch.words = held.words;
  batch.well_formed = held.well_formed;
  batch.configuration = held.configuration ? &*held.configuration : nullptr;
  batch.marks = held.marks;
  return Next::kBatch;
}

namespace {

// How many of the batch's records, from the first on, have no fault of form: whoever applies them
// need not look again.
std::uint32_t count_well_formed(std::span<const std::uint64_t> words, std::uint32_t records) {
  std::uint32_t count = 0;
  for (; count < records && !words.empty(); ++count) {
    const std::uint32_t size = core::input_words(words.front());
    if (size > words.size() || core::find_form_fault(words.data(), size) != nullptr) break;
    words = words.subspan(size);
  }
  return count;
}

}  // namespace

void ReadAhead::hold(const InputBatch& batch, Held& held) {
  held.first_sequence = batch.first_sequence;
  held.record_count = batch.record_count;
  held.words.assign(batch.words.begin(), batch.words.end());
  held.well_formed = count_well_formed(held.words, held.record_count);
  held.marks.assign(batch.marks.begin(), batch.marks.end());
  held.configuration.reset();
  if (batch.configuration != nullptr) held.configuration = *batch.configuration;
}

void ReadAhead::run() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || read_ - released_ < kHeld; });
      if (stopping_) return;
    }
    // Only this thread touches what is not held.
    Held& held = held_[read_ % kHeld];
    InputBatch batch;
    held.what = input_.next(batch);
    if (held.what == Next::kBatch) hold(batch, held);
    held.progress = input_.progress();
    const std::scoped_lock lock(mutex_);
    ++read_;
    changed_.notify_all();
    if (held.what != Next::kBatch) return;
  }
}

void ReadAhead::stop() {
  if (!thread_.joinable()) return;
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

}  // namespace shmatch::tools
