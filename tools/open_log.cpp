#include "tools/open_log.h"

#include <filesystem>
#include <utility>

#include "tools/config_file.h"
#include "tools/default_configuration.h"

namespace shmatch::tools {

void require(const ipc::Fault& fault, int status) {
  if (fault) throw ExitError(status, fault.text);
}

void require_input(const std::optional<core::Sequence>& asked, const char* flag,
                   core::Sequence first, const std::string& log) {
  if (!asked || first <= 1 || *asked >= first) return;
  throw ExitError(kExitRefused, log + " begins with input " + std::to_string(first) + ", and " +
                                    flag + " asks for input " + std::to_string(*asked));
}

core::Configuration frames_configuration(const LogChoice& choice) {
  if (choice.config.empty()) return default_configuration();
  ipc::ServerOptions server;
  require(load_config_file(choice.config, server));
  return server.configuration;
}

OpenLog::OpenLog(const LogChoice& choice) : path_(choice.path) {
  if (!std::filesystem::exists(path_)) {
    throw ExitError(kExitUsage, "there is no file or folder " + path_);
  }
  if (is_journal(path_)) {
    if (!choice.format.empty()) {
      throw ExitError(kExitUsage, path_ + " is a journal, which --format cannot change");
    }
    if (!choice.config.empty()) {
      throw ExitError(kExitUsage, path_ + " is a journal, which brings its own configuration");
    }
    auto journal = std::make_unique<JournalInput>(layer_);
    const auto start = choice.from_snapshot ? JournalStart::kSnapshot : JournalStart::kBeginning;
    require(journal->open(path_, start), kExitRefused);
    journal_ = journal.get();
    input_ = std::move(journal);
    return;
  }
  if (choice.from_snapshot) throw ExitError(kExitUsage, "only a journal has snapshots");
  ipc::Fault fault;
  source_ = open_source(path_, {choice.format, frames_configuration(choice), choice.user}, fault);
  if (source_ == nullptr) throw ExitError(kExitUsage, fault.text);
  input_ = std::make_unique<SourceInput>(*source_, choice.one_by_one ? 1 : kRequestsPerBatch);
}

}  // namespace shmatch::tools
