// Clients that write what no honest client writes: their own session ends with a sentence, and
// nothing else happens.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <random>
#include <string>

#include "tests/process/engine.h"
#include "tests/process/raw_session.h"
#include "tests/process/trading.h"

namespace shmatch::process_test {
namespace {

using ipc::FarewellReason;
using ipc::Slot;

constexpr std::uint64_t kHuge = ~std::uint64_t{0};

void publish(Slot& slot, std::uint64_t sequence) {
  ipc::store_word(slot.sequence, sequence, std::memory_order_release);
}

// A head word: type in the lowest byte, slot count above, and whatever else.
std::uint64_t head(unsigned type, unsigned slots, std::uint64_t more = 0) {
  return (more << 16) | (slots << 8) | type;
}

// Writes one message by hand.
void write_message(RawSession& session, std::uint64_t first_word, std::uint64_t sequence = 1) {
  Slot& slot = session.request_slots()[0];
  slot.payload[0] = first_word;
  publish(slot, sequence);
}

struct Breach {
  const char* name;
  std::function<void(RawSession&)> commit;
};

std::vector<Breach> breaches() {
  constexpr unsigned kPing = static_cast<unsigned>(core::RequestType::kPing);
  constexpr unsigned kCancel = static_cast<unsigned>(core::RequestType::kCancelOrder);
  constexpr unsigned kNew = static_cast<unsigned>(core::RequestType::kNewOrder);
  return {
      {"a sequence from the future", [](RawSession& s) { write_message(s, head(kPing, 1), 2); }},
      {"the largest sequence", [](RawSession& s) { write_message(s, head(kPing, 1), kHuge); }},
      {"no slots", [](RawSession& s) { write_message(s, head(kPing, 0)); }},
      {"too many slots", [](RawSession& s) { write_message(s, head(kPing, 5)); }},
      {"255 slots", [](RawSession& s) { write_message(s, head(kPing, 255)); }},
      {"a ping of four slots", [](RawSession& s) { write_message(s, head(kPing, 4)); }},
      {"an order of one slot", [](RawSession& s) { write_message(s, head(kNew, 1)); }},
      {"type 0", [](RawSession& s) { write_message(s, head(0, 1)); }},
      {"an unknown type", [](RawSession& s) { write_message(s, head(7, 1)); }},
      {"type 255", [](RawSession& s) { write_message(s, head(255, 1)); }},
      {"an unknown flag", [](RawSession& s) { write_message(s, head(kCancel, 1, 2)); }},
      {"a reserved field", [](RawSession& s) { write_message(s, head(kCancel, 1, 1U << 16)); }},
      {"a continuation that is a head",
       [](RawSession& s) {
         s.request_slots()[1].sequence = 2;
         write_message(s, head(kNew, 2));
       }},
      {"progress ahead of what was written",
       [](RawSession& s) {
         s.submit(core::Ping{});
         ipc::store_word(s.reports_consumed(), kHuge / 2, std::memory_order_release);
         while (s.submit(core::Ping{})) {
         }
       }},
      {"progress that runs backwards",
       [](RawSession& s) {
         // An honest reader until the ring has gone round, so that the engine has looked at its
         // progress.
         for (std::uint32_t i = 0; i < 3 * s.offer().report_slots; ++i) {
           s.submit(core::Ping{});
           if (!s.report()) return;
         }
         // From here on nothing is read, which would tell the truth again.
         ipc::store_word(s.reports_consumed(), s.reports_consumed() / 4, std::memory_order_release);
         while (s.submit(core::Ping{})) {
         }
       }},
  };
}

TEST(Hostile, EveryBreachEndsItsOwnSessionWithASentence) {
  TestEngine engine;
  Client worker = logged_on(engine.options("bob"));
  for (const Breach& breach : breaches()) {
    SCOPED_TRACE(breach.name);
    RawSession session(engine.socket());
    ipc::LogonRequest request = session.request("alice");
    request.report_slots = 256;
    session.send(request);
    session.receive_offer();
    session.map();
    session.confirm();
    breach.commit(session);
    const auto farewell = session.farewell();
    ASSERT_TRUE(farewell);
    EXPECT_EQ(farewell->reason, FarewellReason::kBreach);
    EXPECT_FALSE(ipc::get_text(farewell->sentence).empty());
    EXPECT_TRUE(session.closed());
    EXPECT_TRUE(engine.logs(ipc::get_text(farewell->sentence)));
    work(worker, 3, 5);
  }
}

// What the ring's rules allow is judged by the engine, whatever it holds.
TEST(Hostile, RandomValuesInWellFormedRequestsAreAnswered) {
  TestEngine engine;
  RawSession session(engine.socket());
  session.logon("alice");
  std::mt19937_64 random(20261122);
  for (int i = 0; i < 2000; ++i) {
    core::NewOrder order;
    auto* bytes = reinterpret_cast<unsigned char*>(&order) + sizeof(core::RequestHeader);
    for (std::size_t at = 0; at < sizeof(order) - sizeof(core::RequestHeader); ++at) {
      bytes[at] = static_cast<unsigned char>(random());
    }
    order.reserved = 0;
    order.features &= core::kFeaturesAll;
    if (i % 4 == 0) order.oms_id = 1;
    if (i % 8 == 0) order.account_id = 1;
    if (i % 16 == 0) order.instrument_id = 3;
    ASSERT_TRUE(session.submit(order));
    const auto report = session.report();
    ASSERT_TRUE(report) << i;
    ASSERT_TRUE(report->is<core::Receipt>()) << i;
    ASSERT_EQ(report->as<core::Receipt>().request_sequence, static_cast<core::Sequence>(i) + 1);
  }
  EXPECT_TRUE(session.served());
}

// Runs as another process: fills its request memory with random bytes over and over.
int scribble(const std::string& socket, unsigned seed) {
  std::mt19937_64 random(seed);
  for (int round = 0; round < 20; ++round) {
    RawSession session(socket);
    session.logon("alice");
    // Half of the rounds leave the first header credible, so that the noise is met further on.
    if (round % 2 == 0) session.submit(core::Ping{});
    std::span<std::byte> memory = session.requests();
    const std::size_t start = round % 2 == 0 ? session.offer().first_slot_offset + 64 : 0;
    for (std::size_t at = start; at + 8 <= memory.size(); at += 8) {
      const std::uint64_t noise = random() >> (random() % 64);
      std::memcpy(memory.data() + at, &noise, 8);
    }
    // Noise that by chance looks like nothing new is followed by a breach that cannot be missed.
    if (round % 2 == 0) publish(session.request_slots()[1], kHuge);
    publish(session.request_slots()[0], kHuge);
    const auto farewell = session.farewell();
    if (!farewell || farewell->reason != FarewellReason::kBreach) return 1;
    if (ipc::get_text(farewell->sentence).empty()) return 2;
  }
  return 0;
}

TEST(Hostile, RandomBytesInTheRequestMemoryHurtNobodyElse) {
  TestEngine engine;
  Client worker = logged_on(engine.options("bob"));
  std::vector<Process> scribblers;
  for (unsigned seed = 1; seed <= 3; ++seed) {
    scribblers.push_back(Process::branch([&, seed] { return scribble(engine.socket(), seed); }));
  }
  work(worker, 3, 500);
  for (Process& process : scribblers) {
    const Outcome outcome = finish(std::move(process));
    EXPECT_EQ(outcome.status, 0) << outcome.errors;
  }
  work(worker, 3, 5);
  EXPECT_TRUE(engine.process().running());
}

// The payload changes while the engine reads it: it judges its own copy.
TEST(Hostile, AMessageThatChangesUnderTheReaderIsReadOnce) {
  TestEngine engine;
  Client worker = logged_on(engine.options("bob"));
  Process flipper = Process::branch([&] {
    for (int round = 0; round < 20; ++round) {
      RawSession session(engine.socket());
      session.logon("alice");
      Slot& slot = session.request_slots()[0];
      core::Request ping;
      ping.assign(core::Ping{});
      const std::uint64_t honest = ping.words[0];
      slot.payload[0] = honest;
      publish(slot, 1);
      for (int i = 0; i < 20'000; ++i) {
        ipc::store_word(slot.payload[0], i % 2 == 0 ? kHuge : honest, std::memory_order_relaxed);
      }
      // It was read as a ping or as a breach; either way the session is in a state that it can be
      // in.
      publish(session.request_slots()[0], kHuge);
      publish(session.request_slots()[1], kHuge);
      const auto farewell = session.farewell();
      if (!farewell || farewell->reason != FarewellReason::kBreach) return 1;
    }
    return 0;
  });
  work(worker, 3, 200);
  const Outcome outcome = finish(std::move(flipper));
  EXPECT_EQ(outcome.status, 0) << outcome.errors;
}

}  // namespace
}  // namespace shmatch::process_test
