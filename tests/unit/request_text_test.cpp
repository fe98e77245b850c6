#include "tools/request_text.h"

#include <gtest/gtest.h>

#include <cstring>

#include "tests/unit/random.h"
#include "tests/unit/replay_log.h"
#include "tools/request_codec.h"

namespace shmatch::tools {
namespace {

ReferenceData reference() { return ReferenceData(small_configuration()); }

// What `exec` and the importers make of a frame.
core::Request read_back(const std::string& frame) {
  const Line line = parse_line(frame);
  EXPECT_EQ(line.kind, LineKind::kFrame) << line.fault << " in " << frame;
  const std::optional<Function> function = find_function(line.frame.function);
  EXPECT_TRUE(function.has_value()) << frame;
  const EncodedRequest encoded = encode_request(*function, line.frame);
  EXPECT_FALSE(encoded.refused()) << encoded.fault << " in " << frame;
  return encoded.request;
}

template <class Message>
core::Request request_of(const Message& message) {
  core::Request request;
  request.assign(message);
  return request;
}

bool equal(const core::Request& a, const core::Request& b) {
  return a.slots() == b.slots() &&
         std::memcmp(a.words, b.words, a.slots() * core::kSlotWords * 8) == 0;
}

TEST(RequestText, FramesReadBackAsTheSameRequest) {
  tests::Random random(11);
  const auto pick = [&](std::initializer_list<std::int64_t> values) {
    return *(values.begin() + random.below(values.size()));
  };
  for (int round = 0; round < 20'000; ++round) {
    core::NewOrder order;
    order.oms_id = 1;
    order.account_id = pick({0, 1, 77, INT64_MAX});
    order.instrument_id = pick({0, 3, 8});
    order.cl_ord_id = pick({0, 5, INT64_MAX});
    order.side = static_cast<core::Side>(pick({0, 1, 2, 3, 9, 255}));
    order.order_type = static_cast<core::OrderType>(pick({0, 1, 2, 7, 100, 255}));
    order.time_in_force = static_cast<core::TimeInForce>(pick({0, 1, 3, 4, 250}));
    // As the codec makes them: without zeros at the end.
    order.set_quantity({pick({1, -1, 123'456'789, INT64_MAX}),
                        static_cast<std::int8_t>(pick({0, 3, -8, -40, 40}))});
    if (random.one_in(8)) order.set_quantity(core::kDecimalAbsent);
    order.set_limit_price({pick({1, 25}), static_cast<std::int8_t>(pick({0, -2}))});
    if (random.one_in(8)) order.set_limit_price(core::kDecimalInvalid);
    if (random.one_in(8)) order.set_limit_price(core::kDecimalHuge);
    order.features = static_cast<std::uint16_t>(random.below(16));
    const core::Request request = request_of(order);
    const std::string frame = request_frame(request, reference(), 1, 5, "alice");
    ASSERT_TRUE(equal(read_back(frame), request)) << frame;

    core::CancelOrder cancel;
    cancel.oms_id = pick({1, 2});
    cancel.account_id = pick({0, 1});
    cancel.order_id = pick({0, 99});
    cancel.cl_ord_id = pick({0, 98});
    const core::Request cancelling = request_of(cancel);
    ASSERT_TRUE(equal(read_back(request_frame(cancelling, reference(), 1, 5, "")), cancelling));
  }
}

TEST(RequestText, CountedAmountsBecomeDecimals) {
  core::Configuration configuration = small_configuration();
  configuration.instruments[0].tick = {25, -2};
  configuration.instruments[0].lot = {1, -8};
  core::NewOrder order;
  order.oms_id = 1;
  order.instrument_id = 3;
  order.set_quantity(core::in_increments(150'000'000));
  order.set_limit_price(core::in_increments(3));
  const std::string json = request_json(request_of(order), ReferenceData(configuration));
  EXPECT_NE(json.find(R"("Quantity":1.5)"), std::string::npos) << json;
  EXPECT_NE(json.find(R"("LimitPrice":0.75)"), std::string::npos) << json;
}

TEST(RequestText, QueriesAndPingsHaveFrames) {
  core::L2Query query;
  query.oms_id = 1;
  query.instrument_id = 3;
  query.depth = 10;
  EXPECT_TRUE(equal(read_back(request_frame(request_of(query), reference(), 1, 5, "bob")),
                    request_of(query)));
  EXPECT_TRUE(equal(read_back(request_frame(request_of(core::Ping{}), reference(), 1, 5, "bob")),
                    request_of(core::Ping{})));
}

TEST(RequestText, SentencesNameWhatIsAskedFor) {
  core::CancelOrder cancel;
  EXPECT_EQ(request_sentence(request_of(cancel), reference()), "CancelOrder without a key");
  cancel.order_id = 4;
  EXPECT_EQ(request_sentence(request_of(cancel), reference()), "CancelOrder order 4");
  core::NewOrder order;
  order.side = core::Side::kSell;
  order.order_type = core::OrderType::kMarket;
  order.instrument_id = 9;
  order.account_id = 2;
  order.set_quantity({7, 0});
  EXPECT_EQ(request_sentence(request_of(order), reference()),
            "SendOrder Sell 7 instrument 9 Market, GTC, account 2");
}

}  // namespace
}  // namespace shmatch::tools
