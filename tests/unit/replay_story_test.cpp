#include "tools/replay_story.h"

#include <gtest/gtest.h>

#include "tests/unit/replay_log.h"
#include "tools/json.h"
#include "tools/replay_book.h"

namespace shmatch::tools {
namespace {

std::string story_of(const LogBuilder& log, core::OrderId order) {
  OrderStory story(order);
  replay(log.log(), {}, {&story});
  return story.text();
}

bool says(const std::string& text, const std::string& words) {
  return text.find(words) != std::string::npos;
}

TEST(OrderStory, TellsWhatWasAheadAndHowItLeft) {
  LogBuilder log;
  log.logons()
      .order(0, 'B', 5, 100)  // order 1
      .order(1, 'B', 6, 100)  // order 2
      .order(0, 'B', 7, 101)  // order 3: a better price
      .order(1, 'B', 8, 100)  // order 4: the one told of
      .order(0, 'B', 9, 100)  // order 5: behind
      .cancel(0, 1)           // input 8
      .order(0, 'S', 7, 101)  // takes order 3
      .order(0, 'S', 2, 100)  // 2 of order 2
      .order(0, 'S', 7, 100)  // rest of order 2, 3 of order 4
      .cancel(1, 4);          // input 12
  const std::string text = story_of(log, 4);
  EXPECT_TRUE(says(text, "Order 4: Buy 8 TEST at 100, GTC, account 2")) << text;
  EXPECT_TRUE(says(text, "entered by bob, session 1, request 2")) << text;
  EXPECT_TRUE(says(text,
                   "rests, behind 2 orders with 11: order 1 (5), order 2 (6), with 1 better "
                   "price on its side"))
      << text;
  EXPECT_TRUE(says(text, "order 1 ahead (5) was cancelled by alice; now behind 1 order with 6"))
      << text;
  EXPECT_TRUE(says(text, "order 2 ahead (6) traded 2; now behind 1 order with 4")) << text;
  EXPECT_TRUE(says(text, "traded 3 at 100 as maker, trade 4; 5 remaining")) << text;
  EXPECT_TRUE(says(text, "order 2 ahead (4) was filled; now first in its queue")) << text;
  EXPECT_TRUE(says(text, "ended: cancelled by bob, session 1, 5 left")) << text;
  EXPECT_TRUE(says(text, "Executed 3 of 8, on average at 100.")) << text;
  EXPECT_FALSE(says(text, "order 5")) << "what is behind is no part of the story: " << text;
}

TEST(OrderStory, TellsOfATakerThatNeverRests) {
  LogBuilder log;
  log.logons()
      .order(0, 'S', 2, 100)
      .order(0, 'S', 2, 101)
      .order(1, 'B', 9, 101, 0, core::TimeInForce::kIoc);
  const std::string text = story_of(log, 3);
  EXPECT_TRUE(says(text, "traded 2 at 100 as taker, trade 1; 7 remaining")) << text;
  EXPECT_TRUE(says(text, "traded 2 at 101 as taker, trade 2; 5 remaining")) << text;
  EXPECT_TRUE(says(text, "ended: cancelled by the engine, because nothing more was there")) << text;
  EXPECT_FALSE(says(text, "rests")) << text;
}

TEST(OrderStory, TellsWhereAWorkingOrderStands) {
  LogBuilder log;
  log.logons().order(0, 'B', 5, 100).order(1, 'B', 6, 100).order(0, 'B', 7, 90);
  EXPECT_TRUE(says(story_of(log, 2), "After input 5 it still works, behind 1 order with 5."));
}

TEST(OrderStory, SaysSoWhenThereIsNone) {
  LogBuilder log;
  log.logons().order(0, 'B', 5, 100);
  OrderStory story(99);
  replay(log.log(), {}, {&story});
  EXPECT_FALSE(story.found());
  EXPECT_EQ(story.text(), "There was no order 99.\n");
}

TEST(OrderStory, JsonHoldsTheSameEvents) {
  LogBuilder log;
  log.logons().order(0, 'B', 5, 100).order(1, 'B', 6, 100).cancel(0, 1).cancel(1, 2);
  OrderStory story(2);
  replay(log.log(), {}, {&story});
  JsonValue json;
  std::string fault;
  ASSERT_TRUE(parse_json(story.json(), json, fault)) << fault;
  EXPECT_TRUE(says(story.json(), R"("what":"rests","orders_ahead":1,"quantity_ahead":5)"));
  EXPECT_TRUE(says(story.json(), R"("what":"moved","orders_ahead":0,"quantity_ahead":0)"));
  EXPECT_TRUE(says(story.json(), R"("what":"ended")"));
}

TEST(BookAt, ShowsLevelsBestFirst) {
  LogBuilder log;
  log.logons()
      .order(0, 'B', 5, 100)
      .order(1, 'B', 6, 100)
      .order(0, 'B', 7, 90)
      .order(1, 'S', 3, 110);
  LogInput input(log.log());
  Replay run(input, {});
  run.run();
  const core::Configuration& configuration = run.configuration();
  const std::string ladder = book_text(run.engine(), configuration, 0, 10);
  EXPECT_TRUE(says(ladder, "ask     110         3       1         1")) << ladder;
  EXPECT_TRUE(says(ladder, "bid     100        11       2         2")) << ladder;
  EXPECT_TRUE(says(ladder, "bid      90         7       1         1")) << ladder;
  EXPECT_FALSE(says(book_text(run.engine(), configuration, 3, 1), "90"));
  JsonValue json;
  std::string fault;
  EXPECT_TRUE(parse_json(book_json(run.engine(), configuration, 0, 10), json, fault)) << fault;
}

}  // namespace
}  // namespace shmatch::tools
