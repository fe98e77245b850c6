#include "tools/replay_engine.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace shmatch::tools {

namespace {

class WordBuffer final : public core::WordSink, public core::WordSource {
 public:
  bool put(std::span<const std::uint64_t> words) noexcept override {
    words_.insert(words_.end(), words.begin(), words.end());
    return true;
  }
  bool get(std::span<std::uint64_t> words) noexcept override {
    if (words_.size() - next_ < words.size()) return false;
    std::copy_n(words_.begin() + static_cast<std::ptrdiff_t>(next_), words.size(), words.begin());
    next_ += words.size();
    return true;
  }

 private:
  std::vector<std::uint64_t> words_;
  std::size_t next_ = 0;
};

}  // namespace

ipc::Fault ReplayEngine::start(const core::Configuration& configuration, core::WordSource* source) {
  if (std::string fault = core::find_fault(configuration); !fault.empty()) {
    return {"the log's configuration cannot be served: " + fault};
  }
  engine_.reset();
  if (ipc::Fault fault = memory_.allocate(core::MatchingEngine::memory_size(configuration))) {
    return fault;
  }
  configuration_ = configuration;
  engine_.emplace(configuration_, memory_.bytes(), options_.hash_salt, port_, options_.keep_digest);
  if (source == nullptr) return {};
  const char* const sentence = core::import_state(*engine_, *source);
  if (sentence != nullptr) return {std::string("the state cannot be taken: ") + sentence};
  return {};
}

ipc::Fault ReplayEngine::start(const core::Configuration& configuration,
                               const core::MatchingEngine& other) {
  WordBuffer state;
  core::export_state(other, state);
  return start(configuration, &state);
}

ipc::Fault ReplayEngine::reconfigure(const core::Configuration& configuration) {
  if (std::string conflict = core::find_conflict(configuration_, configuration);
      !conflict.empty()) {
    return {"the log's configuration changes in a way that its state contradicts: " + conflict};
  }
  return start(configuration, *engine_);
}

}  // namespace shmatch::tools
