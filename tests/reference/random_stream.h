// Seeded random command streams for differential tests, in profiles that each dwell on one kind of
// trouble. The same profile and seed give the same stream on every machine: the generator and its
// distributions are our own.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/configuration.h"
#include "core/matching_engine.h"
#include "core/message.h"

namespace shmatch::reference {

// One input of an engine, as a value, so that a stream can be run again with parts left out.
struct Command {
  enum class Kind {
    kRequest,
    kLogon,
    kEndSession,
    kSweep,
    kSweepAll,
    kStopAccepting,
    kRestart,
    kResume,
    kForgetSession,
  };

  std::uint32_t id =
      0;  // place in the stream that was generated, from 1; stays when others are left out
  Kind kind = Kind::kRequest;
  core::SessionSlot slot = 0;
  core::TimeNs now = 0;
  core::Request request;
  // The request's OrderId is the one that this command's order got; 0: the request stands as it is.
  std::uint32_t order_of = 0;
  // The request, a cancel, makes room for this one: both are one cancel-replace.
  std::optional<core::NewOrder> replacement;
  core::Logon logon;
  core::Detail why = core::Detail::kNone;
};

std::string to_text(const Command& command);

// What a stream looks like. Percentages are of the requests that they can apply to.
struct Profile {
  const char* name = "";
  core::Configuration configuration;
  std::uint32_t cancel_percent = 40;
  std::uint32_t replace_percent = 0;  // cancels that are cancel-replaces
  std::uint32_t query_percent = 6;
  std::uint32_t session_permille = 4;     // commands that open or end a session
  std::uint32_t disconnect_percent = 50;  // sessions with cancel on disconnect
  std::uint32_t resumable_percent = 40;
  std::uint32_t restart_permyriad = 10;
  std::uint32_t market_percent = 5;
  std::uint32_t ioc_percent = 8;
  std::uint32_t fok_percent = 5;
  std::uint32_t odd_percent = 3;      // requests with one odd field
  std::uint32_t foreign_percent = 5;  // requests that name any account at all
  std::uint32_t client_id_percent = 50;
  std::uint32_t recent_orders = 64;  // cancels name one of so many newest orders
  core::ClOrdId client_ids = 64;
  core::Ticks price_low = 100;
  core::Ticks price_count = 12;
  core::Lots quantity_max = 20;
  core::TimeNs step_ns_max = 2'000'000;
  std::uint32_t stop_permyriad = 0;
  std::uint32_t full_check_every = 16;  // commands between two checks of everything

  // The operator who looks at everything, in the last session slot. It hears events only where
  // sessions can leave orders to be cancelled, so that elsewhere some events have no receiver at
  // all.
  core::Logon observer() const;
};

std::vector<Profile> all_profiles();

// Small, portable and good enough: SplitMix64.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  // Uniform in 0..bound-1 but for a bias of bound / 2^64.
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  bool percent(std::uint32_t chance) { return below(100) < chance; }

 private:
  std::uint64_t state_;
};

class RandomStream {
 public:
  RandomStream(const Profile& profile, std::uint64_t seed);

  Command next();
  // Tells the stream that its newest command was given to the engines: some cannot be, because an
  // ended session is still being swept.
  void applied(const Command& command);
  // Tells the stream that the order of its newest command was accepted, so that later ones can name
  // it.
  void accepted();

 private:
  struct Client {
    core::SessionState state = core::SessionState::kFree;
    const core::User* user = nullptr;
    bool resumable = false;
  };
  struct Sent {
    std::uint32_t command = 0;
    core::AccountId account_id = 0;
    core::ClOrdId cl_ord_id = 0;
  };

  static Command sweep();
  Command logon(core::SessionSlot slot);
  Command come_back(const Client& client);
  Command use(const Client& client);
  void choose_flags(core::Logon& logon);
  core::Request new_order(const core::User& user);
  core::Request cancel_order(const core::User& user);
  core::Request query(const core::User& user);
  void make_odd(core::NewOrder& order);
  void make_odd(core::CancelOrder& cancel);
  core::AccountId pick_account(const core::User& user);
  core::Decimal spell(std::int64_t count, core::Increment increment);
  const Sent* pick_order();

  const Profile& profile_;
  Random random_;
  std::vector<Client> clients_;
  std::vector<Sent> sent_;
  Sent newest_;
  std::uint32_t last_id_ = 0;
  std::uint32_t order_of_ = 0;
  core::TimeNs now_ = 1'000'000'000;
  bool logon_waits_ = false;  // the newest command is a logon, and was not applied yet
};

}  // namespace shmatch::reference
