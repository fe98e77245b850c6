// Writes a journal of any size for measuring replay and recovery: first orders that rest, then
// cancels and new orders in turn, so that about as many orders stay live as were entered first.
//
// Equal flags give equal bytes. It runs the engine as it writes, because cancels name orders by the
// ids that the engine gave them.
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "bench/zeroed_memory.h"
#include "core/configuration_bytes.h"
#include "core/input_record.h"
#include "core/matching_engine.h"
#include "ipc/journal_folder.h"
#include "ipc/journal_writer.h"

namespace {

using namespace shmatch;

struct Flags {
  std::string folder;
  std::uint64_t records = 10'000'000;
  std::uint32_t live = 1'000'000;
  std::uint64_t seed = 1;
  std::uint32_t recent = 0;
  std::uint32_t client_id_percent = 0;
  std::uint32_t mark_every = 1'000'000;
};

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t below(std::uint64_t bound) noexcept {
    state_ += 0x9E37'79B9'7F4A'7C15;
    std::uint64_t value = state_;
    value = (value ^ (value >> 30)) * 0xBF58'476D'1CE4'E5B9;
    value = (value ^ (value >> 27)) * 0x94D0'49BB'1331'11EB;
    return (value ^ (value >> 31)) % bound;
  }

 private:
  std::uint64_t state_;
};

core::Configuration configuration_for(const Flags& flags) {
  core::Configuration configuration;
  configuration.instruments = {{1, "TEST", {1, 0}, {1, 0}}};
  configuration.users = {{1, "trader1", core::kPermissionTrading, {1}},
                         {2, "trader2", core::kPermissionTrading, {2}},
                         {3, "trader3", core::kPermissionTrading, {3}},
                         {4, "trader4", core::kPermissionTrading, {4}}};
  configuration.accounts = {1, 2, 3, 4};
  configuration.capacities.working_orders = flags.live + flags.live / 8 + 1024;
  configuration.capacities.finished_orders = configuration.capacities.working_orders;
  configuration.capacities.sessions = 16;
  return configuration;
}

// Remembers the id of the order that the last input entered.
class LastOrder final : public core::ReportSink {
 public:
  void deliver(core::SessionSlot, const core::Report& report) noexcept override {
    if (report.is<core::OrderAccepted>()) {
      order_id = report.as<core::OrderAccepted>().order_id;
    }
  }
  core::OrderId order_id = 0;
};

struct LiveOrder {
  core::OrderId order_id;
  core::ClOrdId cl_ord_id;
  core::SessionSlot session;
};

class Generator {
 public:
  Generator(const Flags& flags, ipc::JournalWriter& writer)
      : flags_(flags),
        configuration_(configuration_for(flags)),
        memory_(core::MatchingEngine::memory_size(configuration_)),
        engine_(configuration_, memory_.span(), 0, last_),
        writer_(writer),
        random_(flags.seed) {
    live_.reserve(flags.live + 1);
  }

  const core::Configuration& configuration() const noexcept { return configuration_; }

  ipc::FileFault run() {
    for (core::SessionSlot slot = 0; slot < kSessions; ++slot) {
      core::Logon logon;
      logon.user_id = slot + 1;
      if (ipc::FileFault fault = put(core::encode_logon(record_, slot, logon, now_))) return fault;
    }
    while (engine_.last_sequence() < flags_.records) {
      const bool full = live_.size() >= flags_.live;
      if (ipc::FileFault fault = full ? cancel() : enter()) return fault;
    }
    return flush();
  }

 private:
  static constexpr core::SessionSlot kSessions = 4;
  static constexpr std::size_t kGroupWords = 8192;
  static constexpr core::Ticks kMiddle = 1'000'000;
  static constexpr std::uint64_t kPrices = 2'000;

  ipc::FileFault enter() {
    const auto slot = static_cast<core::SessionSlot>(random_.below(kSessions));
    const bool buys = random_.below(2) == 0;
    const auto away = static_cast<core::Ticks>(random_.below(kPrices)) + 1;
    core::NewOrder order;
    order.oms_id = configuration_.oms_id;
    order.account_id = slot + 1;
    order.instrument_id = 1;
    order.cl_ord_id = ++last_cl_ord_id_;
    order.side = buys ? core::Side::kBuy : core::Side::kSell;
    order.order_type = core::OrderType::kLimit;
    order.set_quantity(core::in_increments(1 + static_cast<core::Lots>(random_.below(100))));
    order.set_limit_price(core::in_increments(buys ? kMiddle - away : kMiddle + away));
    if (ipc::FileFault fault = put_request(slot, order)) return fault;
    live_.push_back({last_.order_id, order.cl_ord_id, slot});
    return {};
  }

  ipc::FileFault cancel() {
    const std::uint64_t reach = flags_.recent == 0 ? live_.size() : flags_.recent;
    const std::uint64_t back = random_.below(std::min<std::uint64_t>(reach, live_.size()));
    const std::size_t place = live_.size() - 1 - back;
    const LiveOrder victim = live_[place];
    live_[place] = live_.back();
    live_.pop_back();
    core::CancelOrder request;
    request.oms_id = configuration_.oms_id;
    if (random_.below(100) < flags_.client_id_percent) {
      request.account_id = victim.session + 1;
      request.cl_ord_id = victim.cl_ord_id;
    } else {
      request.order_id = victim.order_id;
    }
    return put_request(victim.session, request);
  }

  template <class Message>
  ipc::FileFault put_request(core::SessionSlot slot, const Message& message) {
    now_ += 1'000;
    core::Request request;
    request.assign(message);
    return put(core::encode_request(record_, slot, ++sent_[slot], request, now_));
  }

  ipc::FileFault put(std::uint32_t words) {
    core::apply(engine_, record_);
    group_.insert(group_.end(), record_, record_ + words);
    if (engine_.last_sequence() % flags_.mark_every == 0) {
      mark_ = {engine_.last_sequence(), engine_.digest()};
      return flush();
    }
    return group_.size() < kGroupWords ? ipc::FileFault{} : flush();
  }

  ipc::FileFault flush() {
    if (group_.empty()) return {};
    ipc::FileFault fault = writer_.append(group_, writer_.last_sequence() + 1, mark_);
    group_.clear();
    return fault;
  }

  Flags flags_;
  core::Configuration configuration_;
  bench::ZeroedMemory memory_;
  LastOrder last_;
  core::MatchingEngine engine_;
  ipc::JournalWriter& writer_;
  Random random_;
  std::vector<LiveOrder> live_;
  std::vector<std::uint64_t> group_;
  ipc::DigestMark mark_;
  std::uint64_t record_[core::kInputRecordWordsMax] = {};
  core::Sequence sent_[kSessions] = {};
  core::ClOrdId last_cl_ord_id_ = 0;
  core::TimeNs now_ = 1'700'000'000'000'000'000;
};

ipc::Fault make(const Flags& flags) {
  ipc::PosixFileLayer layer;
  ipc::JournalFolder folder(layer);
  if (ipc::FileFault fault = folder.take(flags.folder)) return fault;
  ipc::JournalWriter writer(layer, flags.folder);
  Generator generator(flags, writer);
  const std::string configuration = core::encode_configuration(generator.configuration());
  ipc::SegmentStart start;
  start.configuration = std::as_bytes(std::span(configuration));
  if (ipc::FileFault fault = writer.open(start)) return fault;
  if (ipc::FileFault fault = generator.run()) return fault;
  return writer.close();
}

}  // namespace

int main(int argc, char** argv) {
  Flags flags;
  CLI::App app("Writes a cancel-heavy journal.", "make_journal");
  app.add_option("dir", flags.folder, "folder that is made, or empty")->required();
  app.add_option("--records", flags.records)->capture_default_str();
  app.add_option("--live", flags.live, "orders that work at any time")->capture_default_str();
  app.add_option("--seed", flags.seed)->capture_default_str();
  app.add_option("--recent", flags.recent,
                 "cancels choose among this many newest orders; 0: among all")
      ->capture_default_str();
  app.add_option("--client-id-percent", flags.client_id_percent,
                 "share of cancels that name account and client order id")
      ->capture_default_str();
  app.add_option("--mark-every", flags.mark_every, "inputs from one digest mark to the next")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  std::signal(SIGXFSZ, SIG_IGN);
  if (const ipc::Fault fault = make(flags)) {
    std::fprintf(stderr, "make_journal: %s\n", fault.text.c_str());
    return 1;
  }
  return 0;
}
