#include "tools/demo_log.h"

#include <algorithm>
#include <memory>
#include <string_view>

#include "tools/input_file.h"
#include "tools/line_reader.h"
#include "tools/request_codec.h"

namespace shmatch::tools {
namespace {

RequestKind kind_of(Function function) noexcept {
  if (function == Function::kSendOrder) return RequestKind::kOrder;
  if (function == Function::kCancelOrder) return RequestKind::kCancel;
  return RequestKind::kQuery;
}

UserFrames& frames_of(const std::string& user, RequestLog& log) {
  const auto known = std::find_if(log.users.begin(), log.users.end(),
                                  [&](const UserFrames& frames) { return frames.user == user; });
  if (known != log.users.end()) return *known;
  UserFrames& added = log.users.emplace_back();
  added.user = user;
  return added;
}

void add_frame(const Frame& frame, RequestLog& log) {
  const auto function = find_function(frame.function);
  if (!function) {
    ++log.unknown_functions;
    return;
  }
  const EncodedRequest encoded = encode_request(*function, frame);
  const RequestKind kind = kind_of(*function);
  UserFrames& frames = frames_of(frame.user, log);
  ++log.frames[kind];
  if (!encoded.refused()) {
    ++log.requests;
    frames.requests.push_back(encoded.request);
    return;
  }
  if (frames.malformed.sum() == 0) frames.malformed_example = encoded.fault;
  ++frames.malformed[kind];
}

void add_line(std::string_view text, std::uint64_t number, RequestLog& log) {
  const Line line = parse_line(text);
  switch (line.kind) {
    case LineKind::kFrame:
      add_frame(line.frame, log);
      break;
    case LineKind::kBlank:
      break;
    case LineKind::kSkipped:
      ++log.skipped;
      break;
    case LineKind::kNoFrame:
      if (log.no_frames++ == 0) {
        log.no_frame_example = "line " + std::to_string(number) + ": " + line.fault;
      }
      break;
  }
}

}  // namespace

RequestKind kind_of(core::RequestType type) noexcept {
  switch (type) {
    case core::RequestType::kNewOrder:
      return RequestKind::kOrder;
    case core::RequestType::kCancelOrder:
      return RequestKind::kCancel;
    default:
      return RequestKind::kQuery;
  }
}

bool read_log(const std::string& path, RequestLog& log, std::string& error) {
  ipc::Fault fault;
  const std::unique_ptr<InputFile> file = InputFile::open(path, fault);
  if (file == nullptr) {
    error = fault.text;
    return false;
  }
  LineReader lines(*file, kLineSizeMax);
  std::string_view line;
  LineReader::Next next = LineReader::Next::kEnd;
  while ((next = lines.next(line)) == LineReader::Next::kLine) {
    add_line(line, lines.number(), log);
    if (log.users.size() > kUsersPerLogMax) {
      error = path + " names more than " + std::to_string(kUsersPerLogMax) +
              " users, and the demo runs one client process for each";
      return false;
    }
  }
  if (next == LineReader::Next::kFault) {
    error = file->fault().text;
    return false;
  }
  if (log.requests == 0) {
    error = path + " holds no request";
    if (log.no_frames > 0) error += "; " + log.no_frame_example;
    return false;
  }
  std::sort(log.users.begin(), log.users.end(),
            [](const UserFrames& a, const UserFrames& b) { return a.user < b.user; });
  return true;
}

}  // namespace shmatch::tools
