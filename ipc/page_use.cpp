#include "ipc/page_use.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>

namespace shmatch::ipc {
namespace {

// "7f00-7f80 rw-p ...": the first line of a mapping.
bool read_range(std::string_view line, std::size_t& start, std::size_t& end) {
  const char* const stop = line.data() + line.size();
  const auto first = std::from_chars(line.data(), stop, start, 16);
  if (first.ec != std::errc{} || first.ptr == stop || *first.ptr != '-') return false;
  const auto second = std::from_chars(first.ptr + 1, stop, end, 16);
  return second.ec == std::errc{} && second.ptr != stop && *second.ptr == ' ';
}

// "AnonHugePages:    2048 kB".
std::size_t read_kilobytes(std::string_view line, std::string_view name) {
  if (!line.starts_with(name)) return 0;
  line.remove_prefix(name.size());
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  std::size_t kilobytes = 0;
  std::from_chars(line.data(), line.data() + line.size(), kilobytes);
  return kilobytes * 1024;
}

std::string mebibytes(std::size_t bytes) { return std::to_string(bytes >> 20); }

}  // namespace

PageUse page_use(std::string_view smaps, std::size_t start, std::size_t size) {
  PageUse use{.size = size};
  bool inside = false;
  while (!smaps.empty()) {
    const std::size_t length = std::min(smaps.find('\n'), smaps.size());
    const std::string_view line = smaps.substr(0, length);
    smaps.remove_prefix(std::min(length + 1, smaps.size()));
    std::size_t from = 0;
    std::size_t to = 0;
    if (read_range(line, from, to)) {
      inside = from < start + size && start < to;
      use.known = use.known || inside;
    } else if (inside) {
      use.transparent += read_kilobytes(line, "AnonHugePages:");
      use.reserved += read_kilobytes(line, "Private_Hugetlb:");
    }
  }
  // The kernel joins neighbouring mappings, whose pages are counted, too.
  use.reserved = std::min(use.reserved, size);
  use.transparent = std::min(use.transparent, size);
  return use;
}

PageUse page_use(const std::byte* start, std::size_t size) {
  std::ifstream file("/proc/self/smaps");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return page_use(text, reinterpret_cast<std::size_t>(start), size);
}

std::string in_words(const PageUse& use) {
  const std::string size = mebibytes(use.size) + " MiB";
  if (!use.known) return size;
  if (use.reserved != 0) return size + " in reserved huge pages";
  if (use.transparent != 0) {
    return size + ", " + mebibytes(use.transparent) + " of them in transparent huge pages";
  }
  return size + " in pages of 4 KiB: the kernel grants no huge ones";
}

}  // namespace shmatch::ipc
