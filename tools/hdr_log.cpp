#include "tools/hdr_log.h"

#include <algorithm>
#include <boost/archive/iterators/base64_from_binary.hpp>
#include <boost/archive/iterators/binary_from_base64.hpp>
#include <boost/archive/iterators/transform_width.hpp>
#include <cerrno>
#include <cstring>
#include <exception>
#include <fstream>
#include <system_error>
#include <vector>

namespace shmatch::tools {

namespace {

constexpr double kNsPerMillisecond = 1e6;

std::string cannot(std::string_view what, const std::string& path, int error) {
  return "cannot " + std::string(what) + " " + path + ": " + std::generic_category().message(error);
}

// The fields of a line: an optional tag, then four.
bool split(std::string_view line, std::string& tag, std::string_view& histogram) {
  constexpr std::string_view kTag = "Tag=";
  std::vector<std::string_view> fields;
  while (true) {
    const std::size_t comma = line.find(',');
    fields.push_back(line.substr(0, comma));
    if (comma == std::string_view::npos) break;
    line.remove_prefix(comma + 1);
  }
  tag.clear();
  if (fields.front().starts_with(kTag)) {
    tag = fields.front().substr(kTag.size());
    fields.erase(fields.begin());
  }
  if (fields.size() != 4) return false;
  histogram = fields.back();
  return true;
}

}  // namespace

std::string base64_text(std::string_view bytes) {
  using namespace boost::archive::iterators;
  using Digits = base64_from_binary<transform_width<std::string_view::const_iterator, 6, 8>>;
  std::string text(Digits(bytes.begin()), Digits(bytes.end()));
  text.append((3 - bytes.size() % 3) % 3, '=');
  return text;
}

bool base64_bytes(std::string_view text, std::string& bytes) {
  using namespace boost::archive::iterators;
  using Bytes = transform_width<binary_from_base64<std::string::const_iterator>, 8, 6>;
  if (text.empty() || text.size() % 4 != 0) return false;
  std::string digits(text);
  const auto padding = static_cast<std::size_t>(digits.ends_with("==")  ? 2
                                                : digits.ends_with("=") ? 1
                                                                        : 0);
  if (digits.find('=') < digits.size() - padding) return false;
  std::fill(digits.end() - static_cast<std::ptrdiff_t>(padding), digits.end(), 'A');
  try {
    bytes.assign(Bytes(digits.cbegin()), Bytes(digits.cend()));
  } catch (const std::exception&) {  // a character that is no digit
    return false;
  }
  bytes.resize(bytes.size() - padding);
  return true;
}

std::string HdrLogWriter::open(const std::string& path, std::string_view written_by,
                               double start_seconds) {
  path_ = path;
  file_.reset(std::fopen(path.c_str(), "we"));
  if (!file_) return cannot("write", path_, errno);
  std::fprintf(file_.get(),
               "#[Logged with %.*s]\n#[Histogram log format version 1.3]\n"
               "#[StartTime: %.3f (seconds since epoch)]\n"
               "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\","
               "\"Interval_Compressed_Histogram\"\n",
               static_cast<int>(written_by.size()), written_by.data(), start_seconds);
  return {};
}

void HdrLogWriter::add(std::string_view tag, double begin_seconds, double length_seconds,
                       const HdrHistogram& histogram) {
  if (histogram.count() == 0) return;
  std::fprintf(file_.get(), "Tag=%.*s,%.3f,%.3f,%.3f,%s\n", static_cast<int>(tag.size()),
               tag.data(), begin_seconds, length_seconds,
               static_cast<double>(histogram.max()) / kNsPerMillisecond,
               base64_text(histogram.encode()).c_str());
}

std::string HdrLogWriter::close() {
  const bool failed = std::fflush(file_.get()) != 0 || std::ferror(file_.get()) != 0;
  const int error = errno;
  file_.reset();
  return failed ? cannot("write", path_, error) : std::string();
}

std::string read_hdr_log(const std::string& path, HdrLog& log) {
  std::ifstream file(path);
  if (!file) return cannot("read", path, errno);
  std::string line;
  for (std::size_t number = 1; std::getline(file, line); ++number) {
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty() || line[0] == '#' || line[0] == '"') continue;
    const std::string where = path + ":" + std::to_string(number) + ": ";
    std::string tag;
    std::string_view text;
    std::string bytes;
    if (!split(line, tag, text) || !base64_bytes(text, bytes)) {
      return where + "this is no line of a histogram log";
    }
    HdrHistogram histogram;
    std::string fault;
    const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
    if (!HdrHistogram::decode({data, bytes.size()}, histogram, fault)) return where + fault;
    // What other tools have written in wider buckets or up to larger values keeps them.
    const auto [found, fresh] = log.try_emplace(tag, histogram);
    if (!fresh) found->second.add(histogram);
  }
  if (file.bad()) return cannot("read", path, errno);
  return log.empty() ? path + " holds no histogram" : std::string();
}

}  // namespace shmatch::tools
