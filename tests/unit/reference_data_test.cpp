// Reference data: what a session reads is what the engine was configured with, or nothing at all.
#include "ipc/reference_data.h"

#include <gtest/gtest.h>

#include <string>

namespace shmatch {
namespace {

core::Configuration example() {
  core::Configuration configuration;
  configuration.oms_id = 3;
  configuration.instruments = {
      {.id = 9, .symbol = "ETHUSD", .tick = {1, -2}, .lot = {1, -8}},
      {.id = 2, .symbol = std::string(core::kSymbolSizeMax, 'S'), .tick = {25, -3}, .lot = {5, 2}}};
  configuration.users = {
      {.id = 20, .name = std::string(core::kUserNameSizeMax, 'n'), .accounts = {}},
      {.id = 7, .name = "alice", .accounts = {}}};
  return configuration;
}

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

TEST(ReferenceData, SurvivesTheJourney) {
  const std::string bytes = ReferenceData(example()).serialize();
  ReferenceData read;
  ASSERT_TRUE(read.parse(bytes_of(bytes)));
  EXPECT_EQ(read.oms_id(), 3);
  ASSERT_EQ(read.instruments().size(), 2U);
  EXPECT_EQ(read.instruments()[0], example().instruments[1]);  // ascending by id
  EXPECT_EQ(read.instruments()[1], example().instruments[0]);
  EXPECT_EQ(read.user_name(7), "alice");
  EXPECT_EQ(read.user_name(20), std::string(core::kUserNameSizeMax, 'n'));
  EXPECT_EQ(read.serialize(), bytes);
}

TEST(ReferenceData, FindsOnlyWhatIsThere) {
  const ReferenceData data(example());
  ASSERT_NE(data.instrument(9), nullptr);
  EXPECT_EQ(data.instrument(9)->symbol, "ETHUSD");
  for (const core::InstrumentId absent : {0, 1, 3, 8, 10, -2}) {
    EXPECT_EQ(data.instrument(absent), nullptr) << absent;
  }
  EXPECT_EQ(data.user_name(8), "");
  EXPECT_EQ(ReferenceData().instrument(1), nullptr);
}

TEST(ReferenceData, DescribesRefusalsWithNames) {
  const ReferenceData data(example());
  const core::Refusal refusal{core::ErrorCode::kNotFound, core::Detail::kCanceledByUser, 7, 41};
  EXPECT_NE(data.describe(refusal).find("alice"), std::string::npos);
  EXPECT_EQ(data.describe({}), "");
}

TEST(ReferenceData, RefusesEveryCutAndForeignBytes) {
  const std::string bytes = ReferenceData(example()).serialize();
  ReferenceData data(example());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(data.parse(bytes_of(bytes.substr(0, size)))) << size;
  }
  EXPECT_FALSE(data.parse(bytes_of(bytes + "x")));
  std::string other_magic = bytes;
  other_magic[0] ^= 1;
  EXPECT_FALSE(data.parse(bytes_of(other_magic)));
  std::string other_version = bytes;
  other_version[8] ^= 2;
  EXPECT_FALSE(data.parse(bytes_of(other_version)));
  EXPECT_EQ(data.user_name(7), "alice");  // unchanged by failures
}

TEST(ReferenceData, RefusesRowsOutOfOrder) {
  core::Configuration configuration = example();
  configuration.instruments[1].id = 9;  // the same id twice
  ReferenceData data;
  EXPECT_FALSE(data.parse(bytes_of(ReferenceData(configuration).serialize())));
}

}  // namespace
}  // namespace shmatch
