// InputFile: a file's bytes through a window that its reader moves, plain or compressed (gzip, xz,
// zstd: by the first bytes, never by the name).
//
// Thread: one thread at a time. Ownership: it owns the descriptor and the window; views are valid
// until the next call.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ipc/fault.h"
#include "ipc/file_descriptor.h"
#include "tools/decompressor.h"

namespace shmatch::tools {

class InputFile {
 public:
  // Null with `fault`, a sentence, when `path` cannot be opened and read.
  static std::unique_ptr<InputFile> open(const std::string& path, ipc::Fault& fault);

  // The bytes from the read position on: at least `wanted` of them, all the way to the file's end
  // when it has fewer. False when the file cannot be read further; fault() says why, for good.
  // Bytes before the place of the fault are handed out first.
  bool peek(std::size_t wanted, std::string_view& bytes);

  // Moves the read position over `count` bytes that peek() has shown.
  void consume(std::size_t count) noexcept;

  // Back to the first byte. A fault when the file does not allow it (a pipe).
  ipc::Fault rewind();

  const ipc::Fault& fault() const noexcept { return fault_; }
  const std::string& path() const noexcept { return path_; }
  // Plain bytes in front of the read position.
  std::uint64_t offset() const noexcept { return offset_; }
  // 0 to 1: what of the file as it lies on the disk has been read. 0 for a pipe.
  double progress() const noexcept;

 private:
  explicit InputFile(std::string path) : path_(std::move(path)) {}

  ipc::Fault start();
  bool fill();
  bool read_block();
  void make_room(std::size_t wanted);

  std::string path_;
  ipc::FileDescriptor file_;
  std::uint64_t file_size_ = 0;
  std::uint64_t file_read_ = 0;
  std::unique_ptr<Decompressor> decompressor_;
  std::array<char, 1 << 16> block_{};
  std::string_view raw_;    // of block_, what the decompressor has not taken
  bool raw_ended_ = false;  // the file has no more blocks
  std::vector<char> window_;
  std::size_t begin_ = 0;  // of window_: the read position
  std::size_t end_ = 0;
  bool ended_ = false;
  std::uint64_t offset_ = 0;
  ipc::Fault fault_;
};

}  // namespace shmatch::tools
