// Opening the log that a command line names: a captured log of any format, or a journal.
//
// Thread: one.
#pragma once

#include <memory>
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
};

// Throws ExitError for a fault.
void require(const ipc::Fault& fault, int status = kExitUsage);

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
