// The API's names of its enumerations: one table each, read in both directions.
//
// Thread: pure functions, any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/types.h"

namespace shmatch::tools {

struct EnumName {
  std::string_view name;
  std::uint8_t value;
};

std::span<const EnumName> side_names() noexcept;
std::span<const EnumName> order_type_names() noexcept;
std::span<const EnumName> time_in_force_names() noexcept;

// The API's word for a value; "Unknown" for one that has none.
std::string_view name_of(core::Side side) noexcept;
std::string_view name_of(core::OrderType type) noexcept;
std::string_view name_of(core::TimeInForce value) noexcept;
std::string_view name_of(core::OrderState state) noexcept;
std::string_view name_of(core::ChangeReason reason) noexcept;
std::string_view name_of(core::Direction direction) noexcept;

// Free text of the API rather than enumerations.
std::string_view cancel_reason_text(core::CancelReason reason) noexcept;
std::string order_flag_text(std::uint8_t flags);

}  // namespace shmatch::tools
