#include "ipc/replica.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "core/configuration_bytes.h"
#include "core/input_record.h"
#include "core/state_export.h"

namespace shmatch::ipc {
namespace {

// An engine that is started once an hour comes round to a client of a month ago.
constexpr std::size_t kRunsMax = 1024;

class WordVector final : public core::WordSink, public core::WordSource {
 public:
  bool put(std::span<const std::uint64_t> words) noexcept override {
    words_.insert(words_.end(), words.begin(), words.end());
    return true;
  }
  bool get(std::span<std::uint64_t> words) noexcept override {
    if (words_.size() - taken_ < words.size()) return false;
    std::copy_n(words_.begin() + static_cast<std::ptrdiff_t>(taken_), words.size(), words.begin());
    taken_ += words.size();
    return true;
  }

 private:
  std::vector<std::uint64_t> words_;
  std::size_t taken_ = 0;
};

}  // namespace

Fault Replica::create(const core::Configuration& configuration) {
  engine_.reset();
  configuration_ = configuration;
  runs_.clear();
  if (Fault fault = windows_.create(configuration.capacities.sessions, options_.window_slots)) {
    return fault;
  }
  if (Fault fault = memory_.allocate(core::MatchingEngine::memory_size(configuration))) {
    return fault;
  }
  core::ReportSink& sink = *this;
  engine_.emplace(configuration_, memory_.bytes(), options_.hash_salt, sink, options_.keep_digest);
  return {};
}

// The engine's state, the windows, the time of the newest record, the number of runs and the runs.
bool Replica::export_words(core::WordSink& sink) const {
  std::vector<std::uint64_t> words = {static_cast<std::uint64_t>(last_time_), runs_.size()};
  for (const core::EngineRun& run : runs_) words.insert(words.end(), {run.first, run.name});
  return core::export_state(*engine_, sink) && windows_.export_words(*engine_, sink) &&
         sink.put(words);
}

Fault Replica::import(core::WordSource& source) {
  if (const char* const why = core::import_state(*engine_, source)) return Fault{why};
  if (!windows_.import_words(*engine_, source)) return Fault{"the report windows are damaged"};
  std::uint64_t words[2] = {};
  const Fault damaged{"the list of runs is damaged"};
  if (!source.get(words) || words[1] > kRunsMax) return damaged;
  last_time_ = static_cast<core::TimeNs>(words[0]);
  runs_.clear();
  for (std::uint64_t i = 0; i < words[1]; ++i) {
    std::uint64_t run[2] = {};
    if (!source.get(run)) return damaged;
    runs_.push_back({.first = run[0], .name = run[1]});
  }
  return {};
}

Fault Replica::load(SnapshotReader& snapshot) {
  const auto bytes = snapshot.configuration();
  core::Configuration configuration;
  std::string fault = core::decode_configuration(
      {reinterpret_cast<const char*>(bytes.data()), bytes.size()}, configuration);
  if (!fault.empty()) return Fault{snapshot.path() + ": " + fault};
  if (Fault no_memory = create(configuration)) return no_memory;
  if (Fault wrong = import(snapshot)) return Fault{snapshot.path() + ": " + wrong.text};
  if (engine_->last_sequence() != snapshot.header().sequence ||
      engine_->digest() != snapshot.header().digest) {
    return Fault{snapshot.path() + ": the state is not the one that the header names"};
  }
  return {};
}

Fault Replica::change_configuration(const core::Configuration& configuration) {
  if (configuration == configuration_) return {};
  if (std::string conflict = core::find_conflict(configuration_, configuration);
      !conflict.empty()) {
    return Fault{std::move(conflict)};
  }
  WordVector state;
  export_words(state);
  if (Fault fault = create(configuration)) return fault;
  return import(state);
}

Fault Replica::apply(std::span<const std::uint64_t> record) noexcept {
  if (const char* const why =
          core::find_fault(*engine_, record.data(), static_cast<std::uint32_t>(record.size()))) {
    return Fault{why};
  }
  last_time_ = static_cast<core::TimeNs>(record[1]);
  core::apply(*engine_, record.data());
  if (core::input_kind(record[0]) == core::InputKind::kLogon) {
    const core::SessionSlot slot = core::input_slot(record[0]);
    windows_.begin(slot, engine_->session(slot).logon.resumable);
  }
  return {};
}

void Replica::begin_run(const core::EngineRun& run) {
  if (runs_.size() == kRunsMax) runs_.erase(runs_.begin());
  runs_.push_back(run);
}

FileFault Replica::save(SnapshotWriter& snapshot) const {
  export_words(snapshot);
  return snapshot.failure() ? snapshot.failure() : FileFault{};
}

void Replica::deliver(core::SessionSlot to, const core::Report& report) noexcept {
  windows_.keep(to, report);
}

}  // namespace shmatch::ipc
