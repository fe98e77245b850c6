#include "tools/demo_log.h"

#include <lzma.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include "tools/request_codec.h"

namespace shmatch::tools {
namespace {

constexpr std::size_t kBlockSize = 1 << 16;
// A log of one process' requests needs far less; a file made to eat memory is refused.
constexpr std::uint64_t kDecoderMemoryMax = 256U << 20;
constexpr std::string_view kXzMagic(
    "\xFD"
    "7zXZ\0",
    6);

struct CloseFile {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};

std::string decoder_fault(lzma_ret result) {
  switch (result) {
    case LZMA_BUF_ERROR:
      return "its xz data ends too early";
    case LZMA_MEMLIMIT_ERROR:
      return "its xz data needs too much memory";
    case LZMA_MEM_ERROR:
      return "not enough memory";
    default:
      return "its xz data is damaged";
  }
}

// The file's bytes, decompressed when they are xz.
class ByteSource {
 public:
  ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  ~ByteSource() { lzma_end(&decoder_); }

  bool open(const std::string& path) {
    file_.reset(std::fopen(path.c_str(), "rbe"));
    if (!file_ || !fill()) return fail();
    compressed_ = std::string_view(input_, input_size_).starts_with(kXzMagic);
    if (!compressed_) return true;
    const lzma_ret result = lzma_stream_decoder(&decoder_, kDecoderMemoryMax, LZMA_CONCATENATED);
    if (result != LZMA_OK) error_ = decoder_fault(result);
    return result == LZMA_OK;
  }

  // The next block; empty at the end. False with error() when there is none to be had.
  bool next(std::string_view& block) {
    if (compressed_) return decode(block);
    if (input_size_ == 0 && !fill()) return fail();
    block = std::string_view(input_, std::exchange(input_size_, 0));
    return true;
  }

  const std::string& error() const noexcept { return error_; }

 private:
  bool fail() {
    error_ = std::strerror(errno);
    return false;
  }

  bool fill() {
    input_size_ = std::fread(input_, 1, sizeof(input_), file_.get());
    return std::ferror(file_.get()) == 0;
  }

  bool decode(std::string_view& block) {
    decoder_.next_out = reinterpret_cast<std::uint8_t*>(output_);
    decoder_.avail_out = sizeof(output_);
    while (!ended_ && decoder_.avail_out > 0) {
      if (decoder_.avail_in == 0) {
        if (input_size_ == 0 && !fill()) return fail();
        decoder_.next_in = reinterpret_cast<const std::uint8_t*>(input_);
        decoder_.avail_in = std::exchange(input_size_, 0);
      }
      const lzma_action action = decoder_.avail_in == 0 ? LZMA_FINISH : LZMA_RUN;
      const lzma_ret result = lzma_code(&decoder_, action);
      ended_ = result == LZMA_STREAM_END;
      if (result != LZMA_OK && !ended_) {
        error_ = decoder_fault(result);
        return false;
      }
    }
    block = std::string_view(output_, sizeof(output_) - decoder_.avail_out);
    return true;
  }

  std::unique_ptr<std::FILE, CloseFile> file_;
  lzma_stream decoder_ = LZMA_STREAM_INIT;
  bool compressed_ = false;
  bool ended_ = false;
  std::size_t input_size_ = 0;  // bytes of input_ that nobody has taken
  std::string error_;
  char input_[kBlockSize];
  char output_[kBlockSize];
};

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

// Cuts blocks into lines. A line longer than the codec takes is cut too, and then no frame.
class LineCutter {
 public:
  explicit LineCutter(RequestLog& log) : log_(log) {}

  void add(std::string_view block) {
    while (!block.empty()) {
      const std::size_t end = block.find('\n');
      const std::string_view piece = block.substr(0, end);
      const std::size_t room = kLineSizeMax + 1 - std::min(line_.size(), kLineSizeMax + 1);
      line_.append(piece.substr(0, room));
      if (end == std::string_view::npos) return;
      finish();
      block.remove_prefix(end + 1);
    }
  }

  // The line so far is whole.
  void finish() {
    add_line(line_, ++number_, log_);
    line_.clear();
  }

 private:
  RequestLog& log_;
  std::string line_;
  std::uint64_t number_ = 0;
};

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
  const auto source = std::make_unique<ByteSource>();
  LineCutter lines(log);
  std::string_view block;
  bool readable = source->open(path);
  while (readable && (readable = source->next(block)) && !block.empty()) {
    lines.add(block);
    if (log.users.size() > kUsersPerLogMax) {
      error = path + " names more than " + std::to_string(kUsersPerLogMax) +
              " users, and the demo runs one client process for each";
      return false;
    }
  }
  if (!readable) {
    error = "cannot read " + path + ": " + source->error();
    return false;
  }
  lines.finish();
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
