// JSON Lines of AlphaPoint frames: which lines become requests, for whom, and what is counted.
#include "tests/unit/source_harness.h"
#include "tools/default_configuration.h"

namespace shmatch::tests {
namespace {

TEST(SourceJsonl, FramesBecomeRequestsAndTheRestIsCounted) {
  const ReadLog log = read_log(fixture("frames.jsonl"));
  expect_sound(log);
  EXPECT_EQ(log.requests, (std::vector<std::string>{
                              "1 1000 trader1 send 1/7 3 Buy 5 @ 100 Limit GTC",
                              "6 2000 trader2 send 2/0 3 Sell 2 @ - Market GTC",
                              "7 2000 operator cancel 0/0 order 99",
                              "8 3000 trader1 cancel 1/7",
                              "9 3100 trader1 cancel 1/8",
                          }));
  EXPECT_EQ(log.counts().read, 11U);
  EXPECT_EQ(log.counts().converted, 5U);
  EXPECT_EQ(log.counts().unknown_ids, 1U);
  EXPECT_EQ(log.counts().skipped, (Counts{{"frame that is no request", 1},
                                          {"frame that no binary request can carry", 1},
                                          {"line that is no frame", 1},
                                          {"query", 1},
                                          {"user that is not configured", 1}}));
  EXPECT_EQ(log.counts().unknown_types, (Counts{{"Withdraw", 1}}));
  ASSERT_EQ(log.counts().examples.size(), 3U);
  EXPECT_EQ(log.counts().examples[0].substr(0, 3), "5: ");
  EXPECT_EQ(log.counts().examples[2], "11: nobody");
  EXPECT_STREQ(log.source->format_name(), "jsonl");
  EXPECT_FALSE(log.source->derived());
  EXPECT_EQ(log.source->configuration(), tools::default_configuration());
  EXPECT_EQ(log.source->progress(), 1.0);
}

TEST(SourceJsonl, TheCallerChoosesConfigurationAndDefaultUser) {
  tools::SourceOptions options;
  options.configuration.users = {{5, "alice", core::kPermissionTrading, {1}},
                                 {6, "bob", core::kPermissionTrading, {2}}};
  options.configuration.accounts = {1, 2};
  const ScratchFile file(
      "{\"n\":\"CancelOrder\",\"o\":{\"OMSId\":1,\"OrderId\":1}}\n"
      "{\"u\":\"bob\",\"n\":\"CancelOrder\",\"o\":{\"OMSId\":1,\"OrderId\":2}}");
  EXPECT_EQ(
      read_log(file.path(), options).requests,
      (std::vector<std::string>{"1 0 alice cancel 0/0 order 1", "2 0 bob cancel 0/0 order 2"}));
  options.default_user = "bob";
  EXPECT_EQ(read_log(file.path(), options).requests[0], "1 0 bob cancel 0/0 order 1");
  options.default_user = "carol";
  EXPECT_EQ(read_log(file.path(), options).requests.size(), 1U);
}

TEST(SourceJsonl, ALogWithoutASingleFrameIsJustEmpty) {
  const ReadLog log = read_text("nothing\n", "jsonl");
  expect_sound(log);
  EXPECT_EQ(log.requests, std::vector<std::string>());
  EXPECT_EQ(log.counts().skipped, (Counts{{"line that is no frame", 1}}));
}

TEST(SourceJsonl, ALineThatIsTooLongIsNoFrameAndTheNextOneIsRead) {
  const std::string frame = "{\"n\":\"CancelOrder\",\"o\":{\"OMSId\":1,\"OrderId\":1}}\n";
  const ReadLog log = read_text(frame + std::string(3 << 20, 'x') + frame + frame, "jsonl");
  expect_sound(log);
  EXPECT_EQ(log.requests, (std::vector<std::string>{"1 0 operator cancel 0/0 order 1",
                                                    "3 0 operator cancel 0/0 order 1"}));
  EXPECT_EQ(log.counts().skipped, (Counts{{"line that is no frame", 1}}));
}

TEST(SourceJsonl, TypesAreCountedByNameUpToABound) {
  std::string text;
  for (int i = 0; i < 100; ++i) {
    text += "{\"n\":\"Call" + std::to_string(1000 + i) + "\",\"o\":{}}\n";
  }
  const ReadLog log = read_text(text, "jsonl");
  expect_sound(log);
  EXPECT_EQ(log.counts().unknown_types.size(), 65U);
  EXPECT_EQ(log.counts().unknown_types.at("others"), 36U);
}

}  // namespace
}  // namespace shmatch::tests
