// The API's JSON for reports of the reference engine, written apart from the product's codec so
// that each checks the other. Times and MDUpdateIds, which the two engines do not share, are the
// wildcard of `difference`.
//
// Thread: any. Ownership: keeps a copy of the configuration.
#pragma once

#include <string>
#include <vector>

#include "core/configuration.h"
#include "core/message.h"
#include "ipc/reference_data.h"

namespace shmatch::process_test {

class ApiText {
 public:
  explicit ApiText(const core::Configuration& configuration);

  // The payload that answers `request`: all its replies, in order.
  std::string reply(const core::Request& request, const std::vector<core::Report>& replies) const;
  // The frame of an event, which must be a whole object.
  std::string event(const core::Report& report) const;

 private:
  template <class Order>
  std::string order(const Order& order) const;
  std::string trade(const core::TradeWhole& trade) const;
  std::string receipt(const core::Receipt& receipt) const;
  std::string book(const core::Instrument& traded, const std::vector<core::Report>& replies) const;
  const core::Instrument& instrument(core::InstrumentId id) const;

  core::Configuration configuration_;
  ReferenceData reference_;  // for the sentences of refusals, which exist once
};

// The text {"result":false, ...} of a refusal whose detail may be anything.
std::string refusal_text(core::ErrorCode code);

}  // namespace shmatch::process_test
