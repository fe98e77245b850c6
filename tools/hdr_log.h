// Logs of histograms in HdrHistogram's log format 1.3 (".hlog"), which the format's public readers
// and plotters load: a line for each stretch of time and each tag, with the histogram of what was
// recorded in it.
//
//   #[Logged with ...]
//   #[Histogram log format version 1.3]
//   #[StartTime: 1700000000.000 (seconds since epoch)]
//   "StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"
//   Tag=cancel_receipt,0.000,1.000,0.012,HISTFAAAA...
//
// Times are seconds, those of lines counted from the start; Interval_Max is in milliseconds, as
// other tools have it, and the values in the histograms are nanoseconds.
//
// Thread: one.
#pragma once

#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "tools/hdr_histogram.h"

namespace shmatch::tools {

class HdrLogWriter {
 public:
  // Begins a new file. Not empty: a sentence that says why it cannot be written.
  std::string open(const std::string& path, std::string_view written_by, double start_seconds);
  // Appends the line of one stretch of time; nothing when the histogram is empty. `tag` has no
  // comma, blank or line break.
  void add(std::string_view tag, double begin_seconds, double length_seconds,
           const HdrHistogram& histogram);
  // Not empty: a sentence that says why the file is not complete.
  std::string close();

 private:
  struct Close {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
  };
  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
};

// All lines of a log added up, by tag; "" for lines without one.
using HdrLog = std::map<std::string, HdrHistogram>;

// Reads a whole log. Not empty: a sentence with file and line that says what is wrong.
std::string read_hdr_log(const std::string& path, HdrLog& log);

// The bytes as base64, and back; false for what is none.
std::string base64_text(std::string_view bytes);
bool base64_bytes(std::string_view text, std::string& bytes);

}  // namespace shmatch::tools
