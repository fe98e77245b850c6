// Refusals: the API's texts to the letter, a sentence for every detail, configurations that cannot
// be served, and requests that are not what the protocol sends.
#include "core/reject.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "core/configuration.h"
#include "core/message.h"

namespace shmatch::core {
namespace {

std::string_view alice(UserId id, const void*) { return id == 10 ? "alice" : ""; }

std::string sentence(Detail detail, std::int64_t a = 0, std::int64_t b = 0) {
  return describe({ErrorCode::kNotFound, detail, a, b}, &alice, nullptr);
}

TEST(Reject, TextsAreTheApisOwn) {
  EXPECT_EQ(error_text(ErrorCode::kOk), "");
  EXPECT_EQ(error_text(ErrorCode::kNotAuthorized), "Not Authorized");
  EXPECT_EQ(error_text(ErrorCode::kInvalidRequest), "Invalid Request");
  EXPECT_EQ(error_text(ErrorCode::kOperationFailed), "Operation Failed");
  EXPECT_EQ(error_text(ErrorCode::kServerError), "Server Error");
  EXPECT_EQ(error_text(ErrorCode::kNotFound), "Resource Not Found");
  EXPECT_EQ(error_text(ErrorCode::kNotSupported), "Operation Not Supported");
  EXPECT_EQ(order_reject_text(Detail::kDuplicateClOrdId), "Invalid_ClientOrderId");
  EXPECT_EQ(order_reject_text(Detail::kMaxPriceLevels), "Max_Price_Levels");
}

TEST(Reject, EveryDetailHasItsOwnSentence) {
  std::set<std::string> sentences;
  for (std::uint16_t value = 1; value <= static_cast<std::uint16_t>(kDetailLast); ++value) {
    const std::string text = sentence(static_cast<Detail>(value), 1, 2);
    EXPECT_FALSE(text.empty()) << value;
    EXPECT_TRUE(sentences.insert(text).second) << text;
  }
  EXPECT_EQ(sentence(Detail::kNone), "");
}

TEST(Reject, SentencesNameTheirArguments) {
  EXPECT_EQ(sentence(Detail::kUnknownInstrument, 9), "Invalid InstrumentId: 9");
  EXPECT_EQ(sentence(Detail::kFieldMissing, static_cast<std::int64_t>(Field::kLimitPrice)),
            "LimitPrice is required");
  EXPECT_EQ(sentence(Detail::kFilled, 7, 19),
            "the order was filled by trade 7, engine sequence 19");
  EXPECT_EQ(sentence(Detail::kUnsupportedFeature, kFeaturePostOnly | kFeatureOco),
            "PostOnly, OrderIdOCO is not supported");
  EXPECT_EQ(sentence(Detail::kMaxPriceLevels, 64),
            "the engine has room for 64 price levels, all of it is taken, and the order would need "
            "one of its own");
}

TEST(Reject, UsersAreNamedWhenTheyAreKnown) {
  EXPECT_EQ(sentence(Detail::kCanceledByUser, 10, 5),
            "the order was canceled by user alice, engine sequence 5");
  EXPECT_EQ(sentence(Detail::kCanceledByUser, 11, 5),
            "the order was canceled by user 11, engine sequence 5");
  EXPECT_EQ(describe({ErrorCode::kNotFound, Detail::kCanceledByUser, 10, 5}, nullptr, nullptr),
            "the order was canceled by user 10, engine sequence 5");
}

TEST(Reject, EveryOrderRejectNamesItsLimit) {
  for (std::uint16_t value = 0; value <= static_cast<std::uint16_t>(kDetailLast); ++value) {
    const auto detail = static_cast<Detail>(value);
    EXPECT_EQ(is_order_reject(detail), !order_reject_text(detail).empty()) << value;
  }
}

Configuration servable() {
  Configuration configuration;
  configuration.instruments = {{1, "BTCUSD", {1, -2}, {1, -8}}, {2, "TEST", {1, 0}, {1, 0}}};
  configuration.accounts = {1, 2, 5};
  configuration.users = {{10, "alice", kPermissionTrading, {1, 5}}, {11, "bob", 0, {}}};
  return configuration;
}

TEST(FindFault, FindsNoneInAServableConfiguration) { EXPECT_EQ(find_fault(servable()), ""); }

TEST(FindFault, NamesEachFault) {
  struct Case {
    const char* word;  // of the sentence
    std::function<void(Configuration&)> damage;
  };
  const Case cases[] = {
      {"oms_id", [](auto& c) { c.oms_id = 0; }},
      {"oms_id", [](auto& c) { c.oms_id = kConfiguredIdMax + 1; }},
      {"no instrument", [](auto& c) { c.instruments.clear(); }},
      {"instrument id", [](auto& c) { c.instruments[0].id = -1; }},
      {"given twice", [](auto& c) { c.instruments[1].id = 1; }},
      {"symbol", [](auto& c) { c.instruments[1].symbol = ""; }},
      {"symbol", [](auto& c) { c.instruments[1].symbol = std::string(24, 'X'); }},
      {"printable", [](auto& c) { c.instruments[1].symbol = "A\n"; }},
      {"given twice", [](auto& c) { c.instruments[1].symbol = "BTCUSD"; }},
      {"tick",
       [](auto& c) {
         c.instruments[0].tick = {0, 0};
       }},
      {"tick",
       [](auto& c) {
         c.instruments[0].tick = {1001, 0};
       }},
      {"lot",
       [](auto& c) {
         c.instruments[0].lot = {1, -19};
       }},
      {"lot",
       [](auto& c) {
         c.instruments[0].lot = {1, 7};
       }},
      {"account",
       [](auto& c) {
         c.accounts = {0, 1, 5};
       }},
      {"out of order",
       [](auto& c) {
         c.accounts = {1, 5, 2};
       }},
      {"given twice",
       [](auto& c) {
         c.accounts = {1, 1, 5};
       }},
      {"no user", [](auto& c) { c.users.clear(); }},
      {"user id", [](auto& c) { c.users[0].id = 0; }},
      {"given twice", [](auto& c) { c.users[1].id = 10; }},
      {"given twice", [](auto& c) { c.users[1].name = "alice"; }},
      {"name", [](auto& c) { c.users[0].name = ""; }},
      {"permission", [](auto& c) { c.users[0].permissions = 8; }},
      {"account 9",
       [](auto& c) {
         c.users[0].accounts = {1, 9};
       }},
      {"twice",
       [](auto& c) {
         c.users[0].accounts = {1, 1};
       }},
      {"working_orders", [](auto& c) { c.capacities.working_orders = 0; }},
      {"finished_orders", [](auto& c) { c.capacities.finished_orders = (1U << 26) + 1; }},
      {"sessions", [](auto& c) { c.capacities.sessions = 4097; }},
      {"price_levels is 1048577, outside 1..1048576",
       [](auto& c) { c.capacities.price_levels = c.capacities.working_orders + 1; }},
      {"rate_burst",
       [](auto& c) {
         c.rate_per_second = 5;
         c.rate_burst = 0;
       }},
  };
  for (const Case& fault : cases) {
    Configuration configuration = servable();
    fault.damage(configuration);
    EXPECT_NE(find_fault(configuration).find(fault.word), std::string::npos)
        << fault.word << ": " << find_fault(configuration);
  }
}

template <class Message>
Request request_of(const Message& message) {
  Request request;
  request.assign(message);
  return request;
}

TEST(WellFormed, AcceptsWhatAssignMakes) {
  EXPECT_TRUE(well_formed(request_of(CancelOrder{})));
  EXPECT_TRUE(well_formed(request_of(NewOrder{})));
  EXPECT_TRUE(well_formed(request_of(OrderStatusQuery{})));
  EXPECT_TRUE(well_formed(request_of(OpenOrdersQuery{})));
  EXPECT_TRUE(well_formed(request_of(L2Query{})));
  EXPECT_TRUE(well_formed(request_of(Ping{})));
}

TEST(WellFormed, RefusesEveryOtherHeader) {
  for (unsigned type = 0; type < 256; ++type) {
    for (unsigned slots = 0; slots < 256; ++slots) {
      Request request = request_of(NewOrder{});
      request.words[0] = type | (slots << 8);
      const bool two_slots = type == static_cast<unsigned>(RequestType::kNewOrder);
      const bool known = type >= 1 && type <= static_cast<unsigned>(RequestType::kPing);
      EXPECT_EQ(well_formed(request), known && slots == (two_slots ? 2U : 1U))
          << type << ' ' << slots;
    }
  }
}

TEST(WellFormed, RefusesReservedBitsThatAreSet) {
  for (unsigned bit = 16; bit < 64; ++bit) {
    Request request = request_of(Ping{});
    request.words[0] |= std::uint64_t{1} << bit;
    EXPECT_FALSE(well_formed(request)) << bit;
  }
  NewOrder order;
  order.reserved = 1;
  EXPECT_FALSE(well_formed(request_of(order)));
}

}  // namespace
}  // namespace shmatch::core
