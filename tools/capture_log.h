// The log that `shmatchd --capture` writes: each request that clients sent, in the engine's order,
// as one AlphaPoint frame a line, which `shmatch exec` runs again.
//
// What a client does for itself is left out: fences, and further pages of an answer that exec asks
// for by itself.
//
// Thread: open on one thread; write on the one that captures.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "core/configuration.h"
#include "ipc/capture.h"
#include "ipc/fault.h"
#include "ipc/reference_data.h"

namespace shmatch::tools {

class CaptureLog {
 public:
  explicit CaptureLog(const core::Configuration& configuration) : reference_(configuration) {}

  // Makes the file, or empties it. Fault: it cannot be written.
  ipc::Fault open(const std::string& path);
  // As ipc::Capture::Tell. The first error is said on standard error and ends the writing.
  void write(const ipc::CapturedRequest* captured);

 private:
  void check(bool done);

  ReferenceData reference_;
  std::string path_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_{nullptr, &std::fclose};
  std::uint64_t number_ = 0;
};

}  // namespace shmatch::tools
