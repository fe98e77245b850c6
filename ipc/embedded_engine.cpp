#include "ipc/embedded_engine.h"

#include <string>

namespace shmatch {
namespace {

// Hides the hash order from those who choose client order ids. Whoever embeds the engine is alone
// with it, so a constant is enough.
constexpr std::uint64_t kHashSalt = 0x5348'4D41'5443'4831;

}  // namespace

ipc::Fault EmbeddedEngine::create(const core::Configuration& configuration,
                                  const core::Logon& logon, core::ReportPort& port,
                                  bool keep_digest) {
  if (std::string text = core::find_fault(configuration); !text.empty()) return {std::move(text)};
  ipc::PrivateMemory memory;
  ipc::Fault fault = memory.allocate(core::MatchingEngine::memory_size(configuration));
  if (!fault) fault = memory.populate();
  if (fault) return fault;
  memory_ = std::move(memory);
  engine_.emplace(configuration, memory_.bytes(), kHashSalt, port, keep_digest);
  if (!engine_->user_configured(logon.user_id)) {
    engine_.reset();
    return {"user " + std::to_string(logon.user_id) + " is not configured"};
  }
  engine_->logon(0, logon, 0);
  return {};
}

}  // namespace shmatch
