#include "bench/subject.h"

#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "tools/measure.h"

namespace shmatch::bench {

TemporaryFolder::TemporaryFolder(const std::string& name)
    : path_(std::filesystem::temp_directory_path() /
            ("shmatch-" + name + "-" + std::to_string(getpid()))) {
  std::filesystem::create_directories(path_);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::optional<Cores> two_cores() {
  const std::vector<int> cpus = tools::allowed_cpus();
  if (cpus.size() < 2) {
    std::fputs("two processors are needed: engine and client each spin on their own\n", stderr);
    return std::nullopt;
  }
  return Cores{.client = cpus[0], .engine = cpus[1]};
}

std::string Subject::start(const SubjectOptions& options) {
  std::filesystem::create_directories(options.folder);
  const std::string socket = options.folder + "/engine.sock";
  const bool journal = options.durability != ipc::Durability::kNone;
  engine_.emplace(socket, options.cpu, options.durability,
                  journal ? options.folder + "/journal" : "", options.clients);
  if (!engine_->started()) return "the engine did not start";
  clients_.resize(options.clients);
  for (std::uint32_t i = 0; i < options.clients; ++i) {
    LogonOptions logon;
    logon.socket = socket;
    logon.user = "trader" + std::to_string(i + 1);
    logon.request_slots = options.request_slots;
    logon.report_slots = options.report_slots;
    logon.reply_in_place = options.reply_in_place;
    if (const Failure failure = clients_[i].logon(logon)) return failure.text;
  }
  return {};
}

}  // namespace shmatch::bench
