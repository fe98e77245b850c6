// shmatch journal: stat, verify, dump, repair and snapshot on journals that a live engine wrote.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/process/offline.h"

namespace shmatch::process_test {
namespace {

bool contains(const std::string& text, const std::string& words) {
  return text.find(words) != std::string::npos;
}

std::string only_segment(const std::string& folder) {
  std::string found;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".journal") found = entry.path().string();
  }
  return found;
}

void flip_byte(const std::string& path, std::uint64_t offset) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(offset));
  const auto byte = static_cast<char>(file.get() ^ 1);
  file.seekp(static_cast<std::streamoff>(offset));
  file.put(byte);
}

std::size_t lines(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

class Journal : public ::testing::Test {
 protected:
  void SetUp() override {
    int requests = 0;
    folder_ = place_.file("journal");
    write_journal(folder_, request_log(40, requests));
    segment_ = only_segment(folder_);
    ASSERT_FALSE(segment_.empty());
  }
  // The offset of the group with the record `sequence`.
  std::uint64_t group_of(int sequence) {
    const std::string number = std::to_string(sequence);
    const Outcome dump = shmatch(
        {"--json", "journal", "dump", folder_, "--groups", "--from", number, "--to", number});
    return std::stoull(json_member(dump.output.substr(0, dump.output.find('\n')), "group.offset"));
  }

  TemporaryFolder place_;
  std::string folder_;
  std::string segment_;
};

TEST_F(Journal, StatCountsAndNamesItsFiles) {
  const Outcome stat = shmatch({"--json", "journal", "stat", folder_});
  ASSERT_EQ(stat.status, 0) << stat.errors;
  EXPECT_EQ(json_member(stat.output, "records"), json_member(stat.output, "last_sequence"));
  EXPECT_EQ(json_member(stat.output, "digest").size(), 16U);
  const std::string name = std::filesystem::path(segment_).filename().string();
  EXPECT_TRUE(contains(stat.output, R"({"path":")" + name + R"(","used_bytes":)" +
                                        std::to_string(std::filesystem::file_size(segment_))))
      << "a journal that was closed is cut to what is used: " << stat.output;
  EXPECT_EQ(shmatch({"journal", "stat", place_.file("nothing")}).status, 2);
}

TEST_F(Journal, DumpPrintsOneLineARecord) {
  const std::string records =
      json_member(shmatch({"--json", "journal", "stat", folder_}).output, "records");
  const Outcome text = shmatch({"journal", "dump", folder_});
  ASSERT_EQ(text.status, 0) << text.errors;
  EXPECT_EQ(lines(text.output), std::stoull(records));
  EXPECT_TRUE(contains(text.output, "SendOrder Buy 5 TEST at 100, GTC, account 1")) << text.output;
  EXPECT_TRUE(contains(text.output, "stop accepting: the engine is stopping")) << text.output;
  const Outcome part = shmatch({"--json", "journal", "dump", folder_, "--from", "5", "--to", "7"});
  EXPECT_EQ(lines(part.output), 3U);
  EXPECT_TRUE(part.output.starts_with(R"({"sequence":5,)")) << part.output;
}

TEST_F(Journal, VerifyDoesNotCallAnotherVersionDamaged) {
  flip_byte(segment_, 8);
  const Outcome verify = shmatch({"journal", "verify", folder_});
  EXPECT_EQ(verify.status, 1) << "it cannot say that the journal is whole";
  EXPECT_TRUE(contains(verify.output, segment_ + " at byte 8 has format version")) << verify.output;
  EXPECT_TRUE(contains(verify.output, "use the shmatch that wrote it")) << verify.output;
  EXPECT_TRUE(contains(verify.output, "1 fault. Readable: 0 records")) << verify.output;
  EXPECT_FALSE(contains(verify.output, "amaged")) << verify.output;
}

TEST_F(Journal, VerifyFindsDamageAndRepairTakesItAway) {
  EXPECT_EQ(shmatch({"journal", "verify", folder_}).status, 0);
  const std::uint64_t offset = group_of(30);
  flip_byte(segment_, offset + 70);

  const Outcome verify = shmatch({"journal", "verify", folder_});
  EXPECT_EQ(verify.status, 1);
  EXPECT_TRUE(contains(verify.output, segment_)) << verify.output;
  EXPECT_TRUE(contains(verify.output, "byte " + std::to_string(offset))) << verify.output;
  EXPECT_EQ(shmatch({"journal", "stat", folder_}).status, 1);
  EXPECT_EQ(shmatch({"journal", "dump", folder_}).status, 1);
  EXPECT_EQ(shmatch({"replay", folder_}).status, 1);

  const std::string name = std::filesystem::path(segment_).filename().string();
  const std::string where = name + ":" + std::to_string(offset);
  const Outcome look =
      shmatch({"--json", "journal", "repair", folder_, "--truncate-at", where, "--only-look"});
  EXPECT_EQ(look.status, 0) << look.errors;
  EXPECT_EQ(json_member(look.output, "done"), "false");
  EXPECT_EQ(shmatch({"journal", "verify", folder_}).status, 1) << "nothing was changed";

  const Outcome repair = shmatch({"journal", "repair", folder_, "--truncate-at", where});
  EXPECT_EQ(repair.status, 0) << repair.errors;
  EXPECT_TRUE(contains(repair.output, "Lost: ")) << repair.output;
  EXPECT_TRUE(contains(repair.output, "The journal ends with input ")) << repair.output;
  EXPECT_EQ(shmatch({"journal", "verify", folder_}).status, 0);

  for (const char* wrong : {"nonsense", "x:y", "00000000000000000009.journal:4096"}) {
    EXPECT_NE(shmatch({"journal", "repair", folder_, "--truncate-at", wrong}).status, 0) << wrong;
  }
}

TEST_F(Journal, ATornEndIsNamedAndDoesNotHinderAReplay) {
  // As a crash leaves it: the last group's end is missing, and with it everything that came later.
  const std::uint64_t last_mark = std::filesystem::file_size(segment_);
  const std::uint64_t offset = group_of(
      std::stoi(json_member(shmatch({"--json", "journal", "stat", folder_}).output, "records")));
  ASSERT_LT(offset, last_mark);
  std::filesystem::resize_file(segment_, offset + 72);
  const Outcome verify = shmatch({"journal", "verify", folder_});
  EXPECT_EQ(verify.status, 1);
  EXPECT_TRUE(contains(verify.output, "torn end")) << verify.output;
  EXPECT_TRUE(contains(verify.output, segment_)) << verify.output;
  const Outcome replay = shmatch({"--json", "replay", folder_});
  EXPECT_EQ(replay.status, 0) << replay.errors;
  EXPECT_EQ(json_member(replay.output, "torn_end.offset"), std::to_string(offset));
}

TEST_F(Journal, OneInUseIsReadButNotRepaired) {
  TestEngine engine({"--journal", folder_});
  for (const char* command : {"stat", "verify", "dump"}) {
    EXPECT_EQ(shmatch({"journal", command, folder_}).status, 0) << command;
  }
  const Outcome repair = shmatch({"journal", "repair", folder_, "--truncate-at",
                                  std::filesystem::path(segment_).filename().string() + ":4096"});
  EXPECT_EQ(repair.status, 1);
  EXPECT_EQ(lines(repair.errors), 1U) << repair.errors;
  EXPECT_EQ(engine.stop(), 0);
  EXPECT_EQ(shmatch({"journal", "verify", folder_}).status, 0);
}

TEST_F(Journal, SnapshotsAreWrittenAndDamagedOnesFound) {
  const Outcome snapshot = shmatch({"--json", "journal", "snapshot", folder_});
  ASSERT_EQ(snapshot.status, 0) << snapshot.errors;
  const std::string path = json_member(snapshot.output, "path");
  ASSERT_TRUE(std::filesystem::exists(path)) << snapshot.output;
  EXPECT_EQ(json_member(snapshot.output, "digest"),
            json_member(shmatch({"--json", "replay", folder_, "--until",
                                 json_member(snapshot.output, "sequence")})
                            .output,
                        "digest"));
  EXPECT_EQ(shmatch({"journal", "verify", folder_}).status, 0);
  flip_byte(path, std::filesystem::file_size(path) - 9);
  const Outcome verify = shmatch({"journal", "verify", folder_});
  EXPECT_EQ(verify.status, 1);
  EXPECT_TRUE(contains(verify.output, std::filesystem::path(path).filename().string()))
      << verify.output;
}

// A snapshot is taken of durable records only: whoever finds them missing has lost them.
TEST_F(Journal, ASnapshotBehindTheEndShowsThatTheEndIsMissing) {
  const std::string shorter = place_.file("shorter");
  int requests = 0;
  write_journal(shorter, request_log(20, requests));
  const Outcome snapshot = shmatch({"--json", "journal", "snapshot", folder_});
  ASSERT_EQ(snapshot.status, 0) << snapshot.errors;
  const std::filesystem::path path = json_member(snapshot.output, "path");
  std::filesystem::copy(path, std::filesystem::path(shorter) / path.filename());
  const Outcome verify = shmatch({"journal", "verify", shorter});
  EXPECT_EQ(verify.status, 1);
  EXPECT_TRUE(contains(verify.output, path.filename().string())) << verify.output;
  EXPECT_TRUE(contains(verify.output, "the end is missing")) << verify.output;
}

// An engine that nobody has talked to yet: its journal holds a segment and no record.
TEST(FreshJournal, IsCountedAndReplayed) {
  TemporaryFolder place;
  const std::string folder = place.file("journal");
  const TestEngine engine({"--journal", folder});
  const Outcome stat = shmatch({"--json", "journal", "stat", folder});
  ASSERT_EQ(stat.status, 0) << stat.errors;
  EXPECT_EQ(json_member(stat.output, "records"), "0");
  const Outcome replayed = shmatch({"--json", "replay", folder});
  ASSERT_EQ(replayed.status, 0) << replayed.errors;
  EXPECT_EQ(json_member(replayed.output, "records"), "0");
  EXPECT_EQ(json_member(replayed.output, "digest"), json_member(stat.output, "digest"));
  EXPECT_EQ(json_member(replayed.output, "digest").size(), 16U);
}

TEST_F(Journal, NumbersBelowZeroAndEmptyValuesAreRefused) {
  for (const std::vector<std::string>& flags :
       {std::vector<std::string>{"replay", folder_, "--until", "-1"},
        {"replay", folder_, "--book-at", "-1"},
        {"replay", folder_, "--through", ""},
        {"replay", folder_, "--format", ""},
        {"journal", "dump", folder_, "--from", "-1"}}) {
    EXPECT_EQ(shmatch(flags).status, 2) << flags[flags.size() - 2];
  }
}

}  // namespace
}  // namespace shmatch::process_test
