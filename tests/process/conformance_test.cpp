// exec against the reference engine on random frames, in a length that every test run can afford.
#include "tests/process/conformance.h"

#include <gtest/gtest.h>

namespace shmatch::process_test {
namespace {

TEST(Conformance, Of5000RandomFramesEachIsAnsweredAsTheReferenceSays) {
  Totals totals;
  ASSERT_EQ(compare_random_frames(1, 5000, totals), "");
  // The stream must have met what it is for.
  EXPECT_GT(totals.orders, 1000u);
  EXPECT_GT(totals.cancels, 500u);
  EXPECT_GT(totals.trades, 300u);
  for (const core::ErrorCode code :
       {core::ErrorCode::kNotAuthorized, core::ErrorCode::kInvalidRequest,
        core::ErrorCode::kOperationFailed, core::ErrorCode::kNotFound,
        core::ErrorCode::kNotSupported}) {
    EXPECT_GT(totals.refused[code], 10u) << static_cast<int>(code);
  }
}

}  // namespace
}  // namespace shmatch::process_test
