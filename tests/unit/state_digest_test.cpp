// The digest: it changes with everything that later behaviour depends on, and with nothing else.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string>

#include "tests/unit/busy_engine.h"

namespace shmatch::core {
namespace {

using namespace tests;
using reference::EngineInMemory;

using Change = std::function<void(MatchingEngine&)>;

constexpr TimeNs kLater = kBusyTime + 1'000'000'000;

std::uint64_t digest_after(const Change& change,
                           const Configuration& configuration = busy_configuration(),
                           std::uint64_t salt = 1, bool keep_digest = true) {
  EngineInMemory engine(configuration, salt, keep_digest);
  make_busy(*engine);
  change(*engine);
  engine->check_invariants();
  return engine->digest();
}

void nothing(MatchingEngine&) {}

Change send(const OrderSketch& sketch, TimeNs now = kLater, Sequence number = 9) {
  return [=](MatchingEngine& engine) { engine.request(kOpen, number, order_request(sketch), now); };
}

Change logon(SessionSlot slot, const Logon& logon) {
  return [=](MatchingEngine& engine) { engine.logon(slot, logon, kLater); };
}

// These numbers are the same on every machine, compiler and build. Whoever means to change them
// changes kStateFormat (core/state_words.h), too.
TEST(Digest, IsANumberThatNeverChanges) {
  EngineInMemory fresh(busy_configuration(), 1);
  EXPECT_EQ(fresh->digest(), 9'888'642'699'756'356'720U);
  EXPECT_EQ(digest_after(nothing), 16'544'955'064'589'555'363U);
}

TEST(Digest, DoesNotDependOnSaltOrOnHowItIsKept) {
  EXPECT_EQ(digest_after(nothing, busy_configuration(), 77), digest_after(nothing));
  EXPECT_EQ(digest_after(nothing, busy_configuration(), 1, false), digest_after(nothing));
}

TEST(Digest, DoesNotDependOnWhatNothingHasHappenedTo) {
  Configuration other = busy_configuration();
  other.instruments.push_back({3, "THREE", {1, 0}, {1, 0}});
  other.users.push_back({12, "other", 0, {}});
  other.accounts = {1, 2, 99};
  other.capacities.sessions = 100;
  std::reverse(other.instruments.begin(), other.instruments.end());
  std::reverse(other.users.begin(), other.users.end());
  EXPECT_EQ(digest_after(nothing, other), digest_after(nothing));
}

TEST(Digest, DoesNotDependOnQueries) {
  EXPECT_EQ(digest_after([](MatchingEngine& engine) {
              Request request;
              L2Query book;
              book.oms_id = 1;
              book.instrument_id = 1;
              book.depth = 10;
              request.assign(book);
              engine.request(kOpen, 50, request, kLater);
              OpenOrdersQuery open;
              open.oms_id = 1;
              open.account_id = 1;
              request.assign(open);
              engine.request(kOpen, 51, request, kLater);
              request.assign(Ping{});
              engine.request(kOpen, 52, request, kLater);
            }),
            digest_after(nothing));
}

TEST(Digest, DiffersAfterInputsThatDifferInAnything) {
  Logon named = resumable_logon(kBusyTrader, "x");
  Logon flags = named;
  flags.cancel_on_disconnect = true;
  Logon whole = named;
  whole.whole_objects = true;
  Logon all = named;
  all.all_accounts = true;
  Logon plain = named;
  plain.resumable = false;
  const std::map<std::string, Change> changes{
      {"nothing", nothing},
      {"order", send({})},
      {"quantity", send({.quantity = 2})},
      {"price", send({.price = 99})},
      {"side", send({.side = Side::kSell, .price = 140})},
      {"client order id", send({.cl_ord_id = 1})},
      {"account", send({.account_id = 2})},
      {"instrument", send({.instrument_id = 2})},
      {"immediate", send({.price = 10, .time_in_force = TimeInForce::kIoc})},
      {"fill or kill", send({.price = 10, .time_in_force = TimeInForce::kFok})},
      {"time", send({}, kLater + 1)},
      {"request number", send({}, kLater, 10)},
      {"refused order", send({.account_id = 3})},
      {"refused at another time", send({.account_id = 3}, kLater + 1)},
      {"trade", send({.side = Side::kSell, .price = 100})},
      {"smaller trade", send({.side = Side::kSell, .quantity = 2, .price = 100})},
      {"logon", logon(kFree, named)},
      {"another slot", logon(kFree + 1, named)},
      {"another user", logon(kFree, resumable_logon(kBusyOperator, "x"))},
      {"another name", logon(kFree, resumable_logon(kBusyTrader, "y"))},
      {"cancel on disconnect", logon(kFree, flags)},
      {"whole objects", logon(kFree, whole)},
      {"all accounts", logon(kFree, all)},
      {"not resumable", logon(kFree, plain)},
      {"end", [](MatchingEngine& engine) { engine.end_session(kOpen, kLater); }},
      {"end of the orphan", [](MatchingEngine& engine) { engine.end_session(kOrphan, kLater); }},
      {"sweep", [](MatchingEngine& engine) { engine.sweep(kLater); }},
      {"sweep at another time", [](MatchingEngine& engine) { engine.sweep(kLater + 1); }},
      {"restart", [](MatchingEngine& engine) { engine.restart(kLater); }},
      {"stop", [](MatchingEngine& engine) { engine.stop_accepting(Detail::kStopping, kLater); }},
      {"other stop",
       [](MatchingEngine& engine) { engine.stop_accepting(Detail::kJournalFailed, kLater); }},
      {"resume", [](MatchingEngine& engine) { engine.resume(kDetached, Logon{}, kLater); }},
      {"resume with a wish",
       [&](MatchingEngine& engine) { engine.resume(kDetached, whole, kLater); }},
      {"forget", [](MatchingEngine& engine) { engine.forget_session(kDetached, kLater); }},
  };
  std::map<std::uint64_t, std::string> seen;
  for (const auto& [name, change] : changes) {
    const auto [entry, fresh] = seen.emplace(digest_after(change), name);
    EXPECT_TRUE(fresh) << name << " has the digest of " << entry->second;
  }
}

// What became of an order belongs to that order: of two equal ones it matters which was cancelled.
TEST(Digest, KnowsWhichOfTwoEqualOrdersHasChanged) {
  const auto cancel_one_of_two = [](ClOrdId cancelled) {
    return [=](MatchingEngine& engine) {
      send({.price = 7, .cl_ord_id = 501}, kLater, 9)(engine);
      send({.price = 7, .cl_ord_id = 502}, kLater, 10)(engine);
      CancelOrder cancel;
      cancel.oms_id = 1;
      cancel.account_id = 1;
      cancel.cl_ord_id = cancelled;
      Request request;
      request.assign(cancel);
      const std::uint32_t working = engine.working_orders();
      engine.request(kOpen, 11, request, kLater);
      EXPECT_EQ(engine.working_orders(), working - 1);
    };
  };
  EXPECT_NE(digest_after(cancel_one_of_two(501)), digest_after(cancel_one_of_two(502)));
}

// Two books with the same orders, one of which has had another order for a moment.
TEST(Digest, CoversWhatIsNotInAnyOrder) {
  Configuration forgetful = busy_configuration();
  forgetful.capacities.finished_orders = 0;
  forgetful.rate_per_second = 0;
  const auto story = [&](Ticks price) {
    EngineInMemory engine(forgetful, 1);
    engine->logon(0, resumable_logon(kBusyTrader, "x"), 1);
    engine->request(0, 1, order_request({.price = 100}), 2);
    engine->request(0, 2, order_request({.price = price}), 3);
    engine->request(0, 3, cancel_request(2), 4);
    EXPECT_EQ(engine->working_orders(), 1U);
    return engine->digest();
  };
  EXPECT_NE(story(100), story(101)) << "when the level last changed";
  EXPECT_EQ(story(102), story(101));
}

}  // namespace
}  // namespace shmatch::core
