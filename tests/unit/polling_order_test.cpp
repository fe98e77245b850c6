#include "ipc/polling_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <vector>

#include "tests/unit/random.h"

namespace shmatch::ipc {
namespace {

struct FakeSession {
  std::uint64_t word = 0;  // newest request's number
  std::uint64_t taken = 0;
  bool wants_attention = false;
  std::uint32_t place = 0;
  std::uint64_t waited = 0;     // passes that did not find the request
  std::uint64_t most_idle = 0;  // sessions meanwhile
  std::uint64_t found_idle = 0;

  const std::uint64_t* next_request() const noexcept { return &word; }
  std::uint64_t last_request() const noexcept { return taken; }
  bool attention() const noexcept { return wants_attention; }
};

using Order = PollingOrder<FakeSession>;

class PollingOrderTest : public testing::Test {
 protected:
  void make(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) order_.add(sessions_.emplace_back());
  }
  void fall_idle() {
    for (std::uint32_t i = 0; i <= Order::kIdleAfter; ++i) order_.tidy();
  }
  // The sessions visited, in order; each has its requests taken.
  std::vector<FakeSession*> pass() {
    std::vector<FakeSession*> visited;
    order_.pass([&](FakeSession& session) {
      visited.push_back(&session);
      session.taken = session.word;
      return 1U;
    });
    return visited;
  }

  std::deque<FakeSession> sessions_;
  Order order_{256};
};

TEST_F(PollingOrderTest, VisitsWhoHasRequestsAndNobodyElse) {
  make(20);
  EXPECT_TRUE(pass().empty());
  sessions_[3].word = 1;
  sessions_[17].word = 1;
  EXPECT_EQ(pass(), (std::vector<FakeSession*>{&sessions_[3], &sessions_[17]}));
  EXPECT_TRUE(pass().empty());
}

TEST_F(PollingOrderTest, ManyIdleSessionsAreLookedAtInTurn) {
  make(256);
  fall_idle();
  ASSERT_EQ(order_.active(), Order::kAlwaysPolled);
  for (FakeSession& session : sessions_) session.word = 1;
  // The few active ones, and one step of the idle ones.
  EXPECT_EQ(pass().size(), Order::kAlwaysPolled + Order::kIdleStep);
  EXPECT_EQ(order_.active(), Order::kAlwaysPolled + Order::kIdleStep);
}

TEST_F(PollingOrderTest, FewSessionsNeverFallIdle) {
  make(Order::kAlwaysPolled);
  fall_idle();
  EXPECT_EQ(order_.active(), Order::kAlwaysPolled);
}

TEST_F(PollingOrderTest, WhoWasFoundIsFoundInEachPassAfterThat) {
  make(100);
  fall_idle();
  FakeSession& busy = sessions_[90];
  busy.word = 1;
  while (pass().empty()) {
  }
  for (std::uint64_t number = 2; number < 1000; ++number) {
    busy.word = number;
    EXPECT_EQ(pass(), std::vector<FakeSession*>{&busy});
    order_.tidy();
  }
}

TEST_F(PollingOrderTest, AttentionIsVisitedUntilItIsOver) {
  make(100);
  fall_idle();
  FakeSession& session = sessions_[77];
  session.wants_attention = true;
  order_.renew(session);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(pass(), std::vector<FakeSession*>{&session});
  fall_idle();
  EXPECT_EQ(pass(), std::vector<FakeSession*>{&session});
  session.wants_attention = false;
  EXPECT_EQ(pass().size(), 1U);  // the visit that finds that out
  EXPECT_TRUE(pass().empty());
}

// The bound of the header, with requests, ends and newcomers at random.
TEST_F(PollingOrderTest, NoRequestWaitsLongerThanTheBound) {
  tests::Random random(7);
  make(256);
  std::uint64_t worst = 0;
  std::uint64_t found = 0;
  for (int round = 0; round < 20'000; ++round) {
    // Some are busy, most speak up now and then.
    for (std::size_t i = 0; i < sessions_.size(); ++i) {
      if (random.one_in(i < 5 ? 2 : 500)) ++sessions_[i].word;
    }
    const std::uint64_t idle = order_.size() - order_.active();
    for (FakeSession& session : sessions_) session.most_idle = std::max(session.most_idle, idle);
    found += pass().size();
    const std::uint64_t found_idle = idle - (order_.size() - order_.active());
    for (FakeSession& session : sessions_) {
      if (session.taken == session.word) {
        session.waited = 0;
        session.most_idle = 0;
        session.found_idle = 0;
        continue;
      }
      worst = std::max(worst, ++session.waited);
      session.found_idle += found_idle;
      const std::uint64_t looks = session.most_idle + session.found_idle;
      ASSERT_LT(session.waited, (looks + Order::kIdleStep - 1) / Order::kIdleStep);
    }
    if (round % 4 == 0) order_.tidy();
  }
  EXPECT_GT(found, 10'000U);
  EXPECT_GT(worst, 1U);
}

TEST_F(PollingOrderTest, EndsInTheMiddleOfAPassLoseNobody) {
  tests::Random random(8);
  make(200);
  std::vector<FakeSession*> open;
  for (FakeSession& session : sessions_) open.push_back(&session);
  for (int round = 0; round < 2'000; ++round) {
    for (FakeSession* session : open) session->word += random.one_in(3);
    order_.pass([&](FakeSession& session) {
      session.taken = session.word;
      if (open.size() > 20 && random.one_in(8)) {
        // Itself or another one.
        FakeSession* const ends = random.one_in(2) ? &session : open[random.below(open.size())];
        order_.remove(*ends);
        std::erase(open, ends);
      }
      return 1U;
    });
    if (random.one_in(3)) order_.tidy();
    while (open.size() < 200 && random.one_in(2)) {
      const auto gone = std::find_if(sessions_.begin(), sessions_.end(), [&](FakeSession& session) {
        return std::find(open.begin(), open.end(), &session) == open.end();
      });
      open.push_back(&*gone);
      order_.add(*gone);
    }
    ASSERT_EQ(order_.size(), open.size());
    for (std::size_t place = 0; place < order_.size(); ++place) {
      ASSERT_EQ(order_[place].place, place);
    }
    for (FakeSession* session : open) ASSERT_EQ(&order_[session->place], session);
  }
  // Everyone is still found.
  for (FakeSession* session : open) ++session->word;
  for (int i = 0; i < 30; ++i) pass();
  for (FakeSession* session : open) EXPECT_EQ(session->taken, session->word);
}

}  // namespace
}  // namespace shmatch::ipc
