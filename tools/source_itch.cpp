#include "tools/source_itch.h"

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/conversion.h"
#include "tools/feed_converter.h"
#include "tools/log_names.h"

namespace shmatch::tools {

namespace {

// What the specification calls the messages, and how long they are.
struct MessageType {
  char type;
  std::uint8_t size;
  const char* name;
};

constexpr MessageType kMessageTypes[] = {
    {'S', 12, "system event"},
    {'R', 39, "stock directory"},
    {'H', 25, "trading action"},
    {'Y', 20, "Reg SHO restriction"},
    {'L', 26, "market participant position"},
    {'V', 35, "MWCB decline level"},
    {'W', 12, "MWCB status"},
    {'K', 28, "quoting period update"},
    {'J', 35, "LULD auction collar"},
    {'h', 21, "operational halt"},
    {'A', 36, "add order"},
    {'F', 40, "add order with MPID"},
    {'E', 31, "order executed"},
    {'C', 36, "order executed with price"},
    {'X', 23, "order cancel"},
    {'D', 19, "order delete"},
    {'U', 35, "order replace"},
    {'P', 44, "trade (non-cross)"},
    {'Q', 40, "cross trade"},
    {'B', 19, "broken trade"},
    {'I', 50, "net order imbalance"},
    {'N', 20, "retail price improvement"},
    {'O', 48, "direct listing with capital raise"},
};

// Null when the specification has no such type.
const MessageType* find_type(char type) {
  for (const MessageType& known : kMessageTypes) {
    if (known.type == type) return &known;
  }
  return nullptr;
}

// Where fields lie in a message.
constexpr std::size_t kLocateAt = 1;
constexpr std::size_t kTimeAt = 5;
constexpr std::size_t kTimeBytes = 6;
constexpr std::size_t kReferenceAt = 11;
constexpr std::size_t kAddSideAt = 19;
constexpr std::size_t kAddSharesAt = 20;
constexpr std::size_t kAddStockAt = 24;
constexpr std::size_t kAddPriceAt = 32;
constexpr std::size_t kStockBytes = 8;
constexpr std::size_t kExecutedSharesAt = 19;  // of E, C and X
constexpr std::size_t kNewReferenceAt = 19;
constexpr std::size_t kNewSharesAt = 27;
constexpr std::size_t kNewPriceAt = 31;

constexpr std::size_t kPrefixBytes = 2;
constexpr std::uint64_t kDayNs = 86'400'000'000'000;

template <std::size_t Bytes>
std::uint64_t big_endian(std::string_view message, std::size_t at) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < Bytes; ++i) {
    value = (value << 8) | static_cast<std::uint8_t>(message[at + i]);
  }
  return value;
}

// How a file tells where a message ends.
enum class Framing : std::uint8_t {
  kNone,      // it is no such file
  kPrefixed,  // two bytes in front: the message's length, or 0 where the type has to tell
  kBare,      // nothing: the type tells
};

// How many messages `head` begins with when `framing` is its framing, `enough` at most; 0 when that
// makes no sense of it. Behind the first one, types and lengths that the specification lacks are
// passed over where a prefix tells how far.
std::size_t count_messages(const FileHead& head, Framing framing, std::size_t enough) {
  const std::size_t prefix = framing == Framing::kPrefixed ? kPrefixBytes : 0;
  std::string_view rest = head.bytes;
  std::size_t count = 0;
  while (count < enough && rest.size() > prefix) {
    const MessageType* type = find_type(rest[prefix]);
    const std::uint64_t told = prefix > 0 ? big_endian<kPrefixBytes>(rest, 0) : 0;
    const bool known = type != nullptr && (told == 0 || told == type->size);
    if (!known && (told == 0 || count == 0)) return 0;
    const std::size_t size = prefix + (known ? type->size : told);
    if (rest.size() < size) break;
    if (known && big_endian<kTimeBytes>(rest, prefix + kTimeAt) >= kDayNs) return 0;
    rest.remove_prefix(size);
    count += known ? 1 : 0;
  }
  // One message may be chance, unless the file holds nothing else.
  const bool nothing_else = head.whole && rest.size() <= prefix;
  return count >= 2 || nothing_else ? count : 0;
}

Framing framing_of(const FileHead& head) {
  constexpr std::size_t kEnough = 16;
  if (count_messages(head, Framing::kPrefixed, kEnough) > 0) return Framing::kPrefixed;
  if (count_messages(head, Framing::kBare, kEnough) > 0) return Framing::kBare;
  return Framing::kNone;
}

class ItchReader final : public LogReader {
 public:
  ItchReader(InputFile& file, Framing framing) : file_(file), framing_(framing) {}

  Read read(Conversion& out) override {
    std::string_view message;
    const Cut cut = cut_message(message);
    if (cut == Cut::kEnd) return Read::kEnd;
    if (cut == Cut::kFault) return Read::kFault;
    out.begin(++number_);
    if (cut == Cut::kShort) {
      out.skip_malformed("message that the end of the file cuts off", "cut off");
      return Read::kRecord;
    }
    const MessageType* type = find_type(message.front());
    if (type == nullptr) {
      out.unknown_type(message.substr(0, 1));
    } else if (message.size() != type->size) {
      out.skip_malformed("message of another length than its type has",
                         std::string(type->name) + " of " + std::to_string(message.size()) +
                             " bytes, not " + std::to_string(type->size));
    } else {
      convert(*type, message, out);
    }
    file_.consume(message.size());
    return Read::kRecord;
  }

  void restart() override {
    number_ = 0;
    feed_.restart();
    fault_ = {};
  }

  core::Configuration configuration() const override {
    UniqueNames symbols(core::kSymbolSizeMax);
    std::vector<core::Instrument> instruments;
    for (const auto& [locate, stock] : stocks_) {
      instruments.push_back({locate, symbols.take(stock, "locate-"), kFeedTick, kFeedLot});
    }
    return FeedConverter::configuration(std::move(instruments));
  }

  ipc::Fault fault() const override { return fault_; }

 private:
  enum class Cut : std::uint8_t { kMessage, kShort, kEnd, kFault };

  // The next message, not yet consumed.
  Cut cut_message(std::string_view& message) {
    std::string_view bytes;
    std::uint64_t length = 0;
    if (framing_ == Framing::kPrefixed) {
      if (!file_.peek(kPrefixBytes + 1, bytes)) return Cut::kFault;
      if (bytes.empty()) return Cut::kEnd;
      if (bytes.size() >= kPrefixBytes) length = big_endian<kPrefixBytes>(bytes, 0);
      // A length of 0 with nothing behind it ends the session.
      if (bytes.size() == kPrefixBytes && length == 0) return file_end(Cut::kEnd, bytes.size());
      if (bytes.size() <= kPrefixBytes) return file_end(Cut::kShort, bytes.size());
      file_.consume(kPrefixBytes);
    }
    if (!file_.peek(1, bytes)) return Cut::kFault;
    if (bytes.empty()) return Cut::kEnd;
    if (length == 0) {
      const MessageType* type = find_type(bytes.front());
      if (type == nullptr) {
        fault_.text = file_.path() + ": offset " + std::to_string(file_.offset()) +
                      ": a message of an unknown type, and nothing tells its length";
        return Cut::kFault;
      }
      length = type->size;
    }
    if (!file_.peek(length, bytes)) return Cut::kFault;
    if (bytes.size() < length) return file_end(Cut::kShort, bytes.size());
    message = bytes.substr(0, length);
    return Cut::kMessage;
  }

  // What the last `size` bytes are, unless it was a fault that ended the file.
  Cut file_end(Cut what, std::size_t size) {
    file_.consume(size);
    return file_.fault() ? Cut::kFault : what;
  }

  void convert(const MessageType& type, std::string_view message, Conversion& out) {
    const auto time = static_cast<core::TimeNs>(big_endian<kTimeBytes>(message, kTimeAt));
    const auto shares_at = [&](std::size_t at) {
      return static_cast<std::int64_t>(big_endian<4>(message, at));
    };
    switch (type.type) {
      case 'A':
      case 'F':
        add(message, time, out);
        break;
      case 'E':
      case 'C':
        feed_.execute(out, time, reference(message), shares_at(kExecutedSharesAt));
        break;
      case 'X':
        feed_.reduce(out, time, reference(message), shares_at(kExecutedSharesAt));
        break;
      case 'D':
        feed_.remove(out, time, reference(message));
        break;
      case 'U':
        feed_.replace(out, time, reference(message), big_endian<8>(message, kNewReferenceAt),
                      shares_at(kNewPriceAt), shares_at(kNewSharesAt));
        break;
      default:
        out.skip(std::string(1, type.type) + " " + type.name);
        break;
    }
  }

  void add(std::string_view message, core::TimeNs time, Conversion& out) {
    const auto locate = static_cast<std::uint16_t>(big_endian<2>(message, kLocateAt));
    const char side = message[kAddSideAt];
    if (locate == 0 || (side != 'B' && side != 'S')) {
      out.skip_malformed("add order without a stock or a side", "stock locate or side is wrong");
      return;
    }
    const auto [stock, added] = stocks_.try_emplace(locate);
    if (added) stock->second = trimmed(message.substr(kAddStockAt, kStockBytes));
    FeedOrder order;
    order.instrument_id = locate;
    order.side = side == 'B' ? core::Side::kBuy : core::Side::kSell;
    order.quantity = static_cast<std::int64_t>(big_endian<4>(message, kAddSharesAt));
    order.price = static_cast<std::int64_t>(big_endian<4>(message, kAddPriceAt));
    feed_.add(out, time, reference(message), order);
  }

  static std::uint64_t reference(std::string_view message) {
    return big_endian<8>(message, kReferenceAt);
  }

  static std::string trimmed(std::string_view stock) {
    return std::string(stock.substr(0, stock.find_last_not_of(' ') + 1));
  }

  InputFile& file_;
  Framing framing_;
  std::uint64_t number_ = 0;  // of messages
  FeedConverter feed_;
  // Stocks that have orders: their locate is the InstrumentId.
  std::map<std::uint16_t, std::string> stocks_;
  ipc::Fault fault_;
};

}  // namespace

bool looks_like_itch(const FileHead& head) { return framing_of(head) != Framing::kNone; }

std::unique_ptr<RequestSource> open_itch(std::unique_ptr<InputFile> file,
                                         const SourceOptions& /*options*/, ipc::Fault& fault) {
  FileHead head;
  if (!read_head(*file, head, fault)) return nullptr;
  const Framing framing = framing_of(head);
  if (framing == Framing::kNone) {
    fault.text = file->path() + " does not begin with ITCH 5.0 messages";
    return nullptr;
  }
  auto reader = std::make_unique<ItchReader>(*file, framing);
  return converting_source({kItchName, true, true}, std::move(file), std::move(reader), fault);
}

}  // namespace shmatch::tools
