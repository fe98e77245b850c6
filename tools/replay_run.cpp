#include "tools/replay_run.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace shmatch::tools {

namespace {

constexpr std::uint64_t kLongRun = 20'000;

// Where each of the batch's records starts, up to the first that is no whole record.
void split_records(const InputBatch& batch, std::vector<const std::uint64_t*>& records) {
  records.clear();
  std::span<const std::uint64_t> rest = batch.words;
  for (std::uint32_t i = 0; i < batch.record_count; ++i) {
    const std::size_t size = rest.empty() ? 0 : core::input_words(rest.front());
    if (size == 0 || size > rest.size()) return;
    records.push_back(rest.data());
    rest = rest.subspan(size);
  }
}

}  // namespace

Replay::Replay(InputStream& input, ReplaySettings settings)
    : input_(input), settings_(std::move(settings)), engine_(*this, settings_.engine) {
  have_room(&reports_digest_.room());
}

void Replay::send(core::SessionSlot to, std::uint32_t slots) noexcept {
  ++outcome_.reports;
  if (!observers_.empty()) [[unlikely]] {
    show(to, slots);
  }
  reports_digest_.add_built(to, slots);
}

// Not inline: a replay without observers sends millions of reports a second.
[[gnu::noinline]] void Replay::show(core::SessionSlot to, std::uint32_t slots) noexcept {
  core::Report report;
  core::read_room(reports_digest_.room(), slots, report);
  for (ReplayObserver* observer : observers_) observer->reported(to, report);
}

ReplayOutcome Replay::run() {
  const auto start = std::chrono::steady_clock::now();
  if (begin()) {
    InputBatch batch;
    InputStream::Next next = InputStream::Next::kEnd;
    while (engine_->last_sequence() < settings_.until &&
           (next = input_.next(batch)) == InputStream::Next::kBatch) {
      if (!apply_batch(batch)) break;
      if (outcome_.records > kLongRun && !populating_.joinable()) start_populating();
      if (settings_.progress) settings_.progress(input_.progress());
    }
    stop_populating();
    if (next == InputStream::Next::kFault) outcome_.fault = input_.fault();
    if (started_) {
      outcome_.last_sequence = engine_->last_sequence();
      outcome_.digest = engine_->digest();
      outcome_.reports_digest = reports_digest_.value();
    }
    outcome_.records -= std::min(outcome_.records, input_.preparing_records());
  }
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  outcome_.seconds = elapsed.count();
  return std::move(outcome_);
}

bool Replay::begin() {
  outcome_.fault = engine_.start(input_.configuration(), input_.initial_state());
  if (outcome_.fault) return false;
  started_ = true;
  announce_configuration();
  return true;
}

void Replay::announce_configuration() {
  look_ahead_.emplace(*engine_);
  for (ReplayObserver* observer : observers_)
    observer->configured(engine_.configuration(), *engine_);
}

// A long run will use much of the engine's memory. Making it present takes the kernel as long as
// applying some hundred thousand records.
void Replay::start_populating() {
  populating_ends_ = false;
  populating_ = std::thread([this] {
    while (!populating_ends_ && !engine_.populate_step()) {
    }
  });
}

void Replay::stop_populating() {
  if (!populating_.joinable()) return;
  populating_ends_ = true;
  populating_.join();
}

bool Replay::apply_batch(const InputBatch& batch) {
  if (batch.configuration != nullptr) {
    stop_populating();
    outcome_.fault = engine_.reconfigure(*batch.configuration);
    if (outcome_.fault) {
      started_ = false;
      return false;
    }
    announce_configuration();
  }
  const ipc::DigestMark* mark = batch.marks.data();
  const ipc::DigestMark* const marks_end = mark + batch.marks.size();
  // A mark counts once, for the state that it names.
  const auto check_marks = [&](core::Sequence reached) {
    for (; settings_.check_marks && mark != marks_end && mark->sequence <= reached; ++mark) {
      if (mark->sequence == reached && !check(*mark)) return false;
    }
    return true;
  };
  core::Sequence sequence = batch.first_sequence - 1;
  if (!check_marks(sequence)) return false;
  split_records(batch, records_);
  const bool watched = !observers_.empty() || settings_.pace;
  const std::size_t count = records_.size();
  // Hints read records, and only those without a fault of form have all that is read.
  const std::size_t hinted =
      look_ahead_->worthwhile() ? std::min<std::size_t>(count, batch.well_formed) : 0;
  for (std::size_t i = 0; i < hinted && i < core::LookAhead::kFar; ++i) {
    look_ahead_->far_input(records_[i]);
    if (i < core::LookAhead::kNear) look_ahead_->near_input(records_[i]);
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (++sequence > settings_.until) return false;
    if (i + core::LookAhead::kFar < hinted)
      look_ahead_->far_input(records_[i + core::LookAhead::kFar]);
    if (i + core::LookAhead::kNear < hinted) {
      look_ahead_->near_input(records_[i + core::LookAhead::kNear]);
    }
    const bool well_formed = i < batch.well_formed;
    if (watched || !well_formed) {
      const InputRecord record{sequence, {records_[i], core::input_words(records_[i][0])}};
      if (!apply_record(record, well_formed)) return false;
    } else if (!apply_unwatched(sequence, records_[i])) {
      return false;
    }
    if (!check_marks(sequence)) return false;
  }
  if (count == batch.record_count) return true;
  if (++sequence <= settings_.until) {
    outcome_.bad_record = BadRecord{sequence, "its length is wrong"};
  }
  return false;
}

bool Replay::apply_unwatched(core::Sequence sequence, const std::uint64_t* record) {
  if (const char* const reason = core::try_apply(*engine_, record)) {
    outcome_.bad_record = BadRecord{sequence, reason};
    return false;
  }
  ++outcome_.records;
  return true;
}

bool Replay::apply_record(const InputRecord& record, bool well_formed) {
  const auto size = static_cast<std::uint32_t>(record.words.size());
  const char* const reason = well_formed ? core::find_state_fault(*engine_, record.words.data())
                                         : core::find_fault(*engine_, record.words.data(), size);
  if (reason != nullptr) {
    outcome_.bad_record = BadRecord{record.sequence, reason};
    return false;
  }
  if (settings_.pace) settings_.pace(record.time());
  for (ReplayObserver* observer : observers_) observer->applying(record, *engine_);
  core::apply(*engine_, record.words.data());
  ++outcome_.records;
  bool go_on = true;
  for (ReplayObserver* observer : observers_) go_on = observer->applied(record, *engine_) && go_on;
  return go_on;
}

bool Replay::check(const ipc::DigestMark& mark) {
  const std::uint64_t got = engine_->digest();
  if (got == mark.digest) {
    ++outcome_.marks;
    last_mark_ = mark.sequence;
    return true;
  }
  outcome_.divergence = Divergence{
      .agreed = last_mark_, .sequence = mark.sequence, .expected = mark.digest, .got = got};
  return false;
}

}  // namespace shmatch::tools
