// LineReader: cuts a file's bytes into lines.
//
// Thread: one thread at a time. Ownership: it refers to its file, which must outlive it; a line is
// valid until the next call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tools/input_file.h"

namespace shmatch::tools {

class LineReader {
 public:
  enum class Next : std::uint8_t {
    kLine,
    kEnd,
    kFault,  // the file says why; a line that the fault cuts off is not shown
  };

  // Finds the end of the record that `bytes` begin with: its size, with what ends it; npos when its
  // end is not among them. The first `looked_at` bytes were looked at before, without success.
  using FindEnd = std::size_t (*)(std::string_view bytes, std::size_t looked_at);

  // Of a line that is longer than `size_max` only the first `size_max` + 1 bytes are shown. A
  // format whose records may end without a line's end brings its own `find_end`.
  LineReader(InputFile& file, std::size_t size_max, FindEnd find_end = find_newline)
      : file_(file), size_max_(size_max), find_end_(find_end) {}

  // The next line without its end ("\n" or "\r\n"); the file's last one may have none. A byte
  // order mark at the file's begin is left out.
  Next next(std::string_view& line);

  // Of the line shown last, from 1. Only "\n" counts, whatever `find_end` cuts at.
  std::uint64_t number() const noexcept { return number_; }

  // Begins anew, after the file was rewound.
  void restart() noexcept { number_ = newlines_ = 0; }

  static std::size_t find_newline(std::string_view bytes, std::size_t looked_at);

 private:
  bool skip_long_line(std::size_t size);

  InputFile& file_;
  std::size_t size_max_;
  FindEnd find_end_;
  std::uint64_t number_ = 0;
  std::uint64_t newlines_ = 0;
  std::string long_line_;
};

}  // namespace shmatch::tools
