// The first bytes of a file, from which its format is told.
//
// Thread: the file's.
#pragma once

#include <cstddef>
#include <string_view>

#include "ipc/fault.h"
#include "tools/input_file.h"

namespace shmatch::tools {

inline constexpr std::size_t kFileHeadBytes = 1 << 16;

struct FileHead {
  std::string_view bytes;
  bool whole = false;  // the file has no more
};

// The head of `file`, which stands at its begin and stays there; valid as peek()'s bytes are. False
// with `fault` when it cannot be read.
inline bool read_head(InputFile& file, FileHead& head, ipc::Fault& fault) {
  if (!file.peek(kFileHeadBytes, head.bytes)) {
    fault = file.fault();
    return false;
  }
  head.whole = head.bytes.size() < kFileHeadBytes;
  return true;
}

// True when `holds` is true of one of the head's lines; the last one counts only when it is known
// to be whole.
template <class Predicate>
bool any_line(const FileHead& head, Predicate holds) {
  std::string_view rest = head.bytes;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos && !head.whole) return false;
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (holds(line)) return true;
  }
  return false;
}

}  // namespace shmatch::tools
