#include "tools/source_bitstamp.h"

#include <algorithm>
#include <array>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cctype>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/conversion.h"
#include "tools/csv_line.h"
#include "tools/default_configuration.h"
#include "tools/json.h"
#include "tools/line_reader.h"
#include "tools/log_names.h"
#include "tools/log_time.h"
#include "tools/whole_number.h"

namespace shmatch::tools {

namespace {

constexpr std::size_t kEventSizeMax = 1 << 16;
constexpr std::size_t kColumnsMax = 32;
constexpr std::string_view kEventPrefix = "order_";
constexpr std::string_view kChannelPrefix = "live_orders_";

// One event as the log has it, its texts not yet judged.
struct Event {
  std::string action;
  std::string id;
  std::string time;
  std::string price;
  std::string volume;  // what is left of the order
  std::string side;
  std::string symbol;  // empty where the log tells none
};

// Where the columns of a file with such lines lie; those that ob-analytics documents, until a line
// of names says otherwise.
struct Columns {
  std::size_t id = 0;
  std::size_t time = 1;
  std::size_t price = 3;
  std::size_t volume = 4;
  std::size_t action = 5;
  std::size_t side = 6;

  std::size_t last() const { return std::max({id, time, price, volume, action, side}); }
};

// The columns that a line of their names tells; nothing when it is no such line.
std::optional<Columns> parse_names(const std::vector<std::string_view>& fields) {
  const auto place = [&](std::string_view name) {
    return static_cast<std::size_t>(std::find(fields.begin(), fields.end(), name) - fields.begin());
  };
  const Columns columns{place("id"),     place("timestamp"), place("price"),
                        place("volume"), place("action"),    place("direction")};
  return columns.last() < fields.size() ? std::optional(columns) : std::nullopt;
}

bool parse_columns(const std::vector<std::string_view>& fields, const Columns& columns,
                   Event& event) {
  if (fields.size() <= columns.last()) return false;
  event.action = fields[columns.action];
  event.id = fields[columns.id];
  event.time = fields[columns.time];
  event.price = fields[columns.price];
  event.volume = fields[columns.volume];
  event.side = fields[columns.side];
  event.symbol.clear();
  return true;
}

// The text of the first of `keys` that `object` has as a number or string; empty when it has none.
std::string text_of(const JsonValue& object, std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) {
    for (const JsonMember& member : object.members) {
      const bool text = member.value.kind == JsonValue::Kind::kString ||
                        member.value.kind == JsonValue::Kind::kNumber;
      if (text && member.key == key) return member.value.text;
    }
  }
  return "";
}

// The object in `data`: there, or as JSON in a string.
bool parse_data(const JsonValue& root, JsonValue& data) {
  std::string fault;
  for (const JsonMember& member : root.members) {
    if (member.key != "data") continue;
    data = member.value;
    if (data.kind == JsonValue::Kind::kString && !parse_json(member.value.text, data, fault)) {
      return false;
    }
    return data.kind == JsonValue::Kind::kObject;
  }
  return false;
}

// False when `line` is no event in JSON. The action of one that is about something else is what it
// is called there.
bool parse_event(std::string_view line, Event& event) {
  JsonValue root;
  std::string fault;
  if (!parse_json(line, root, fault)) return false;
  event.action = text_of(root, {"event"});
  if (!event.action.starts_with(kEventPrefix)) return !event.action.empty();
  JsonValue data;
  if (!parse_data(root, data)) return false;
  event.action.erase(0, kEventPrefix.size());
  event.id = text_of(data, {"id_str", "id"});
  event.time = text_of(data, {"microtimestamp", "datetime"});
  event.price = text_of(data, {"price_str", "price"});
  event.volume = text_of(data, {"amount_str", "amount"});
  event.side = text_of(data, {"order_type"});
  event.symbol = text_of(root, {"channel"});
  const bool named = event.symbol.starts_with(kChannelPrefix);
  event.symbol.erase(0, named ? kChannelPrefix.size() : std::string::npos);
  for (char& c : event.symbol) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return true;
}

core::Side parse_side(std::string_view text) {
  if (text == "bid" || text == "0") return core::Side::kBuy;
  if (text == "ask" || text == "1") return core::Side::kSell;
  return core::Side::kUnknown;
}

class BitstampReader final : public LogReader {
 public:
  explicit BitstampReader(InputFile& file)
      : lines_(file, kEventSizeMax), configuration_(default_configuration()) {
    for (const core::User& user : configuration_.users) {
      for (const core::AccountId account : user.accounts) owners_.emplace(account, user.name);
    }
    for (std::size_t i = 0; i < configuration_.instruments.size(); ++i) {
      instruments_.emplace(configuration_.instruments[i].symbol, i);
    }
  }

  Read read(Conversion& out) override {
    std::string_view line;
    switch (lines_.next(line)) {
      case LineReader::Next::kLine:
        if (!line.empty()) read_line(line, out);
        return Read::kRecord;
      case LineReader::Next::kEnd:
        return Read::kEnd;
      case LineReader::Next::kFault:
        break;
    }
    return Read::kFault;
  }

  void restart() override {
    lines_.restart();
    columns_ = {};
    created_.clear();
  }

  core::Configuration configuration() const override { return configuration_; }

 private:
  void read_line(std::string_view line, Conversion& out) {
    out.begin(lines_.number());
    Event event;
    bool parsed = false;
    if (line.front() == '{') {
      parsed = parse_event(line, event);
    } else {
      split_csv(line, kColumnsMax, fields_);
      if (const auto names = parse_names(fields_)) {
        columns_ = *names;
        out.skip("names of the columns");
        return;
      }
      parsed = parse_columns(fields_, columns_, event);
    }
    if (parsed) {
      convert(event, out);
    } else {
      out.skip_malformed("line that is no event", line);
    }
  }

  void convert(const Event& event, Conversion& out) {
    if (event.action == "created") {
      create(event, out);
    } else if (event.action == "deleted") {
      remove(event, out);
    } else if (event.action == "changed" || event.action == "modified") {
      out.skip("changed: a fill, which matching brings about");
    } else {
      out.unknown_type(event.action);
    }
  }

  void create(const Event& event, Conversion& out) {
    core::NewOrder order;
    core::TimeNs time = 0;
    core::Decimal price;
    core::Decimal volume;
    order.side = parse_side(event.side);
    if (!parse_whole(event.id, order.cl_ord_id) || order.cl_ord_id <= 0 ||
        !parse_epoch(event.time, time) || !core::parse_decimal(event.price, price) ||
        !core::parse_decimal(event.volume, volume) || order.side == core::Side::kUnknown) {
      refuse(event, out);
      return;
    }
    core::Instrument* instrument = find_instrument(event.symbol);
    if (instrument == nullptr) {
      out.skip_malformed("symbol that cannot be configured", event.symbol);
      return;
    }
    refine(instrument->tick, price);
    refine(instrument->lot, volume);
    order.oms_id = configuration_.oms_id;
    order.account_id = account_of(order.cl_ord_id);
    order.instrument_id = instrument->id;
    order.order_type = core::OrderType::kLimit;
    order.set_limit_price(price);
    order.set_quantity(volume);
    created_.insert(order.cl_ord_id);
    out.emit(time, owners_.at(order.account_id), order);
  }

  void remove(const Event& event, Conversion& out) {
    core::CancelOrder cancel;
    core::TimeNs time = 0;
    core::Decimal left;
    if (!parse_whole(event.id, cancel.cl_ord_id) || cancel.cl_ord_id <= 0 ||
        !parse_epoch(event.time, time) || !core::parse_decimal(event.volume, left)) {
      refuse(event, out);
      return;
    }
    if (left == core::Decimal{}) {
      out.skip("deleted with nothing left: filled, which matching brings about");
      return;
    }
    if (!created_.contains(cancel.cl_ord_id)) out.unknown_id();
    cancel.oms_id = configuration_.oms_id;
    cancel.account_id = account_of(cancel.cl_ord_id);
    out.emit(time, owners_.at(cancel.account_id), cancel);
  }

  static void refuse(const Event& event, Conversion& out) {
    out.skip_malformed("event whose values make no sense",
                       event.action + ", id " + event.id + ", time " + event.time + ", price " +
                           event.price + ", volume " + event.volume + ", side " + event.side);
  }

  // The log tells nothing of accounts, so orders are dealt out to all of them.
  core::AccountId account_of(core::ClOrdId id) const {
    const auto accounts = static_cast<core::ClOrdId>(configuration_.accounts.size());
    return configuration_.accounts[static_cast<std::size_t>(id % accounts)];
  }

  // Null when there can be no such instrument.
  core::Instrument* find_instrument(const std::string& symbol) {
    std::vector<core::Instrument>& instruments = configuration_.instruments;
    if (symbol.empty()) return &instruments.front();
    const auto known = instruments_.find(symbol);
    if (known != instruments_.end()) return &instruments[known->second];
    const bool fit = symbol.size() <= core::kSymbolSizeMax &&
                     std::all_of(symbol.begin(), symbol.end(),
                                 [](unsigned char c) { return std::isalnum(c) != 0 || c == '/'; });
    if (!fit || instruments.size() >= core::kInstrumentsMax) return nullptr;
    instruments_.emplace(symbol, instruments.size());
    instruments.push_back({instruments.back().id + 1, symbol, {}, {}});
    return &instruments.back();
  }

  LineReader lines_;
  Columns columns_;
  std::vector<std::string_view> fields_;
  core::Configuration configuration_;
  std::map<core::AccountId, std::string_view> owners_;
  std::map<std::string, std::size_t> instruments_;  // symbol to place in the configuration
  boost::unordered_flat_set<core::ClOrdId> created_;
};

}  // namespace

bool looks_like_bitstamp(const FileHead& head) {
  std::vector<std::string_view> fields;
  return any_line(head, [&](std::string_view line) {
    Event event;
    if (line.starts_with('{')) {
      if (!parse_event(line, event)) return false;
    } else {
      split_csv(line, kColumnsMax, fields);
      if (parse_names(fields)) return true;
      if (!parse_columns(fields, Columns{}, event)) return false;
    }
    return (event.action == "created" || event.action == "changed" || event.action == "deleted") &&
           parse_side(event.side) != core::Side::kUnknown;
  });
}

std::unique_ptr<RequestSource> open_bitstamp(std::unique_ptr<InputFile> file,
                                             const SourceOptions& /*options*/, ipc::Fault& fault) {
  auto reader = std::make_unique<BitstampReader>(*file);
  return converting_source({kBitstampName, true, true}, std::move(file), std::move(reader), fault);
}

}  // namespace shmatch::tools
