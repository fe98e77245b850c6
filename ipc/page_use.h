// Which kinds of pages lie behind a range of this process's memory. The fewer and larger the pages,
// the fewer address translations a random access misses.
//
// The ladder, from the best step down: huge pages that were reserved for such use (sysctl
// vm.nr_hugepages), huge pages that the kernel puts together as it can (transparent ones), pages of
// 4 KiB.
//
// Thread: any. Reads a file; not for the engine thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace shmatch::ipc {

// Bytes.
struct PageUse {
  std::size_t size = 0;
  std::size_t reserved = 0;     // in reserved huge pages
  std::size_t transparent = 0;  // in transparent huge pages
  bool known = false;           // the kernel has said so
};

// Of `size` bytes from `start` on, all of them present.
PageUse page_use(const std::byte* start, std::size_t size);
// The same from the text of a /proc/PID/smaps; addresses as numbers.
PageUse page_use(std::string_view smaps, std::size_t start, std::size_t size);

// For a log: "573 MiB, 570 of them in transparent huge pages".
std::string in_words(const PageUse& use);

}  // namespace shmatch::ipc
