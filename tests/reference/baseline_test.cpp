// The baseline that the core is measured against does what the core does: both are told the same
// random streams, and each report to each session must be the same words, but for the order ids.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "bench/baseline_engine.h"
#include "bench/order_numbers.h"
#include "tests/reference/engine_under_test.h"
#include "tests/reference/random_stream.h"
#include "tests/reference/report_text.h"

namespace shmatch::reference {
namespace {

using namespace core;

constexpr std::uint64_t kCommands = 30'000;
constexpr OrderId kNeverGiven = 999'999'999'998;

// The profile of this name as far as the baseline goes: no queries, no sessions that end, no rate
// limit, events in their compact form.
Profile tamed(std::string_view name) {
  for (Profile& profile : all_profiles()) {
    if (profile.name != name) continue;
    profile.query_percent = 0;
    profile.session_permille = 0;
    profile.disconnect_percent = 0;
    profile.configuration.rate_per_second = 0;
    profile.configuration.rate_burst = 1;
    return profile;
  }
  ADD_FAILURE() << "no profile is called " << name;
  return {};
}

// One of the two engines, and what its streams' commands led to.
template <class Engine>
struct Side {
  Engine& engine;
  RecordingSink& sink;
  bench::OrderNumbers numbers;
  std::map<std::uint32_t, OrderId> ids;  // by command

  CancelOrder named(const Command& command) const {
    auto cancel = command.request.as<CancelOrder>();
    // An id that is not of a command would mean another order in each engine.
    if (command.order_of != 0 || cancel.order_id > 0) {
      const auto found = ids.find(command.order_of);
      cancel.order_id = found == ids.end() ? kNeverGiven : found->second;
    }
    return cancel;
  }

  void apply(const Command& command) {
    const Sequence number = command.id;
    if (command.kind == Command::Kind::kLogon) {
      Logon logon = command.logon;
      logon.whole_objects = false;
      logon.cancel_on_disconnect = false;
      logon.resumable = false;
      engine.logon(command.slot, logon, command.now);
    } else if (command.replacement) {
      engine.cancel_replace(command.slot, number, named(command), *command.replacement,
                            command.now);
    } else {
      Request request = command.request;
      if (request.is<CancelOrder>()) request.assign(named(command));
      engine.request(command.slot, number, request.words, command.now);
    }
  }

  // By session, with orders numbered; notes the id of the order that the command entered.
  Received reports(const Command& command) {
    Received all = sink.take();
    for (const Report& report : all[command.slot]) {
      if (report.is<OrderAccepted>()) ids[command.id] = report.as<OrderAccepted>().order_id;
    }
    // The sender hears of an acceptance before others hear of the order.
    for (Report& report : all[command.slot]) report = numbers.numbered(report);
    for (auto& [slot, reports] : all) {
      if (slot == command.slot) continue;
      for (Report& report : reports) report = numbers.numbered(report);
    }
    return all;
  }
};

std::string first_difference(Received a, Received b, SessionSlot slots) {
  for (SessionSlot slot = 0; slot < slots; ++slot) {
    for (std::size_t i = 0; i < std::max(a[slot].size(), b[slot].size()); ++i) {
      if (i < a[slot].size() && i < b[slot].size() && same_words(a[slot][i], b[slot][i])) continue;
      return "to slot " + std::to_string(slot) + ":\n  core      " +
             (i < a[slot].size() ? to_text(a[slot][i]) : "nothing") + "\n  baseline  " +
             (i < b[slot].size() ? to_text(b[slot][i]) : "nothing");
    }
  }
  return "";
}

class Baseline : public testing::TestWithParam<const char*> {};

TEST_P(Baseline, reports_what_the_core_reports) {
  const Profile profile = tamed(GetParam());
  const Configuration& configuration = profile.configuration;
  EngineInMemory core(configuration, 0x5EED);
  RecordingSink core_sink;
  core->set_port(core_sink);
  RecordingSink plain_sink;
  bench::BaselineEngine plain(configuration, plain_sink);
  Side<MatchingEngine> fast{*core, core_sink, {}, {}};
  Side<bench::BaselineEngine> slow{plain, plain_sink, {}, {}};

  RandomStream stream(profile, 1);
  std::uint64_t cancelled = 0;
  for (std::uint64_t i = 0; i < kCommands; ++i) {
    const Command command = stream.next();
    if (command.kind != Command::Kind::kLogon && command.kind != Command::Kind::kRequest) continue;
    fast.apply(command);
    slow.apply(command);
    Received heard = fast.reports(command);
    for (const Report& report : heard[command.slot]) {
      cancelled += report.is<OrderChanged>() &&
                   cancel_reason(report.as<OrderChanged>().header) == CancelReason::kUserModified;
    }
    const std::string difference = first_difference(std::move(heard), slow.reports(command),
                                                    configuration.capacities.sessions);
    ASSERT_EQ(difference, "") << to_text(command);
    ASSERT_EQ(core->working_orders(), plain.working_orders());
    for (const Instrument& instrument : configuration.instruments) {
      for (const core::Side side : {core::Side::kBuy, core::Side::kSell}) {
        const Touch touch = core->best(instrument.id, side);
        ASSERT_EQ(touch.price, plain.best(instrument.id, side).price);
        ASSERT_EQ(touch.quantity, plain.best(instrument.id, side).quantity);
        ASSERT_EQ(core->quantity_at(instrument.id, side, profile.price_low + 1),
                  plain.quantity_at(instrument.id, side, profile.price_low + 1));
      }
    }
    stream.applied(command);
    if (fast.ids.contains(command.id)) stream.accepted();
  }
  EXPECT_GT(core->trade_count(), kCommands / 100);
  EXPECT_EQ(core->trade_count(), plain.trade_count());
  EXPECT_GT(cancelled, kCommands / 200);
}

INSTANTIATE_TEST_SUITE_P(Profiles, Baseline,
                         testing::Values("few_prices", "wide_book", "dead_cancels",
                                         "permission_mix", "tiny_8_0", "immediate_orders",
                                         "odd_requests", "large_amounts", "replacing",
                                         "replacing_8_0"),
                         [](const auto& parameter) { return std::string(parameter.param); });

}  // namespace
}  // namespace shmatch::reference
