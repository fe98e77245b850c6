// Ticks and lots of one instrument as decimal text.
//
// Thread: pure functions, any thread.
#pragma once

#include <string>

#include "core/decimal.h"
#include "core/message.h"
#include "ipc/reference_data.h"

namespace shmatch::tools {

class Amounts {
 public:
  // Of an instrument that `reference` does not know, plain counts of ticks and lots are shown.
  Amounts(const ReferenceData& reference, core::InstrumentId id) {
    const core::Instrument* instrument = reference.instrument(id);
    if (instrument == nullptr) return;
    tick_ = instrument->tick;
    lot_ = instrument->lot;
  }

  std::string price(core::Ticks ticks) const { return format_increments(wide_of(ticks), tick_); }
  std::string quantity(core::Lots lots) const { return format_increments(wide_of(lots), lot_); }
  // Of a level or a side, whose sum takes two words.
  std::string quantity(std::uint64_t low, std::uint64_t high) const {
    return format_increments(core::wide(low, high), lot_);
  }
  std::string value(core::Wide gross) const { return format_product(gross, tick_, lot_); }
  std::string average_price(core::Wide gross, core::Lots executed) const {
    return format_average_price(gross, executed, tick_);
  }

 private:
  // Amounts in reports are never negative.
  static core::Wide wide_of(std::int64_t amount) noexcept {
    return amount > 0 ? static_cast<core::Wide>(amount) : 0;
  }

  core::Increment tick_;
  core::Increment lot_;
};

}  // namespace shmatch::tools
