#include "tools/enum_names.h"

#include <algorithm>

namespace shmatch::tools {

namespace {

template <class Enum>
constexpr EnumName named(std::string_view name, Enum value) noexcept {
  return {name, static_cast<std::uint8_t>(value)};
}

using core::ChangeReason;
using core::Direction;
using core::OrderState;
using core::OrderType;
using core::Side;
using core::TimeInForce;

constexpr EnumName kSides[] = {
    named("Buy", Side::kBuy),
    named("Sell", Side::kSell),
    named("Short", Side::kShort),
    named("Unknown", Side::kUnknown),
};

constexpr EnumName kOrderTypes[] = {
    named("Unknown", OrderType::kUnknown),
    named("Market", OrderType::kMarket),
    named("Limit", OrderType::kLimit),
    named("StopMarket", OrderType::kStopMarket),
    named("StopLimit", OrderType::kStopLimit),
    named("TrailingStopMarket", OrderType::kTrailingStopMarket),
    named("TrailingStopLimit", OrderType::kTrailingStopLimit),
    named("BlockTrade", OrderType::kBlockTrade),
};

constexpr EnumName kTimesInForce[] = {
    named("Unknown", TimeInForce::kUnknown), named("GTC", TimeInForce::kGtc),
    named("OPG", TimeInForce::kOpg),         named("IOC", TimeInForce::kIoc),
    named("FOK", TimeInForce::kFok),         named("GTX", TimeInForce::kGtx),
    named("GTD", TimeInForce::kGtd),
};

constexpr EnumName kOrderStates[] = {
    named("Unknown", OrderState::kUnknown),   named("Working", OrderState::kWorking),
    named("Rejected", OrderState::kRejected), named("Canceled", OrderState::kCanceled),
    named("Expired", OrderState::kExpired),   named("FullyExecuted", OrderState::kFullyExecuted),
};

constexpr EnumName kChangeReasons[] = {
    named("Unknown", ChangeReason::kUnknown),
    named("NewInputAccepted", ChangeReason::kNewInputAccepted),
    named("NewInputRejected", ChangeReason::kNewInputRejected),
    named("OtherRejected", ChangeReason::kOtherRejected),
    named("Expired", ChangeReason::kExpired),
    named("Trade", ChangeReason::kTrade),
    named("SystemCanceled_NoMoreMarket", ChangeReason::kNoMoreMarket),
    named("SystemCanceled_BelowMinimum", ChangeReason::kBelowMinimum),
    named("SystemCanceled_PriceCollar", ChangeReason::kPriceCollar),
    named("SystemCanceled_MarginFailed", ChangeReason::kMarginFailed),
    named("UserModified", ChangeReason::kUserModified),
};

constexpr EnumName kDirections[] = {
    named("NoChange", Direction::kNoChange),
    named("UpTick", Direction::kUpTick),
    named("DownTick", Direction::kDownTick),
};

template <class Enum>
std::string_view find_name(std::span<const EnumName> names, Enum value) noexcept {
  const auto found = std::find_if(names.begin(), names.end(), [&](const EnumName& known) {
    return known.value == static_cast<std::uint8_t>(value);
  });
  return found == names.end() ? "Unknown" : found->name;
}

}  // namespace

std::span<const EnumName> side_names() noexcept { return kSides; }
std::span<const EnumName> order_type_names() noexcept { return kOrderTypes; }
std::span<const EnumName> time_in_force_names() noexcept { return kTimesInForce; }

std::string_view name_of(Side side) noexcept { return find_name(kSides, side); }
std::string_view name_of(OrderType type) noexcept { return find_name(kOrderTypes, type); }
std::string_view name_of(TimeInForce value) noexcept { return find_name(kTimesInForce, value); }
std::string_view name_of(OrderState state) noexcept { return find_name(kOrderStates, state); }
std::string_view name_of(ChangeReason reason) noexcept { return find_name(kChangeReasons, reason); }
std::string_view name_of(Direction direction) noexcept { return find_name(kDirections, direction); }

std::string_view cancel_reason_text(core::CancelReason reason) noexcept {
  switch (reason) {
    case core::CancelReason::kNone:
      return "";
    case core::CancelReason::kUserModified:
      return name_of(ChangeReason::kUserModified);
    case core::CancelReason::kNoMoreMarket:
      return name_of(ChangeReason::kNoMoreMarket);
    case core::CancelReason::kCancelOnDisconnect:
      return "CancelOnDisconnect";
  }
  return "";
}

std::string order_flag_text(std::uint8_t flags) {
  std::string text;
  const auto add = [&](std::uint8_t flag, std::string_view name) {
    if ((flags & flag) == 0) return;
    if (!text.empty()) text += ", ";
    text += name;
  };
  add(core::kFlagAddedToBook, "AddedToBook");
  add(core::kFlagRemovedFromBook, "RemovedFromBook");
  return text.empty() ? "0" : text;
}

}  // namespace shmatch::tools
