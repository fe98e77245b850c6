// A captured log of real orders through both engines, command by command. The numbers that must
// come out were published with the log. SHMATCH_DATA names the folder that has it; without it the
// test is skipped.
#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "tests/reference/lockstep.h"

namespace shmatch::reference {
namespace {

using namespace core;

constexpr const char* kLog = "/bitstamp-btcusd-l3/2015-05-01.requests.jsonl.xz";
constexpr UserId kObserver = 9;
constexpr std::uint32_t kFullCheckEvery = 2000;
constexpr SessionSlot kTraders = 4;

struct CloseStream {
  void operator()(std::FILE* stream) const { pclose(stream); }
};
using Stream = std::unique_ptr<std::FILE, CloseStream>;

Stream unpacked(const std::string& path) {
  return Stream(popen(("xz -dc '" + path + "'").c_str(), "r"));
}

bool read_line(std::FILE* stream, std::string& line) {
  line.clear();
  std::array<char, 4096> part;
  while (std::fgets(part.data(), static_cast<int>(part.size()), stream) != nullptr) {
    line += part.data();
    if (line.back() == '\n') return true;
  }
  return !line.empty();
}

// trader1 to trader4 with accounts K and K+4.
Configuration log_configuration() {
  Configuration configuration;
  configuration.instruments = {{1, "BTCUSD", {1, -2}, {1, -8}}};
  for (UserId user = 1; user <= UserId{kTraders}; ++user) {
    configuration.users.push_back(
        {user, "trader" + std::to_string(user), kPermissionTrading, {user, user + kTraders}});
  }
  configuration.users.push_back({kObserver, "observer", kPermissionOperator, {}});
  for (AccountId account = 1; account <= AccountId{2 * kTraders}; ++account) {
    configuration.accounts.push_back(account);
  }
  configuration.capacities = {1 << 15, 1 << 15, kTraders + 1};
  return configuration;
}

// One line of the log.
class Frame {
 public:
  explicit Frame(const std::string& line) {
    // Numbers stay text, because a double cannot hold every decimal.
    document_.Parse<rapidjson::kParseNumbersAsStringsFlag>(line.data(), line.size());
  }

  bool good() const { return !document_.HasParseError() && document_.IsObject(); }
  bool is(const char* function) const {
    return function == std::string(document_["n"].GetString());
  }
  TimeNs time() const { return number(document_, "t"); }
  // Trader K sits in session slot K - 1.
  SessionSlot slot() const {
    return static_cast<SessionSlot>(std::string(document_["u"].GetString()).back() - '1');
  }

  Request request() const {
    Request request;
    if (is("CancelOrder")) {
      request.assign(cancel_order());
    } else {
      request.assign(new_order());
    }
    return request;
  }

 private:
  CancelOrder cancel_order() const {
    const rapidjson::Value& object = document_["o"];
    CancelOrder cancel;
    cancel.oms_id = number(object, "OMSId");
    cancel.account_id = number(object, "AccountId");
    cancel.cl_ord_id = number(object, "ClOrderId");
    return cancel;
  }

  NewOrder new_order() const {
    const rapidjson::Value& object = document_["o"];
    NewOrder order;
    order.oms_id = number(object, "OMSId");
    order.account_id = number(object, "AccountId");
    order.cl_ord_id = number(object, "ClientOrderId");
    order.instrument_id = number(object, "InstrumentId");
    order.side = static_cast<Side>(number(object, "Side"));
    order.order_type = static_cast<OrderType>(number(object, "OrderType"));
    order.time_in_force = static_cast<TimeInForce>(number(object, "TimeInForce"));
    order.set_quantity(decimal(object, "Quantity"));
    order.set_limit_price(decimal(object, "LimitPrice"));
    return order;
  }

  static std::int64_t number(const rapidjson::Value& object, const char* name) {
    return std::strtoll(object[name].GetString(), nullptr, 10);
  }

  static Decimal decimal(const rapidjson::Value& object, const char* name) {
    Decimal value;
    EXPECT_TRUE(parse_decimal(object[name].GetString(), value));
    return value;
  }

  rapidjson::Document document_;
};

// What came of the frames.
struct Count {
  int orders = 0;
  int cancels_done = 0;
  int cancels_refused = 0;
};

void log_traders_on(Lockstep& lockstep) {
  for (SessionSlot slot = 0; slot < kTraders; ++slot) {
    Command command;
    command.kind = Command::Kind::kLogon;
    command.slot = slot;
    command.logon.user_id = UserId{slot} + 1;
    command.logon.whole_objects = slot % 2 == 0;
    ASSERT_EQ(lockstep.apply(command), Difference());
  }
}

void run_log(std::FILE* log, Lockstep& lockstep, Count& count) {
  Command command;
  std::string line;
  while (read_line(log, line)) {
    const Frame frame(line);
    ASSERT_TRUE(frame.good()) << line;
    ++command.id;
    command.slot = frame.slot();
    command.now = frame.time();
    command.request = frame.request();
    const Difference difference = lockstep.apply(command);
    ASSERT_FALSE(difference.has_value()) << line << *difference;
    if (frame.is("SendOrder")) {
      count.orders += lockstep.refusal().code == ErrorCode::kOk;
    } else if (lockstep.refusal().code == ErrorCode::kOk) {
      ++count.cancels_done;
    } else {
      EXPECT_EQ(lockstep.refusal().code, ErrorCode::kNotFound) << line;
      ++count.cancels_refused;
    }
  }
  const Difference difference = lockstep.check_everything(command.now);
  ASSERT_FALSE(difference.has_value()) << *difference;
}

TEST(CapturedLog, both_engines_agree_on_every_frame_and_on_the_published_numbers) {
  const char* data = std::getenv("SHMATCH_DATA");
  if (data == nullptr) GTEST_SKIP() << "SHMATCH_DATA does not name a folder with captured logs";
  const Stream log = unpacked(data + std::string(kLog));
  ASSERT_NE(log, nullptr);
  Logon observer;
  observer.user_id = kObserver;
  Lockstep lockstep(log_configuration(), observer, kFullCheckEvery);
  Count count;
  ASSERT_NO_FATAL_FAILURE(log_traders_on(lockstep));
  ASSERT_NO_FATAL_FAILURE(run_log(log.get(), lockstep, count));

  EXPECT_EQ(count.orders, 24'894);
  EXPECT_EQ(count.cancels_done, 24'133);
  EXPECT_EQ(count.cancels_refused, 205);
  EXPECT_EQ(lockstep.fast().trade_count(), 557U);
  EXPECT_EQ(lockstep.reference().book(1)->levels(Side::kBuy).size(), 96U);
  EXPECT_EQ(lockstep.reference().book(1)->levels(Side::kSell).size(), 81U);
}

}  // namespace
}  // namespace shmatch::reference
