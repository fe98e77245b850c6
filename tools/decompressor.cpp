#include "tools/decompressor.h"

#include <lzma.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>

namespace shmatch::tools {

namespace {

constexpr std::string_view kGzipMagic("\x1F\x8B", 2);
constexpr std::string_view kXzMagic("\xFD\x37\x7A\x58\x5A\x00", 6);
constexpr std::string_view kZstdMagic("\x28\xB5\x2F\xFD", 4);

// No log needs more to be unpacked; a file made to eat memory is refused.
constexpr std::uint64_t kDecoderMemoryMax = 256U << 20;
constexpr int kZstdWindowLogMax = 27;

constexpr const char* kEndsTooEarly = "compressed data ends too early";
constexpr const char* kDamaged = "compressed data is damaged";
constexpr const char* kNeedsTooMuchMemory = "compressed data needs too much memory";
constexpr const char* kNoMemory = "compressed data needs more memory than there is";

class PlainBytes final : public Decompressor {
 public:
  const char* decode(std::string_view& in, std::span<char>& out, bool /*last*/) override {
    const std::size_t size = std::min(in.size(), out.size());
    if (size > 0) std::memcpy(out.data(), in.data(), size);
    in.remove_prefix(size);
    out = out.subspan(size);
    return nullptr;
  }
};

class Gzip final : public Decompressor {
 public:
  Gzip() {
    constexpr int kGzipFormat = 16;
    ready_ = inflateInit2(&stream_, MAX_WBITS + kGzipFormat) == Z_OK;
  }
  ~Gzip() override { inflateEnd(&stream_); }

  const char* decode(std::string_view& in, std::span<char>& out, bool last) override {
    if (!ready_) return kNoMemory;
    while (!out.empty()) {
      if (in.empty()) return last && inside_ ? kEndsTooEarly : nullptr;
      inside_ = true;
      const int result = step(in, out);
      if (result == Z_STREAM_END) {
        // Another part may follow.
        inside_ = false;
        if (inflateReset(&stream_) != Z_OK) return kDamaged;
      } else if (result != Z_OK) {
        return result == Z_MEM_ERROR ? kNoMemory : kDamaged;
      }
    }
    return nullptr;
  }

 private:
  int step(std::string_view& in, std::span<char>& out) {
    constexpr std::size_t kPieceMax = std::numeric_limits<uInt>::max();
    const auto in_size = static_cast<uInt>(std::min(in.size(), kPieceMax));
    const auto out_size = static_cast<uInt>(std::min(out.size(), kPieceMax));
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    stream_.avail_in = in_size;
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = out_size;
    const int result = inflate(&stream_, Z_NO_FLUSH);
    in.remove_prefix(in_size - stream_.avail_in);
    out = out.subspan(out_size - stream_.avail_out);
    return result;
  }

  z_stream stream_{};
  bool ready_ = false;
  bool inside_ = false;  // within a part
};

class Xz final : public Decompressor {
 public:
  Xz() { state_ = lzma_stream_decoder(&stream_, kDecoderMemoryMax, LZMA_CONCATENATED); }
  ~Xz() override { lzma_end(&stream_); }

  const char* decode(std::string_view& in, std::span<char>& out, bool last) override {
    while (state_ == LZMA_OK && !out.empty() && (last || !in.empty())) {
      stream_.next_in = reinterpret_cast<const std::uint8_t*>(in.data());
      stream_.avail_in = in.size();
      stream_.next_out = reinterpret_cast<std::uint8_t*>(out.data());
      stream_.avail_out = out.size();
      state_ = lzma_code(&stream_, last ? LZMA_FINISH : LZMA_RUN);
      in.remove_prefix(in.size() - stream_.avail_in);
      out = out.subspan(out.size() - stream_.avail_out);
    }
    return fault();
  }

 private:
  const char* fault() const {
    switch (state_) {
      case LZMA_OK:
      case LZMA_STREAM_END:
        return nullptr;
      case LZMA_BUF_ERROR:
        return kEndsTooEarly;
      case LZMA_MEMLIMIT_ERROR:
        return kNeedsTooMuchMemory;
      case LZMA_MEM_ERROR:
        return kNoMemory;
      default:
        return kDamaged;
    }
  }

  lzma_stream stream_ = LZMA_STREAM_INIT;
  lzma_ret state_;
};

class Zstd final : public Decompressor {
 public:
  Zstd() : stream_(ZSTD_createDStream()) {
    if (stream_) ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, kZstdWindowLogMax);
  }

  const char* decode(std::string_view& in, std::span<char>& out, bool last) override {
    if (!stream_) return kNoMemory;
    while (!out.empty()) {
      // At the end of the file the decoder may still hold plain bytes back.
      if (in.empty() && (!last || !inside_)) return nullptr;
      ZSTD_inBuffer source{in.data(), in.size(), 0};
      ZSTD_outBuffer target{out.data(), out.size(), 0};
      const std::size_t result = ZSTD_decompressStream(stream_.get(), &target, &source);
      if (ZSTD_isError(result) != 0) return fault(result);
      inside_ = result != 0;
      in.remove_prefix(source.pos);
      out = out.subspan(target.pos);
      if (source.pos == 0 && target.pos == 0 && inside_) return kEndsTooEarly;
    }
    return nullptr;
  }

 private:
  struct Free {
    void operator()(ZSTD_DStream* stream) const noexcept { ZSTD_freeDStream(stream); }
  };

  static const char* fault(std::size_t result) {
    switch (ZSTD_getErrorCode(result)) {
      case ZSTD_error_frameParameter_windowTooLarge:
        return kNeedsTooMuchMemory;
      case ZSTD_error_memory_allocation:
        return kNoMemory;
      default:
        return kDamaged;
    }
  }

  std::unique_ptr<ZSTD_DStream, Free> stream_;
  bool inside_ = false;  // within a part
};

}  // namespace

std::unique_ptr<Decompressor> make_decompressor(std::string_view head) {
  if (head.starts_with(kGzipMagic)) return std::make_unique<Gzip>();
  if (head.starts_with(kXzMagic)) return std::make_unique<Xz>();
  if (head.starts_with(kZstdMagic)) return std::make_unique<Zstd>();
  return std::make_unique<PlainBytes>();
}

}  // namespace shmatch::tools
