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
  batch.configuration = held.configuration ? &*held.configuration : nullptr;
  batch.marks = held.marks;
  return Next::kBatch;
}

void ReadAhead::hold(const InputBatch& batch, Held& held) {
  held.first_sequence = batch.first_sequence;
  held.record_count = batch.record_count;
  held.words.assign(batch.words.begin(), batch.words.end());
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
