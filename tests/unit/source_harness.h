// What the tests of the log importers share: files to read, and requests as one line of text each.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tools/request_source.h"

namespace shmatch::tests {

// A file with `content` in a folder of its own that is gone with the object.
class ScratchFile {
 public:
  explicit ScratchFile(std::string_view content, const std::string& name = "log");
  ~ScratchFile();
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  const std::string& path() const noexcept { return path_; }
  void write(std::string_view content) const;

 private:
  std::string folder_;
  std::string path_;
};

// The path of a file beside the tests, and its bytes.
std::string fixture(const std::string& name);
std::string bytes_of(const std::string& path);

// "POSITION TIME USER send ACCOUNT/CLORDID INSTRUMENT SIDE QUANTITY @ PRICE TYPE TIMEINFORCE", or
// "POSITION TIME USER cancel ACCOUNT/CLORDID"; "-" stands for what was not given.
std::string text_of(const tools::SourcedRequest& request);

// A log, read to its end.
struct ReadLog {
  std::unique_ptr<tools::RequestSource> source;
  std::string fault;  // of open_source(), or of the source; empty when there was none
  std::vector<std::string> requests;

  const tools::SourceCounts& counts() const { return source->counts(); }
};

ReadLog read_log(const std::string& path, const tools::SourceOptions& options = {});

// read_log() of a scratch file.
ReadLog read_text(std::string_view content, const std::string& format = "");

using Counts = std::map<std::string, std::uint64_t>;

// Expects what holds for every log: each record is counted once, every request can be given to an
// engine of the source's configuration.
void expect_sound(const ReadLog& log);

}  // namespace shmatch::tests
