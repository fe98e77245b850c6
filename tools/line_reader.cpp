#include "tools/line_reader.h"

namespace shmatch::tools {

namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::size_t kNotFound = std::string_view::npos;

}  // namespace

std::size_t LineReader::find_newline(std::string_view bytes, std::size_t looked_at) {
  const std::size_t newline = bytes.find('\n', looked_at);
  return newline == kNotFound ? kNotFound : newline + 1;
}

LineReader::Next LineReader::next(std::string_view& line) {
  std::string_view bytes;
  std::size_t looked_at = 0;
  std::size_t size = kNotFound;
  while (true) {
    if (!file_.peek(looked_at + 1, bytes)) return Next::kFault;
    size = find_end_(bytes, looked_at);
    if (size != kNotFound || bytes.size() == looked_at || bytes.size() > size_max_) break;
    looked_at = bytes.size();
  }
  if (bytes.empty()) return Next::kEnd;
  number_ = newlines_ + 1;
  if (size == kNotFound && bytes.size() > size_max_) {
    long_line_ = bytes.substr(0, size_max_ + 1);
    line = long_line_;
    return skip_long_line(bytes.size()) ? Next::kLine : Next::kFault;
  }
  if (size == kNotFound) {
    if (file_.fault()) return Next::kFault;
    size = bytes.size();
  }
  line = bytes.substr(0, size);
  if (file_.offset() == 0 && line.starts_with(kByteOrderMark)) {
    line.remove_prefix(kByteOrderMark.size());
  }
  file_.consume(size);
  if (line.ends_with('\n')) {
    ++newlines_;
    line.remove_suffix(1);
    if (line.ends_with('\r')) line.remove_suffix(1);
  }
  if (line.size() > size_max_) line = line.substr(0, size_max_ + 1);
  return Next::kLine;
}

// Moves over the `size` bytes looked at and the rest of their line. False at a fault.
bool LineReader::skip_long_line(std::size_t size) {
  std::string_view bytes;
  while (true) {
    file_.consume(size);
    if (!file_.peek(1, bytes)) return false;
    if (bytes.empty()) return true;
    const std::size_t newline = bytes.find('\n');
    if (newline != kNotFound) {
      file_.consume(newline + 1);
      ++newlines_;
      return true;
    }
    size = bytes.size();
  }
}

}  // namespace shmatch::tools
