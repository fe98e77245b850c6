// Opening the log that a command line names: a captured log of any format, or a journal.
//
// Thread: one.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "ipc/file_layer.h"
#include "tools/command.h"
#include "tools/replay_journal.h"
#include "tools/replay_summary.h"
#include "tools/request_source.h"

namespace shmatch::tools {

// What a person may say about a log.
struct LogChoice {
  std::string path;
  std::string format;  // empty: by content
  std::string config;  // empty: what serves without a file
  std::string user;    // of frames that name none; empty: the configuration's first
  bool from_snapshot = false;
  // No request is read before the one in front of it has been applied: what was read counts then
  // for a replay that may end anywhere.
  bool one_by_one = false;
};

// Throws ExitError for a fault.
void require(const ipc::Fault& fault, int status = kExitUsage);

// `asked`, if it was, must not be before `first`, the first input that there is of `log`: an input
// that is no longer known must not be answered for. `flag` asked for it. Throws ExitError.
void require_input(const std::optional<core::Sequence>& asked, const char* flag,
                   core::Sequence first, const std::string& log);

// The configuration for which frames are read. Throws ExitError.
core::Configuration frames_configuration(const LogChoice& choice);

class OpenLog {
 public:
  // Throws ExitError when the log cannot be read.
  explicit OpenLog(const LogChoice& choice);

  InputStream& input() noexcept { return *input_; }
  // One of the two is null.
  const JournalInput* journal() const noexcept { return journal_; }
  const RequestSource* source() const noexcept { return source_.get(); }
  ReplayOrigin origin() const { return {path_, source_.get(), journal_}; }

 private:
  std::string path_;
  ipc::PosixFileLayer layer_;
  std::unique_ptr<RequestSource> source_;
  std::unique_ptr<InputStream> input_;
  JournalInput* journal_ = nullptr;
};

}  // namespace shmatch::tools
