#include "tools/request_source.h"

#include <utility>

#include "tools/file_head.h"
#include "tools/input_file.h"
#include "tools/source_bitstamp.h"
#include "tools/source_fix.h"
#include "tools/source_itch.h"
#include "tools/source_jsonl.h"
#include "tools/source_lobster.h"

namespace shmatch::tools {

namespace {

struct Format {
  const char* name;
  const char* description;
  bool (*looks_like)(const FileHead& head);
  std::unique_ptr<RequestSource> (*open)(std::unique_ptr<InputFile> file,
                                         const SourceOptions& options, ipc::Fault& fault);
};

// In the order in which they are tried: what is told most surely comes first.
constexpr Format kFormats[] = {
    {kJsonlName, "AlphaPoint frames, one JSON object a line", looks_like_jsonl, open_jsonl},
    {kBitstampName, "Bitstamp order events, CSV or JSON", looks_like_bitstamp, open_bitstamp},
    {kFixName, "FIX 4.x log", looks_like_fix, open_fix},
    {kLobsterName, "LOBSTER message file", looks_like_lobster, open_lobster},
    {kItchName, "Nasdaq ITCH 5.0 file", looks_like_itch, open_itch},
};

const Format* find_format(const std::string& name, const FileHead& head) {
  for (const Format& format : kFormats) {
    if (name.empty() ? format.looks_like(head) : name == format.name) return &format;
  }
  return nullptr;
}

std::string described_formats() {
  std::string text;
  for (const Format& format : kFormats) {
    if (!text.empty()) text += ", ";
    text += std::string(format.name) + " (" + format.description + ")";
  }
  return text;
}

}  // namespace

std::unique_ptr<RequestSource> open_source(const std::string& path, const SourceOptions& options,
                                           ipc::Fault& fault) {
  std::unique_ptr<InputFile> file = InputFile::open(path, fault);
  FileHead head;
  if (file == nullptr || !read_head(*file, head, fault)) return nullptr;
  const Format* format = find_format(options.format, head);
  if (format != nullptr) return format->open(std::move(file), options, fault);
  if (!options.format.empty()) {
    fault.text = "--format " + options.format + " is none of " + described_formats();
  } else {
    fault.text =
        path + " has no format that is known: name one with --format, of " + described_formats();
  }
  return nullptr;
}

std::string source_format_names() {
  std::string text;
  for (const Format& format : kFormats) {
    if (!text.empty()) text += ", ";
    text += format.name;
  }
  return text;
}

}  // namespace shmatch::tools
