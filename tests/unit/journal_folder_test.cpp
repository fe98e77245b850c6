// The journal's folder on a real file system: names, the lock, what is cleared away; and the
// kernel's layer itself.
#include "ipc/journal_folder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "tests/support/journal_records.h"

namespace shmatch::ipc {
namespace {

class Folder : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = std::filesystem::temp_directory_path() / "shmatch-journal-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    root_ = name;
    folder_ = root_ + "/journal";
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  void make_file(const std::string& name) {
    File file;
    ASSERT_FALSE(file.open(files_, folder_ + "/" + name, OpenMode::kCreate));
  }
  bool owned() {
    bool result = false;
    EXPECT_EQ(find_owner(files_, folder_, result).text, "");
    return result;
  }

  PosixFileLayer files_;
  std::string root_;
  std::string folder_;
};

TEST(JournalNames, HaveTwentyDigits) {
  EXPECT_EQ(segment_name(1), "00000000000000000001.journal");
  EXPECT_EQ(snapshot_name(1234), "00000000000000001234.snapshot");
  EXPECT_EQ(segment_name(~core::Sequence{0}), "18446744073709551615.journal");
}

TEST_F(Folder, IsMadeForItsOwnerOnly) {
  JournalFolder folder(files_);
  ASSERT_EQ(folder.take(folder_).text, "");
  struct stat status {};
  ASSERT_EQ(::stat(folder_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
  ASSERT_EQ(::stat((folder_ + "/lock").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(Folder, WithoutAParentIsRefused) {
  JournalFolder folder(files_);
  const FileFault fault = folder.take(folder_ + "/below");
  EXPECT_EQ(fault.text,
            "journal: cannot make the folder " + folder_ + "/below: No such file or directory");
  EXPECT_EQ(fault.error, ENOENT);
}

TEST_F(Folder, BelongsToOneAtATime) {
  EXPECT_EQ(::mkdir(folder_.c_str(), 0700), 0);
  EXPECT_FALSE(owned());
  {
    JournalFolder first(files_);
    ASSERT_EQ(first.take(folder_).text, "");
    EXPECT_TRUE(owned());
    JournalFolder second(files_);
    EXPECT_EQ(second.take(folder_).text,
              "journal: a running engine or a repair owns the folder " + folder_);
  }
  EXPECT_FALSE(owned());
  JournalFolder third(files_);
  EXPECT_EQ(third.take(folder_).text, "");
}

TEST_F(Folder, IsFreeWhenItsOwnerDies) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    JournalFolder folder(files_);
    const char said = folder.take(folder_) ? 'n' : 'y';
    if (::write(ready[1], &said, 1) != 1) ::_exit(1);
    while (true) ::pause();
  }
  char said = 0;
  ASSERT_EQ(::read(ready[0], &said, 1), 1);
  EXPECT_EQ(said, 'y');
  EXPECT_TRUE(owned());
  ASSERT_EQ(::kill(child, SIGKILL), 0);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_FALSE(owned());
  JournalFolder folder(files_);
  EXPECT_EQ(folder.take(folder_).text, "");
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_F(Folder, ListsItsFilesAndClearsUnfinishedOnes) {
  {
    JournalFolder folder(files_);
    ASSERT_EQ(folder.take(folder_).text, "");
  }
  for (const std::string& name :
       {segment_name(30), segment_name(1), snapshot_name(7), segment_name(44) + ".tmp",
        snapshot_name(9) + ".tmp", std::string("notes.tmp"), std::string("1.journal"),
        std::string("0000000000000000000x.journal"), std::string("99999999999999999999.journal")}) {
    make_file(name);
  }
  JournalListing listing;
  ASSERT_FALSE(list_journal(files_, folder_, listing));
  ASSERT_EQ(listing.segments.size(), 2U);
  EXPECT_EQ(listing.segments[0].sequence, 1U);
  EXPECT_EQ(listing.segments[1].name, segment_name(30));
  ASSERT_EQ(listing.snapshots.size(), 1U);
  EXPECT_EQ(listing.snapshots[0].sequence, 7U);
  EXPECT_EQ(listing.unfinished.size(), 2U);
  JournalFolder folder(files_);
  ASSERT_EQ(folder.take(folder_).text, "");
  ASSERT_FALSE(list_journal(files_, folder_, listing));
  EXPECT_TRUE(listing.unfinished.empty());
  EXPECT_TRUE(std::filesystem::exists(folder_ + "/notes.tmp"));
}

// The whole way on the kernel's files, through segments, an end without close, and a start.
TEST_F(Folder, HoldsAJournal) {
  core::Sequence last = 0;
  for (int life = 0; life < 3; ++life) {
    JournalFolder folder(files_);
    ASSERT_EQ(folder.take(folder_).text, "");
    const tests::ReadBack read = tests::read_back(files_, folder_);
    ASSERT_EQ(read.end, JournalNext::kEnd) << read.fault;
    ASSERT_EQ(read.last, last);
    ASSERT_TRUE(read.right);
    JournalWriter writer(files_, folder_, kSegmentBytesMin);
    ASSERT_EQ(tests::open_after(writer, last).text, "");
    for (int i = 0; i < 50; ++i) {
      last += 3;
      ASSERT_EQ(tests::append_up_to(writer, last).text, "");
      if (i % 10 == 0) {
        ASSERT_EQ(writer.sync().text, "");
      }
    }
    if (life == 1) {
      ASSERT_EQ(writer.close().text, "");
    }
  }
}

TEST_F(Folder, TheLayerReportsWhatTheKernelSays) {
  ASSERT_EQ(files_.make_folder(folder_), 0);
  EXPECT_EQ(files_.make_folder(folder_), -EEXIST);
  EXPECT_EQ(files_.open(folder_ + "/none", OpenMode::kRead), -ENOENT);
  make_file("a");
  EXPECT_EQ(files_.open(folder_ + "/a", OpenMode::kCreate), -EEXIST);
  EXPECT_EQ(files_.remove(folder_ + "/none"), -ENOENT);
  EXPECT_EQ(files_.sync_folder(root_ + "/none"), -ENOENT);
  std::vector<std::string> names;
  EXPECT_EQ(files_.list(root_ + "/none", names), -ENOENT);
  EXPECT_EQ(files_.truncate(-1, 0), -EBADF);
  EXPECT_EQ(files_.sync_data(-1), -EBADF);
}

TEST_F(Folder, AFullDiskIsAFaultAndNoSignal) {
  // The device that is always full.
  File file;
  ASSERT_FALSE(file.open(files_, "/dev/full", OpenMode::kReadWrite));
  const std::vector<std::byte> bytes(100);
  EXPECT_EQ(file.write(bytes, 0).text,
            "journal: write of 100 bytes to /dev/full failed: No space left on device");
}

}  // namespace
}  // namespace shmatch::ipc
