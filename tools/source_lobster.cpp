#include "tools/source_lobster.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/conversion.h"
#include "tools/csv_line.h"
#include "tools/feed_converter.h"
#include "tools/line_reader.h"
#include "tools/log_names.h"
#include "tools/log_time.h"
#include "tools/whole_number.h"

namespace shmatch::tools {

namespace {

// A message has six short columns; some files add the participant's.
constexpr std::size_t kColumnsMin = 6;
constexpr std::size_t kColumnsMax = 8;
constexpr std::size_t kMessageSizeMax = 4096;
constexpr core::InstrumentId kInstrument = 1;

// The file's own numbers of event types.
enum Event : std::uint8_t {
  kNewOrder = 1,
  kPartialCancel = 2,
  kDelete = 3,
  kVisibleExecution = 4,
  kHiddenExecution = 5,
  kCrossTrade = 6,
  kHalt = 7,
};

struct Message {
  core::TimeNs time = 0;  // since midnight
  std::uint32_t type = 0;
  std::int64_t id = 0;
  std::int64_t size = 0;
  std::int64_t price = 0;      // dollars times 10,000
  std::int32_t direction = 0;  // of the resting order: 1 buy, -1 sell
};

bool parse_message(std::string_view line, std::vector<std::string_view>& columns,
                   Message& message) {
  split_csv(line, kColumnsMax, columns);
  return columns.size() >= kColumnsMin && parse_seconds(columns[0], message.time) &&
         parse_whole(columns[1], message.type) && parse_whole(columns[2], message.id) &&
         parse_whole(columns[3], message.size) && parse_whole(columns[4], message.price) &&
         parse_whole(columns[5], message.direction);
}

// What the name of a message file tells: TICKER_2012-06-21_34200000_57600000_message_10.csv
struct NamedDay {
  std::string symbol;
  core::TimeNs midnight = 0;
};

// Cuts the part behind the last '_' off `name`.
std::string_view cut_last(std::string_view& name) {
  const std::size_t line = name.rfind('_');
  if (line == std::string_view::npos) return std::exchange(name, {});
  const std::string_view part = name.substr(line + 1);
  name = name.substr(0, line);
  return part;
}

NamedDay read_name(std::string_view path) {
  std::string_view name = path.substr(path.rfind('/') + 1);
  name = name.substr(0, name.rfind("_message_"));
  std::uint64_t milliseconds = 0;
  const bool to = parse_whole(cut_last(name), milliseconds);
  const bool from = parse_whole(cut_last(name), milliseconds);
  NamedDay named;
  if (to && from && parse_day(cut_last(name), '-', named.midnight)) named.symbol = name;
  return named;
}

class LobsterReader final : public LogReader {
 public:
  explicit LobsterReader(InputFile& file)
      : lines_(file, kMessageSizeMax), named_(read_name(file.path())) {}

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
    feed_.restart();
  }

  core::Configuration configuration() const override {
    UniqueNames symbols(core::kSymbolSizeMax);
    return FeedConverter::configuration(
        {{kInstrument, symbols.take(named_.symbol, "LOBSTER-"), kFeedTick, kFeedLot}});
  }

 private:
  void read_line(std::string_view line, Conversion& out) {
    out.begin(lines_.number());
    Message message;
    if (parse_message(line, columns_, message)) {
      convert(message, out);
    } else {
      out.skip_malformed("line that is no message", line);
    }
  }

  void convert(const Message& message, Conversion& out) {
    const core::TimeNs time = named_.midnight + message.time;
    const auto id = static_cast<std::uint64_t>(message.id);
    switch (message.type) {
      case kNewOrder:
        add(message, time, out);
        break;
      case kPartialCancel:
        if (sensible(message, out)) feed_.reduce(out, time, id, message.size);
        break;
      case kDelete:
        feed_.remove(out, time, id);
        break;
      case kVisibleExecution:
        if (sensible(message, out)) feed_.execute(out, time, id, message.size);
        break;
      case kHiddenExecution:
        out.skip("execution of a hidden order");
        break;
      case kCrossTrade:
        out.skip("cross trade");
        break;
      case kHalt:
        out.skip("trading halt");
        break;
      default:
        out.unknown_type(std::to_string(message.type));
        break;
    }
  }

  void add(const Message& message, core::TimeNs time, Conversion& out) {
    if (!sensible(message, out)) return;
    FeedOrder order;
    order.instrument_id = kInstrument;
    order.side = message.direction == 1 ? core::Side::kBuy : core::Side::kSell;
    order.price = message.price;
    order.quantity = message.size;
    feed_.add(out, time, static_cast<std::uint64_t>(message.id), order);
  }

  static bool sensible(const Message& message, Conversion& out) {
    const bool side = message.direction == 1 || message.direction == -1;
    if (side && message.size > 0 && message.price > 0) return true;
    out.skip_malformed("message without a size, price or direction",
                       "size, price or direction is wrong");
    return false;
  }

  LineReader lines_;
  NamedDay named_;
  FeedConverter feed_;
  std::vector<std::string_view> columns_;
};

}  // namespace

bool looks_like_lobster(const FileHead& head) {
  std::vector<std::string_view> columns;
  return any_line(head, [&](std::string_view line) {
    constexpr core::TimeNs kDay = 86'400'000'000'000;
    Message message;
    return parse_message(line, columns, message) && message.time < kDay &&
           message.type >= kNewOrder && message.type <= kHalt &&
           (message.direction == 1 || message.direction == -1);
  });
}

std::unique_ptr<RequestSource> open_lobster(std::unique_ptr<InputFile> file,
                                            const SourceOptions& /*options*/, ipc::Fault& fault) {
  auto reader = std::make_unique<LobsterReader>(*file);
  return converting_source({kLobsterName, true, true}, std::move(file), std::move(reader), fault);
}

}  // namespace shmatch::tools
