// A seeded stream of frames as several users might send them: mostly valid orders and cancels,
// spelled in all the ways that the API allows, and some of everything that it must refuse.
//
// The same seed gives the same stream on every machine. Thread: one.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/message.h"
#include "tests/process/engine.h"
#include "tests/process/expected_exec.h"

namespace shmatch::process_test {

// The engine for the stream: users operator, alice, bob, carol, reader and idle; few places for
// orders, so that the capacities are met.
ConfigText stream_config();

class FrameStream {
 public:
  explicit FrameStream(std::uint64_t seed) : state_(seed) {}

  Call next();
  // Tells that the order of the newest call was accepted under this id.
  void accepted(core::OrderId id);

 private:
  struct Sent {
    core::OrderId id = 0;
    core::AccountId account = 0;
    core::ClOrdId client_id = 0;
  };
  // A payload, written field by field.
  class Payload;

  std::uint64_t random();
  std::uint64_t below(std::uint64_t bound) { return random() % bound; }
  bool percent(std::uint64_t chance) { return below(100) < chance; }

  core::Request new_order(std::string& payload, bool& refused);
  core::Request cancel_order(std::string& payload, bool& refused);
  core::Request query(std::string& function, std::string& payload);
  void make_odd(core::NewOrder& order);
  core::AccountId pick_account();
  std::string pick_user(core::AccountId account);
  void write_id(Payload& payload, const char* key, std::int64_t value);
  void write_enum(Payload& payload, const char* key, std::uint8_t value, const char* name);
  void write_amount(Payload& payload, const char* key, core::Decimal value);
  std::string spell_key(const char* key);
  std::string finish(Payload payload, bool& refused);

  std::uint64_t state_;
  std::vector<Sent> sent_;
  Sent newest_;
  core::AccountId account_ = 0;  // that the newest call is about
  std::uint64_t calls_ = 0;
};

}  // namespace shmatch::process_test
