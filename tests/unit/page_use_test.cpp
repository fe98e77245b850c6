#include "ipc/page_use.h"

#include <gtest/gtest.h>

#include <string>

#include "ipc/private_memory.h"

namespace shmatch::ipc {
namespace {

constexpr std::size_t kMebibyte = std::size_t{1} << 20;

const std::string kSmaps =
    "555000-556000 r-xp 00000000 fe:00 17 /usr/bin/shmatchd\n"
    "Size:                  4 kB\n"
    "AnonHugePages:      8192 kB\n"
    "Private_Hugetlb:       0 kB\n"
    "VmFlags: rd ex mr mw me\n"
    "7f0000000000-7f0001000000 rw-p 00000000 00:00 0\n"
    "Size:              16384 kB\n"
    "Rss:               16384 kB\n"
    "AnonHugePages:     14336 kB\n"
    "Private_Hugetlb:       0 kB\n"
    "7f0001000000-7f0002000000 rw-p 00000000 00:0f 3 /anon_hugepage (deleted)\n"
    "AnonHugePages:         0 kB\n"
    "Private_Hugetlb:   16384 kB\n"
    "7f0003000000-7f0003100000 rw-p 00000000 00:00 0\n"
    "AnonHugePages:         0 kB\n"
    "Private_Hugetlb:       0 kB\n";

TEST(PageUse, SaysHowARangeIsBacked) {
  const PageUse transparent = page_use(kSmaps, 0x7f0000000000, 16 * kMebibyte);
  EXPECT_EQ(transparent.transparent, 14 * kMebibyte);
  EXPECT_EQ(transparent.reserved, 0U);
  EXPECT_EQ(in_words(transparent), "16 MiB, 14 of them in transparent huge pages");
  const PageUse reserved = page_use(kSmaps, 0x7f0001000000, 16 * kMebibyte);
  EXPECT_EQ(reserved.reserved, 16 * kMebibyte);
  EXPECT_EQ(in_words(reserved), "16 MiB in reserved huge pages");
  const PageUse small = page_use(kSmaps, 0x7f0003000000, kMebibyte);
  EXPECT_EQ(in_words(small), "1 MiB in pages of 4 KiB: the kernel grants no huge ones");
}

TEST(PageUse, ARangeWithinALargerMappingHasNoMoreThanItsSize) {
  EXPECT_EQ(page_use(kSmaps, 0x7f0000200000, 2 * kMebibyte).transparent, 2 * kMebibyte);
}

TEST(PageUse, WhatTheKernelDoesNotSayIsNotGuessed) {
  const PageUse unknown = page_use(kSmaps, 0x7e0000000000, kMebibyte);
  EXPECT_FALSE(unknown.known);
  EXPECT_EQ(in_words(unknown), "1 MiB");
  EXPECT_FALSE(page_use("", 1, 1).known);
  EXPECT_FALSE(page_use("nonsense\n\n-\n12-zz rw\n", 1, 1).known);
}

TEST(PageUse, FindsThisProcesssOwnMemory) {
  PrivateMemory memory;
  ASSERT_FALSE(memory.allocate(8 * kMebibyte));
  ASSERT_FALSE(memory.populate());
  const PageUse use = page_use(memory.bytes().data(), memory.bytes().size());
  EXPECT_TRUE(use.known);
  EXPECT_EQ(use.size, 8 * kMebibyte);
}

}  // namespace
}  // namespace shmatch::ipc
