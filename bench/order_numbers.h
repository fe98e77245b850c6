// Reports with their order ids as numbers: each id becomes the number of its order's acceptance
// (1, 2, 3 ...), so that engines which give other ids can be compared word by word.
//
// Thread: one at a time. Not for timed code.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>

#include "core/message.h"

namespace shmatch::bench {

class OrderNumbers {
 public:
  // The same report with a number for its order id. Reports must be passed in order, and each
  // acceptance once: they are what is counted. An id that was never accepted stays as it is.
  core::Report numbered(core::Report report) {
    if (report.is<core::OrderAccepted>()) {
      numbers_.try_emplace(report.words[kAcceptedWord], numbers_.size() + 1);
      renumber(report.words[kAcceptedWord]);
    } else if (report.is<core::OrderEntered>() || report.is<core::OrderChanged>()) {
      renumber(report.words[kStateWord]);
    } else if (report.is<core::Trade>()) {
      renumber(report.words[kTradeWord]);
    } else if (report.is<core::Receipt>()) {
      const core::Detail detail = report.as<core::Receipt>().detail;
      if (detail == core::Detail::kUnknownOrder || detail == core::Detail::kForeignOrder ||
          detail == core::Detail::kKeysDisagree) {
        renumber(report.words[kArgumentWord]);
      }
    }
    return report;
  }

 private:
  static constexpr std::size_t kAcceptedWord = offsetof(core::OrderAccepted, order_id) / 8;
  static constexpr std::size_t kStateWord = offsetof(core::OrderEntered, order_id) / 8;
  static constexpr std::size_t kTradeWord = offsetof(core::Trade, order_id) / 8;
  static constexpr std::size_t kArgumentWord = offsetof(core::Receipt, argument0) / 8;
  static_assert(offsetof(core::OrderEntered, order_id) == offsetof(core::OrderChanged, order_id));

  void renumber(std::uint64_t& id) const {
    const auto found = numbers_.find(id);
    if (found != numbers_.end()) id = found->second;
  }

  boost::unordered_flat_map<std::uint64_t, std::uint64_t> numbers_;
};

}  // namespace shmatch::bench
