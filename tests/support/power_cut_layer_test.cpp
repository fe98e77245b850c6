// The disk of the kill tests: what it keeps and what it loses.
#include "tests/support/power_cut_layer.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <set>
#include <span>
#include <string>
#include <string_view>

namespace shmatch::tests {
namespace {

using ipc::File;
using ipc::OpenMode;

class PowerCut : public testing::Test {
 protected:
  PowerCut() {
    EXPECT_EQ(files_.make_folder(folder()), 0);
    EXPECT_EQ(files_.sync_folder(root_ + "/seen"), 0);
  }
  ~PowerCut() override { std::filesystem::remove_all(root_); }

  std::string folder() const { return journal_folder(root_); }
  std::string path(const std::string& name) const { return folder() + "/" + name; }

  File opened(const std::string& name, OpenMode mode) {
    File file;
    const ipc::FileFault fault = file.open(files_, path(name), mode);
    EXPECT_FALSE(fault) << fault.text;
    return file;
  }
  static void write(File& file, std::string_view text, std::uint64_t offset = 0) {
    const ipc::FileFault fault = file.write(std::as_bytes(std::span(text)), offset);
    EXPECT_FALSE(fault) << fault.text;
  }
  // "none" when there is no such file.
  std::string content(const std::string& name) {
    if (!std::filesystem::exists(path(name))) return "none";
    std::string text(std::filesystem::file_size(path(name)), '?');
    std::size_t count = 0;
    EXPECT_FALSE(
        opened(name, OpenMode::kRead).read(std::as_writable_bytes(std::span(text)), 0, count));
    return text;
  }
  void lose(Unsynced unsynced, std::uint64_t seed = 1) {
    Random random(seed);
    lose_power(root_, unsynced, random);
  }

  std::string root_ =
      std::filesystem::temp_directory_path() / ("shmatch-power-" + std::to_string(::getpid()));
  PowerCutLayer files_{root_};
};

TEST_F(PowerCut, KeepsWhatWasSyncedAndLosesTheRest) {
  File file = opened("a", OpenMode::kCreate);
  write(file, "kept");
  ASSERT_FALSE(file.sync_data());
  ASSERT_FALSE(ipc::sync_folder(files_, folder()));
  write(file, "lost", 4);
  EXPECT_EQ(content("a"), "keptlost") << "who reads before the power goes";
  lose(Unsynced::kLost);
  EXPECT_EQ(content("a"), "kept");
}

TEST_F(PowerCut, LosesAFileWhoseNameWasNotSynced) {
  File file = opened("a", OpenMode::kCreate);
  write(file, "text");
  ASSERT_FALSE(file.sync());
  lose(Unsynced::kLost);
  EXPECT_EQ(content("a"), "none");
}

TEST_F(PowerCut, UndoesRenamesAndRemovalsThatWereNotSynced) {
  for (const char* name : {"old", "gone"}) {
    File file = opened(name, OpenMode::kCreate);
    write(file, name);
    ASSERT_FALSE(file.sync());
  }
  ASSERT_FALSE(ipc::sync_folder(files_, folder()));
  ASSERT_EQ(files_.rename(path("old"), path("new")), 0);
  ASSERT_EQ(files_.remove(path("gone")), 0);
  EXPECT_EQ(content("new"), "old");
  lose(Unsynced::kLost);
  EXPECT_EQ(content("old"), "old");
  EXPECT_EQ(content("new"), "none");
  EXPECT_EQ(content("gone"), "gone");
}

TEST_F(PowerCut, KeepsRenamesAndRemovalsOfASyncedFolder) {
  for (const char* name : {"old", "gone"}) {
    File file = opened(name, OpenMode::kCreate);
    write(file, name);
    ASSERT_FALSE(file.sync());
  }
  ASSERT_FALSE(ipc::sync_folder(files_, folder()));
  ASSERT_EQ(files_.rename(path("old"), path("new")), 0);
  ASSERT_EQ(files_.remove(path("gone")), 0);
  ASSERT_FALSE(ipc::sync_folder(files_, folder()));
  lose(Unsynced::kLost);
  EXPECT_EQ(content("old"), "none");
  EXPECT_EQ(content("new"), "old");
  EXPECT_EQ(content("gone"), "none");
}

TEST_F(PowerCut, UndoesACutThatWasNotSynced) {
  File file = opened("a", OpenMode::kCreate);
  write(file, "long text");
  ASSERT_FALSE(file.sync());
  ASSERT_FALSE(ipc::sync_folder(files_, folder()));
  ASSERT_FALSE(file.truncate(4));
  EXPECT_EQ(content("a"), "long");
  lose(Unsynced::kLost);
  EXPECT_EQ(content("a"), "long text");
}

TEST_F(PowerCut, LosesAFolderWhoseNameWasNotSynced) {
  const std::string other = root_ + "/seen/other";
  ASSERT_EQ(files_.make_folder(other), 0);
  File file;
  ASSERT_FALSE(file.open(files_, other + "/a", OpenMode::kCreate));
  ASSERT_FALSE(file.sync());
  ASSERT_FALSE(ipc::sync_folder(files_, other));
  lose(Unsynced::kLost);
  EXPECT_FALSE(std::filesystem::exists(other));
}

TEST_F(PowerCut, GivesANewFileNothingOfARemovedOne) {
  // File systems give the inode of a removed file to the next one.
  for (int i = 0; i < 10; ++i) {
    const std::string name = std::to_string(i);
    {
      File file = opened(name, OpenMode::kCreate);
      write(file, "secret");
      ASSERT_FALSE(file.sync());
    }
    ASSERT_EQ(files_.remove(path(name)), 0);
  }
  File file = opened("a", OpenMode::kCreate);
  ASSERT_FALSE(ipc::sync_folder(files_, folder()));
  lose(Unsynced::kLost);
  EXPECT_EQ(content("a"), "");
}

TEST_F(PowerCut, MayKeepAnyPartOfWhatWasNotSynced) {
  const std::string before(1024, 'o');
  const std::string after(1024, 'n');
  std::set<std::string> corners;
  std::set<bool> names;
  bool torn = false;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    File file = opened("a", OpenMode::kCreateOrClear);
    write(file, before);
    ASSERT_FALSE(file.sync());
    ASSERT_FALSE(ipc::sync_folder(files_, folder()));
    write(file, after);
    opened("b", OpenMode::kOpenOrCreate);
    lose(Unsynced::kSome, seed);
    const std::string text = content("a");
    ASSERT_EQ(text.size(), 1024U);
    ASSERT_EQ(text.find_first_not_of("on"), std::string::npos);
    const std::size_t end = text.find_first_not_of('n');
    torn |= end != std::string::npos && end % 512 != 0;
    corners.insert(text.substr(0, 1) + text.substr(1023));
    const bool named = content("b") != "none";
    names.insert(named);
    if (named) {
      ASSERT_EQ(files_.remove(path("b")), 0);
    }
  }
  // Old and new in each combination, and torn in the middle.
  EXPECT_EQ(corners, (std::set<std::string>{"oo", "on", "no", "nn"}));
  EXPECT_TRUE(torn);
  EXPECT_EQ(names.size(), 2U);
}

}  // namespace
}  // namespace shmatch::tests
