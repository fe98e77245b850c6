#include "tools/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace shmatch::tools {

namespace {

constexpr std::size_t kWindowBytes = 1 << 18;

}  // namespace

std::unique_ptr<InputFile> InputFile::open(const std::string& path, ipc::Fault& fault) {
  std::unique_ptr<InputFile> input(new InputFile(path));
  input->file_ = ipc::FileDescriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!input->file_ || ::fstat(input->file_.get(), &status) != 0) {
    fault = ipc::system_fault("cannot read " + path, errno);
    return nullptr;
  }
  if (S_ISREG(status.st_mode)) input->file_size_ = static_cast<std::uint64_t>(status.st_size);
  fault = input->start();
  return fault ? nullptr : std::move(input);
}

bool InputFile::peek(std::size_t wanted, std::string_view& bytes) {
  while (end_ - begin_ < wanted && !ended_ && !fault_) {
    make_room(wanted);
    if (!fill()) break;
  }
  bytes = std::string_view(window_.data() + begin_, end_ - begin_);
  return !bytes.empty() || !fault_;
}

void InputFile::consume(std::size_t count) noexcept {
  begin_ += count;
  offset_ += count;
}

ipc::Fault InputFile::rewind() {
  if (::lseek(file_.get(), 0, SEEK_SET) != 0) {
    return ipc::system_fault("cannot read " + path_ + " twice, as its format needs", errno);
  }
  return start();
}

double InputFile::progress() const noexcept {
  if (file_size_ == 0) return 0;
  const double part = static_cast<double>(file_read_) / static_cast<double>(file_size_);
  return std::min(part, 1.0);
}

// Reads enough to know what the file is compressed with.
ipc::Fault InputFile::start() {
  raw_ = {};
  raw_ended_ = false;
  begin_ = end_ = 0;
  ended_ = false;
  offset_ = file_read_ = 0;
  fault_ = {};
  std::size_t size = 0;
  while (size < kCompressionMagicBytes && !raw_ended_) {
    if (!read_block()) return fault_;
    size = raw_.size();
  }
  decompressor_ = make_decompressor(raw_);
  return {};
}

// Adds to the window; false when there was nothing more to add.
bool InputFile::fill() {
  while (true) {
    if (raw_.empty() && !raw_ended_ && !read_block()) return false;
    std::span<char> room(window_.data() + end_, window_.size() - end_);
    const std::size_t before = room.size();
    const char* why = decompressor_->decode(raw_, room, raw_ended_);
    end_ += before - room.size();
    if (why != nullptr) {
      fault_.text = "cannot read " + path_ + ": its " + why + ", after " +
                    std::to_string(offset_ + end_ - begin_) + " bytes of content";
    }
    if (before != room.size()) return true;
    if (why != nullptr) return false;
    if (raw_ended_) {
      ended_ = true;
      return false;
    }
  }
}

// Adds what the next read gives behind what is left of the block.
bool InputFile::read_block() {
  if (!raw_.empty()) std::memmove(block_.data(), raw_.data(), raw_.size());
  ssize_t size = 0;
  do {
    size = ::read(file_.get(), block_.data() + raw_.size(), block_.size() - raw_.size());
  } while (size < 0 && errno == EINTR);
  if (size < 0) {
    fault_ = ipc::system_fault("cannot read " + path_, errno);
    return false;
  }
  raw_ended_ = size == 0;
  raw_ = std::string_view(block_.data(), raw_.size() + static_cast<std::size_t>(size));
  file_read_ += static_cast<std::uint64_t>(size);
  return true;
}

// Makes the window hold `wanted` bytes from the read position, and some more.
void InputFile::make_room(std::size_t wanted) {
  const std::size_t size = end_ - begin_;
  if (begin_ > 0) std::memmove(window_.data(), window_.data() + begin_, size);
  begin_ = 0;
  end_ = size;
  if (window_.size() < wanted + kWindowBytes / 2) window_.resize(wanted + kWindowBytes);
}

}  // namespace shmatch::tools
