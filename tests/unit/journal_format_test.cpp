// The journal's bytes: known answers for checksum and chain, and headers that are judged before
// they are believed.
#include "ipc/journal_format.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string_view>

#include "tests/support/fake_files.h"
#include "tests/support/journal_records.h"

namespace shmatch::ipc {
namespace {

using tests::FakeFiles;
using tests::record_of;
using tests::records_of;

const std::string kPath = "j/file";

std::uint32_t crc_of(std::string_view text, std::uint32_t before = 0) {
  return crc32c(std::as_bytes(std::span(text)), before);
}

// RFC 3720 and the catalogue of parametrised CRC algorithms ("CRC-32/ISCSI").
TEST(Crc32c, GivesThePublishedAnswers) {
  EXPECT_EQ(crc_of("123456789"), 0xE3069283U);
  EXPECT_EQ(crc_of(""), 0U);
  EXPECT_EQ(crc_of(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(crc_of(std::string(32, '\xFF')), 0x62A8AB43U);
}

TEST(Crc32c, GoesOnWhereItStopped) {
  const std::string text(100'000, 'x');
  for (const std::size_t cut : {std::size_t{0}, std::size_t{1}, std::size_t{63}, text.size()}) {
    EXPECT_EQ(crc_of(text.substr(cut), crc_of(text.substr(0, cut))), crc_of(text));
  }
}

TEST(InputChain, DoesNotDependOnGroups) {
  std::uint64_t at_once = 0;
  std::uint32_t count = 0;
  ASSERT_TRUE(chain_records(records_of(1, 50), at_once, count));
  EXPECT_EQ(count, 50U);
  std::uint64_t in_two = 0;
  ASSERT_TRUE(chain_records(records_of(1, 20), in_two, count));
  ASSERT_TRUE(chain_records(records_of(21, 50), in_two, count));
  EXPECT_EQ(in_two, at_once);
}

// Whoever keeps a chain outside depends on these numbers.
TEST(InputChain, HasAKnownAnswer) {
  const std::uint64_t record[] = {core::input_first_word(core::InputKind::kSweep, 2, 0), 1};
  std::uint64_t chain = 0;
  std::uint32_t count = 0;
  ASSERT_TRUE(chain_records(record, chain, count));
  EXPECT_EQ(chain, 0x787B3C14E58C4539U);
}

TEST(InputChain, RefusesWhatIsNoRunOfRecords) {
  tests::Words words = records_of(1, 3);
  std::uint64_t chain = 0;
  std::uint32_t count = 0;
  EXPECT_FALSE(chain_records(std::span(words).first(words.size() - 1), chain, count));
  words[0] = core::input_first_word(core::InputKind::kSweep, 1, 0);
  EXPECT_FALSE(chain_records(words, chain, count));
  words[0] = core::input_first_word(core::InputKind::kSweep, core::kInputRecordWordsMax + 1, 0);
  EXPECT_FALSE(chain_records(words, chain, count));
}

class Group : public testing::Test {
 protected:
  static constexpr std::uint32_t kSegment = 0x12345678;

  void SetUp() override {
    words_.assign(kGroupHeaderWords, 0);
    const tests::Words records = records_of(1, 4);
    words_.insert(words_.end(), records.begin(), records.end());
    GroupHeader header;
    header.record_count = 4;
    header.first_sequence = 1;
    std::memcpy(words_.data(), &header, sizeof header);
    seal_group(words_, kSegment);
  }
  bool whole(std::uint32_t segment = kSegment) const {
    const GroupHeader header = group_header(words_);
    return header_whole(header, segment) && header.bytes == words_.size() * 8 &&
           records_whole(header, std::span(words_).subspan(kGroupHeaderWords));
  }

  tests::Words words_;
};

TEST_F(Group, IsWholeOnlyInItsOwnSegment) {
  EXPECT_TRUE(whole());
  EXPECT_FALSE(whole(kSegment + 1));
}

TEST_F(Group, IsNotWholeWithAnyBitFlipped) {
  for (std::size_t bit = 0; bit < words_.size() * 64; ++bit) {
    words_[bit / 64] ^= std::uint64_t{1} << (bit % 64);
    EXPECT_FALSE(whole()) << "bit " << bit;
    words_[bit / 64] ^= std::uint64_t{1} << (bit % 64);
  }
  EXPECT_TRUE(whole());
}

class Header : public testing::Test {
 protected:
  void write(std::span<const std::byte> configuration) {
    SegmentHeader header;
    header.first_sequence = 9;
    header.created = -1;
    const auto bytes = encode_header(header_bytes_of(header), configuration);
    File file;
    ASSERT_FALSE(file.open(files_, kPath, OpenMode::kCreateOrClear));
    ASSERT_FALSE(file.write(bytes, 0));
  }
  std::string read() {
    File file;
    EXPECT_FALSE(file.open(files_, kPath, OpenMode::kRead));
    return read_header(file, "segment", kSegmentMagic, kJournalVersion, header_bytes_of(header_),
                       configuration_)
        .text;
  }

  FakeFiles files_;
  SegmentHeader header_;
  std::vector<std::byte> configuration_;
};

TEST_F(Header, ComesBackWithItsConfiguration) {
  for (const std::size_t bytes : {0U, 1U, 3967U, 3968U, 3969U, 100'000U}) {
    const std::vector<std::byte> configuration(bytes, std::byte{0x5A});
    write(configuration);
    EXPECT_EQ(read(), "");
    EXPECT_EQ(header_.first_sequence, 9U);
    EXPECT_EQ(header_.created, -1);
    EXPECT_EQ(configuration_, configuration);
    EXPECT_EQ(files_.contents(kPath).size() % kHeaderAlignment, 0U);
    EXPECT_EQ(header_.prefix.header_bytes, files_.contents(kPath).size());
  }
}

TEST_F(Header, OfAnotherVersionIsRefusedWithWhatToDo) {
  write(tests::some_configuration());
  files_.contents(kPath)[8] = std::byte{1};
  EXPECT_EQ(read(),
            "journal: j/file at byte 8 has format version 1, and this program reads version 2: "
            "use the shmatch that wrote it");
}

TEST_F(Header, IsDamagedWithAnyByteChanged) {
  write(tests::some_configuration());
  for (std::size_t i = 0; i < files_.contents(kPath).size(); ++i) {
    files_.contents(kPath)[i] ^= std::byte{0x10};
    const std::string fault = read();
    EXPECT_NE(fault.find(kPath + " at byte "), std::string::npos) << i << ": " << fault;
    files_.contents(kPath)[i] ^= std::byte{0x10};
  }
  EXPECT_EQ(read(), "");
}

TEST_F(Header, IsDamagedWhenCutAnywhere) {
  write(tests::some_configuration());
  const auto whole = files_.contents(kPath);
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
    files_.contents(kPath).resize(bytes);
    EXPECT_NE(read(), "") << bytes;
    files_.contents(kPath) = whole;
  }
}

// Sizes of an untrusted file are bounded before anything is allocated for them.
TEST_F(Header, WithSizesThatCannotBeIsRefused) {
  write(tests::some_configuration());
  const std::uint32_t sizes[][2] = {
      {0xFFFF'FFFF, 0xFFFF'FFFF}, {0, 0}, {4096, 4096}, {8192, 100}, {4095, 100},
      {1U << 31, 1U << 31}};
  for (const auto& pair : sizes) {
    std::memcpy(files_.contents(kPath).data() + offsetof(FilePrefix, header_bytes), pair,
                sizeof pair);
    EXPECT_EQ(read(),
              "journal: damaged: j/file at byte 0: the header's sizes contradict each other");
  }
}

}  // namespace
}  // namespace shmatch::ipc
