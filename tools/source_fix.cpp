#include "tools/source_fix.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "tools/conversion.h"
#include "tools/fix_message.h"
#include "tools/line_reader.h"
#include "tools/log_time.h"
#include "tools/source_configuration.h"
#include "tools/whole_number.h"

namespace shmatch::tools {

namespace {

constexpr std::size_t kRecordSizeMax = 1 << 20;
constexpr core::OmsId kOmsId = 1;

using Account = ParticipantRegister::Account;

// Messages that are no orders, by name.
struct TypeName {
  std::string_view type;
  const char* name;
};
constexpr TypeName kOtherTypes[] = {
    {"0", "Heartbeat"},
    {"1", "TestRequest"},
    {"2", "ResendRequest"},
    {"3", "Reject"},
    {"4", "SequenceReset"},
    {"5", "Logout"},
    {"8", "ExecutionReport"},
    {"9", "OrderCancelReject"},
    {"A", "Logon"},
    {"H", "OrderStatusRequest"},
    {"q", "OrderMassCancelRequest"},
    {"r", "OrderMassCancelReport"},
    {"j", "BusinessMessageReject"},
};

const char* find_name(std::string_view type) {
  for (const TypeName& known : kOtherTypes) {
    if (known.type == type) return known.name;
  }
  return nullptr;
}

core::Side parse_side(std::string_view text) {
  if (text.empty()) return core::Side::kAbsent;
  if (text == "1") return core::Side::kBuy;
  if (text == "2") return core::Side::kSell;
  if (text == "5" || text == "6") return core::Side::kShort;
  return core::Side::kUnknown;
}

core::OrderType parse_order_type(std::string_view text) {
  if (text.empty()) return core::OrderType::kAbsent;
  if (text == "1") return core::OrderType::kMarket;
  if (text == "2") return core::OrderType::kLimit;
  if (text == "3") return core::OrderType::kStopMarket;
  if (text == "4") return core::OrderType::kStopLimit;
  return core::OrderType::kUnknown;
}

// What FIX takes an order for that says nothing.
bool is_day(std::string_view time_in_force) {
  return time_in_force.empty() || time_in_force == "0";
}

core::TimeInForce parse_time_in_force(std::string_view text) {
  // A replay has no end of the day.
  if (is_day(text) || text == "1") return core::TimeInForce::kGtc;
  if (text == "2") return core::TimeInForce::kOpg;
  if (text == "3") return core::TimeInForce::kIoc;
  if (text == "4") return core::TimeInForce::kFok;
  if (text == "5") return core::TimeInForce::kGtx;
  if (text == "6") return core::TimeInForce::kGtd;
  return core::TimeInForce::kUnknown;
}

// FIX allows a number to begin or end with its point.
core::Decimal parse_amount(std::string_view text) {
  if (text.empty()) return core::kDecimalAbsent;
  std::string spelled(text);
  if (spelled.front() == '.') spelled.insert(0, 1, '0');
  if (spelled.back() == '.') spelled.pop_back();
  core::Decimal value;
  return core::parse_decimal(spelled, value) ? value : core::kDecimalInvalid;
}

// The numbers that ClOrdIDs become: a plain number is its own, any other text gets the next free
// one above all those. Each party has its own texts; numbers are each party's own as well, because
// each has its own accounts.
class OrderRegister {
 public:
  struct Order {
    core::ClOrdId id = 0;
    const Account* account = nullptr;  // null until the order was sent
  };

  // The order that the party `sender` calls `cl_ord_id`.
  Order& find(std::string_view sender, std::string_view cl_ord_id) {
    const auto [order, added] = orders_.try_emplace(key(sender, cl_ord_id));
    if (added) order->second.id = number(cl_ord_id);
    return order->second;
  }

  // The venue's OrderID `order_id` of an order of `owner` was seen, with the ClOrdID in force.
  void name(std::string_view owner, std::string_view order_id, std::string_view cl_ord_id,
            bool replaced) {
    std::string& known = venue_ids_[key(owner, order_id)];
    if (known.empty() || replaced) known = cl_ord_id;
  }

  // The ClOrdID of the order that the venue calls `order_id`; empty when that is not known.
  std::string_view cl_ord_id(std::string_view owner, std::string_view order_id) const {
    const auto known = venue_ids_.find(key(owner, order_id));
    return known == venue_ids_.end() ? std::string_view() : std::string_view(known->second);
  }

  void restart() { *this = {}; }

 private:
  // Larger than the nanoseconds since 1970 that some use as ids.
  static constexpr core::ClOrdId kOwnNumberMax = 4'000'000'000'000'000'000;

  static std::string key(std::string_view party, std::string_view id) {
    std::string joined(party);
    joined += '\x01';
    return joined += id;
  }

  core::ClOrdId number(std::string_view text) {
    core::ClOrdId own = 0;
    const bool plain = text.front() != '0' && parse_whole(text, own);
    return plain && own > 0 && own <= kOwnNumberMax ? own : kOwnNumberMax + ++texts_;
  }

  std::unordered_map<std::string, Order> orders_;
  std::unordered_map<std::string, std::string> venue_ids_;
  core::ClOrdId texts_ = 0;
};

class FixReader final : public LogReader {
 public:
  explicit FixReader(InputFile& file) : records_(file, kRecordSizeMax, find_fix_end) {}

  Read read(Conversion& out) override {
    std::string_view record;
    switch (records_.next(record)) {
      case LineReader::Next::kLine:
        read_record(record, out);
        return Read::kRecord;
      case LineReader::Next::kEnd:
        return Read::kEnd;
      case LineReader::Next::kFault:
        break;
    }
    return Read::kFault;
  }

  void restart() override {
    records_.restart();
    orders_.restart();
    time_ = 0;
  }

  core::Configuration configuration() const override {
    core::Configuration configuration = parties_.configuration();
    configuration.capacities = kLeastCapacities;
    return configuration;
  }

 private:
  void read_record(std::string_view record, Conversion& out) {
    FixMessage message;
    bool any = false;
    for (; take_fix_message(record, message); any = true) {
      out.begin(records_.number());
      convert(message, out);
    }
    if (any || record.find_first_not_of(" \t") == std::string_view::npos) return;
    out.begin(records_.number());
    out.skip("line without a FIX message");
  }

  void convert(const FixMessage& message, Conversion& out) {
    if (!message.whole || message.type.empty()) {
      out.skip_malformed("FIX message without its end or its type", "cut off, or without field 35");
      return;
    }
    if (!message.checksum_right) out.remark("message with a wrong checksum, taken as it is");
    if (!parse_utc_timestamp(message.sending_time, time_)) {
      parse_utc_timestamp(message.transact_time, time_);
    }
    const bool cancels = message.type == "F" || message.type == "G";
    const bool enters = message.type == "D" || message.type == "G";
    if (!cancels && !enters) {
      skip_other(message, out);
    } else if (message.possible_dup == "Y") {
      out.skip("possible duplicate (43=Y)");
    } else if (message.sender.empty()) {
      out.skip_malformed("order message without a sender", "no field 49");
    } else if (enters && message.cl_ord_id.empty()) {
      out.skip_malformed("order without a ClOrdID", "no field 11");
    } else {
      convert_order(message, cancels, enters, out);
    }
  }

  void skip_other(const FixMessage& message, Conversion& out) {
    const bool report = message.type == "8" && !message.target.empty();
    if (report && !message.order_id.empty() && !message.cl_ord_id.empty()) {
      constexpr std::string_view kReplaced = "5";
      orders_.name(message.target, message.order_id, message.cl_ord_id,
                   message.order_status == kReplaced);
    }
    const char* name = find_name(message.type);
    if (name != nullptr) {
      out.skip("35=" + std::string(message.type) + " " + name);
    } else {
      out.unknown_type("35=" + std::string(message.type));
    }
  }

  void convert_order(const FixMessage& message, bool cancels, bool enters, Conversion& out) {
    const OrderRegister::Order* named = cancels ? named_order(message) : nullptr;
    const Account* account = account_of(message, named);
    core::InstrumentId instrument = 0;
    if (enters && !message.symbol.empty()) instrument = parties_.instrument(message.symbol);
    const bool no_room = enters && !message.symbol.empty() && instrument == 0;
    if (account == nullptr || no_room) {
      out.skip("more users, accounts or symbols than an engine can have");
      return;
    }
    if (cancels) send_cancel(named, *account, out);
    if (enters) send_order(message, *account, instrument, out);
    if (cancels && enters) out.remark("replace as a cancel and a new order");
  }

  // The order that a cancel or replace is about; null when it names none.
  const OrderRegister::Order* named_order(const FixMessage& message) {
    std::string_view cl_ord_id = message.orig_cl_ord_id;
    if (cl_ord_id.empty()) cl_ord_id = orders_.cl_ord_id(message.sender, message.order_id);
    return cl_ord_id.empty() ? nullptr : &orders_.find(message.sender, cl_ord_id);
  }

  // The account that the message names, else that of the order it is about, else the sender's own.
  const Account* account_of(const FixMessage& message, const OrderRegister::Order* named) {
    const bool given = !message.account.empty();
    if (!given && named != nullptr && named->account != nullptr) return named->account;
    return parties_.account(message.sender, message.account);
  }

  void send_cancel(const OrderRegister::Order* named, const Account& account, Conversion& out) {
    core::CancelOrder cancel;
    cancel.oms_id = kOmsId;
    cancel.account_id = account.id;
    if (named != nullptr) cancel.cl_ord_id = named->id;
    if (named == nullptr || named->account == nullptr) out.unknown_id();
    out.emit(time_, account.user, cancel);
  }

  void send_order(const FixMessage& message, const Account& account, core::InstrumentId instrument,
                  Conversion& out) {
    core::NewOrder order;
    order.oms_id = kOmsId;
    order.account_id = account.id;
    order.instrument_id = instrument;
    order.side = parse_side(message.side);
    order.order_type = parse_order_type(message.order_type);
    order.time_in_force = parse_time_in_force(message.time_in_force);
    order.set_quantity(parse_amount(message.quantity));
    order.set_limit_price(parse_amount(message.price));
    if (is_day(message.time_in_force)) out.remark("Day order as GTC");
    if (instrument != 0) {
      parties_.refine_increments(instrument, order.limit_price(), order.quantity());
    }
    OrderRegister::Order& known = orders_.find(message.sender, message.cl_ord_id);
    known.account = &account;
    order.cl_ord_id = known.id;
    out.emit(time_, account.user, order);
  }

  LineReader records_;
  ParticipantRegister parties_;
  OrderRegister orders_;
  core::TimeNs time_ = 0;  // of the last message that told one
};

}  // namespace

bool looks_like_fix(const FileHead& head) {
  const auto holds_message = [](std::string_view line) {
    FixMessage message;
    return take_fix_message(line, message) && !message.type.empty();
  };
  // A file of messages without line ends is one line, and its head not the whole of it.
  return any_line(head, holds_message) || holds_message(head.bytes);
}

std::unique_ptr<RequestSource> open_fix(std::unique_ptr<InputFile> file,
                                        const SourceOptions& /*options*/, ipc::Fault& fault) {
  auto reader = std::make_unique<FixReader>(*file);
  return converting_source({kFixName, false, true}, std::move(file), std::move(reader), fault);
}

}  // namespace shmatch::tools
