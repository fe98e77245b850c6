// Seals: after confirmation a client keeps the one writable mapping of its requests and gets
// nothing else, whatever it tries with the descriptors and mappings that it holds.
#include "ipc/sealed_memory.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "ipc/available_memory.h"
#include "ipc/ring.h"
#include "ipc/session_memory.h"

namespace shmatch::ipc {
namespace {

// What a hostile holder of `handle` may try to gain write access or to take pages away.
void expect_no_way_to_write(int handle, std::size_t size) {
  EXPECT_EQ(::pwrite(handle, "x", 1, 0), -1);
  EXPECT_EQ(errno, EPERM);
  EXPECT_EQ(::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, handle, 0), MAP_FAILED);
  EXPECT_EQ(errno, EPERM);
  EXPECT_EQ(::ftruncate(handle, 0), -1);
  EXPECT_EQ(errno, EPERM);
  EXPECT_EQ(::ftruncate(handle, static_cast<off_t>(size) * 2), -1);
  EXPECT_EQ(errno, EPERM);
  EXPECT_EQ(::fallocate(handle, 0, 0, static_cast<off_t>(size) * 2), -1);
  EXPECT_EQ(errno, EPERM);
  EXPECT_EQ(::fallocate(handle, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096), -1);
  EXPECT_EQ(errno, EPERM);
  EXPECT_EQ(::fcntl(handle, F_ADD_SEALS, F_SEAL_WRITE), -1);
  EXPECT_EQ(errno, EPERM);

  void* const view = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, handle, 0);
  ASSERT_NE(view, MAP_FAILED);
  EXPECT_EQ(::mprotect(view, size, PROT_READ | PROT_WRITE), -1);
  EXPECT_EQ(errno, EACCES);
  EXPECT_EQ(::madvise(view, size, MADV_REMOVE), -1);
  ::munmap(view, size);

  // The same file through a new description.
  const std::string again = "/proc/self/fd/" + std::to_string(handle);
  const FileDescriptor reopened(::open(again.c_str(), O_RDWR | O_CLOEXEC));
  if (reopened) {
    EXPECT_EQ(::pwrite(reopened.get(), "x", 1, 0), -1);
    EXPECT_EQ(::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, reopened.get(), 0),
              MAP_FAILED);
  }
  const FileDescriptor emptied(::open(again.c_str(), O_RDWR | O_TRUNC | O_CLOEXEC));
  struct stat status {};
  ASSERT_EQ(::fstat(handle, &status), 0);
  EXPECT_EQ(static_cast<std::size_t>(status.st_size), size);
}

// A session's memory together with what its client would hold.
class SealedSession : public testing::Test {
 protected:
  void SetUp() override {
    const Fault fault =
        engine_.create(5, {.request_slots = 64, .report_slots = 256, .backlog_slots = 256});
    ASSERT_FALSE(fault) << fault.text;
    requests_ = FileDescriptor(::dup(engine_.requests_handle()));
    reports_ = FileDescriptor(::dup(engine_.reports_handle()));
  }

  void map_as_client() {
    const Fault fault = mapping_.map(requests_.get(), engine_.requests_size(), Access::kReadWrite);
    ASSERT_FALSE(fault) << fault.text;
    auto* const header = reinterpret_cast<RequestsHeader*>(mapping_.data());
    store_word(header->magic, kRequestsMagic, std::memory_order_release);
  }

  SessionMemory engine_;
  FileDescriptor requests_;
  FileDescriptor reports_;
  Mapping mapping_;
};

TEST_F(SealedSession, RequestsCanOnlyBeWrittenThroughTheFirstMapping) {
  map_as_client();
  ASSERT_FALSE(engine_.confirm());
  expect_no_way_to_write(requests_.get(), engine_.requests_size());
  EXPECT_EQ(::madvise(mapping_.data(), kPageSize, MADV_REMOVE), -1);
  // The client's own mapping still carries words to the engine.
  auto* const slot = reinterpret_cast<Slot*>(mapping_.data() + engine_.first_slot_offset());
  store_word(slot->sequence, 77, std::memory_order_relaxed);
  EXPECT_EQ(load_word(engine_.request_slots()->sequence, std::memory_order_relaxed), 77U);
}

TEST_F(SealedSession, ReportsCannotBeWrittenFromTheMomentTheyAreSent) {
  expect_no_way_to_write(reports_.get(), engine_.reports_size());
  // The engine still can.
  store_word(engine_.report_slots()->sequence, 5, std::memory_order_relaxed);
  Mapping view;
  ASSERT_FALSE(view.map(reports_.get(), engine_.reports_size(), Access::kReadOnly));
  const auto* const slot = reinterpret_cast<const Slot*>(view.data() + engine_.first_slot_offset());
  EXPECT_EQ(load_word(slot->sequence, std::memory_order_relaxed), 5U);
}

TEST_F(SealedSession, AHolePunchedBeforeConfirmationIsFilledAgain) {
  map_as_client();
  const auto size = static_cast<off_t>(engine_.requests_size());
  ASSERT_EQ(::fallocate(requests_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, kPageSize,
                        size - static_cast<off_t>(kPageSize)),
            0);
  struct stat status {};
  ASSERT_EQ(::fstat(requests_.get(), &status), 0);
  ASSERT_LT(status.st_blocks * 512, size);
  ASSERT_FALSE(engine_.confirm());
  ASSERT_EQ(::fstat(requests_.get(), &status), 0);
  EXPECT_EQ(status.st_blocks * 512, size);
}

TEST_F(SealedSession, IsRefusedWhenTheClientMappedNothing) { EXPECT_TRUE(engine_.confirm()); }

TEST_F(SealedSession, IsRefusedWhenTheClientSealedTheRequestsItself) {
  map_as_client();
  ASSERT_EQ(::fcntl(requests_.get(), F_ADD_SEALS, F_SEAL_SEAL), 0);
  EXPECT_TRUE(engine_.confirm());
}

TEST_F(SealedSession, RequestsCannotShrinkBeforeConfirmation) {
  EXPECT_EQ(::ftruncate(requests_.get(), 0), -1);
  EXPECT_EQ(errno, EPERM);
}

TEST(SealedMemory, AClientChecksSizeAndSealsBeforeItMaps) {
  FileDescriptor memory;
  ASSERT_FALSE(create_memory("test", kPageSize, memory));
  EXPECT_TRUE(check_memory(memory.get(), kPageSize, kSizeSeals));
  ASSERT_FALSE(seal_memory(memory.get(), kSizeSeals));
  EXPECT_FALSE(check_memory(memory.get(), kPageSize, kSizeSeals));
  EXPECT_TRUE(check_memory(memory.get(), kPageSize + 1, kSizeSeals));
  EXPECT_TRUE(check_memory(memory.get(), kPageSize, kSharedSeals));
}

// Only the question is asked here: a reservation that large would be granted until the kernel ends
// processes.
TEST(AvailableMemory, TooMuchIsAFaultWithASentence) {
  EXPECT_FALSE(check_available(kPageSize));
  for (const std::size_t size : {std::size_t{1} << 50, ~std::size_t{0}}) {
    EXPECT_NE(check_available(size).text.find("not enough memory"), std::string::npos);
  }
}

TEST(SealedMemory, MappingsAreNotInherited) {
  FileDescriptor memory;
  ASSERT_FALSE(create_memory("test", kPageSize, memory));
  Mapping mapping;
  ASSERT_FALSE(mapping.map(memory.get(), kPageSize, Access::kReadWrite));
  EXPECT_EXIT(
      {
        unsigned char present = 0;
        // mincore tells a missing mapping without a fault.
        ::_exit(::mincore(mapping.data(), kPageSize, &present) == -1 && errno == ENOMEM ? 7 : 0);
      },
      testing::ExitedWithCode(7), "");
}

TEST(MemoryLayout, NeighbouringSessionsStartAtDifferentPageOffsets) {
  for (core::SessionSlot slot = 0; slot < 4096; ++slot) {
    const std::uint32_t offset = first_slot_offset(slot);
    EXPECT_EQ(offset % kLineSize, 0U);
    EXPECT_GE(offset, kPageSize);
    EXPECT_LT(offset, 2 * kPageSize);
    EXPECT_NE(offset, first_slot_offset(slot + 1));
    EXPECT_GE(memory_size(offset, 64), offset + 64 * sizeof(Slot));
  }
}

}  // namespace
}  // namespace shmatch::ipc
