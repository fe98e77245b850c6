// FeedConverter: book events of a market data feed as requests that make an engine's book go the
// same way. Such requests are derived: nobody sent them.
//
//   new order            a limit order, GTC, of the makers' account
//   delete               a cancel by (AccountId, ClOrderId)
//   replace              a cancel and a new order
//   partial cancel       a cancel and a new order for the rest, because no call reduces an order:
//                        the rest loses its place in the queue
//   execution            an order of the takers' account on the other side, IOC, for the executed
//                        quantity at the resting order's price
//
// The feed's order number is the ClOrderId; number 0, which no ClOrderId can be, becomes the
// largest one. An event of an order that the feed has not shown can not be derived from; a cancel
// of it is sent all the same, so that the engine answers it.
//
// Thread: one thread at a time.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "core/configuration.h"
#include "core/message.h"
#include "tools/conversion.h"

namespace shmatch::tools {

// Feed prices and quantities are whole numbers of these.
inline constexpr core::Increment kFeedTick{1, -4};
inline constexpr core::Increment kFeedLot{1, 0};

struct FeedOrder {
  core::InstrumentId instrument_id = 0;
  core::Side side = core::Side::kUnknown;
  std::int64_t price = 0;     // in kFeedTick
  std::int64_t quantity = 0;  // in kFeedLot: what is left of it
};

class FeedConverter {
 public:
  // Each of these is one whole record of the feed, and counted in `out` as such.
  void add(Conversion& out, core::TimeNs time, std::uint64_t id, const FeedOrder& order);
  void remove(Conversion& out, core::TimeNs time, std::uint64_t id);
  void reduce(Conversion& out, core::TimeNs time, std::uint64_t id, std::int64_t quantity);
  void execute(Conversion& out, core::TimeNs time, std::uint64_t id, std::int64_t quantity);
  void replace(Conversion& out, core::TimeNs time, std::uint64_t id, std::uint64_t new_id,
               std::int64_t price, std::int64_t quantity);

  void restart() { orders_.clear(); }

  // One user and account for makers, one for takers.
  static core::Configuration configuration(std::vector<core::Instrument> instruments);

 private:
  using Orders = boost::unordered_flat_map<std::uint64_t, FeedOrder>;

  static bool representable(Conversion& out, std::uint64_t id);
  void send_order(Conversion& out, core::TimeNs time, std::uint64_t id, const FeedOrder& order);
  static void send_cancel(Conversion& out, core::TimeNs time, std::uint64_t id);

  Orders orders_;
};

}  // namespace shmatch::tools
