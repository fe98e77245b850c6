// Decompressor: the plain bytes of a file, whatever it is compressed with. Which that is shows in
// its first bytes: gzip, xz, zstd, or nothing.
//
// Files of several parts one after the other (as `cat a.gz b.gz` makes them) are read as one. How
// much memory a file may ask for is bounded.
//
// Thread: one thread at a time.
#pragma once

#include <memory>
#include <span>
#include <string_view>

namespace shmatch::tools {

// Enough of a file's first bytes to tell what it is compressed with.
inline constexpr std::size_t kCompressionMagicBytes = 6;

class Decompressor {
 public:
  virtual ~Decompressor() = default;

  // Takes bytes from the front of `in` and puts plain bytes at the front of `out`; both shrink
  // by what was used. It stops only when one of them is empty or the data is at its end. `last`
  // says that the file has nothing after `in`. Null, or why the data cannot be read (words that
  // follow "its"); after that the decompressor is of no more use.
  virtual const char* decode(std::string_view& in, std::span<char>& out, bool last) = 0;

 protected:
  Decompressor() = default;
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;
};

// The decompressor for a file that begins with `head`. Null when there is no memory for it.
std::unique_ptr<Decompressor> make_decompressor(std::string_view head);

}  // namespace shmatch::tools
