#include "core/configuration_bytes.h"

#include <type_traits>

namespace shmatch::core {
namespace {

constexpr std::uint32_t kFormat = 2;

constexpr std::size_t kInstrumentBytesMin = 4 + 5 + 5 + 1;
constexpr std::size_t kAccountBytes = 4;
constexpr std::size_t kUserBytesMin = 4 + 1 + 1 + 4;

class ByteWriter {
 public:
  template <class Integer>
  void put(Integer value) {
    auto bits = static_cast<std::make_unsigned_t<Integer>>(value);
    for (std::size_t i = 0; i < sizeof(Integer); ++i) {
      bytes_ += static_cast<char>(bits >> (8 * i) & 0xFF);
    }
  }
  void put_id(std::int64_t id) { put(static_cast<std::uint32_t>(id)); }
  void put_count(std::size_t count) { put(static_cast<std::uint32_t>(count)); }
  void put_increment(Increment increment) {
    put(increment.mantissa);
    put(increment.exponent);
  }
  void put_text(std::string_view text) {
    put(static_cast<std::uint8_t>(text.size()));
    bytes_ += text;
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Reads fields while there are bytes; once one was missing, every value is 0 and good() is false.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  template <class Integer>
  Integer get() {
    using Bits = std::make_unsigned_t<Integer>;
    Bits bits = 0;
    const std::string_view field = get_bytes(sizeof(Integer));
    for (std::size_t i = 0; i < field.size(); ++i) {
      bits = static_cast<Bits>(bits | static_cast<Bits>(static_cast<std::uint8_t>(field[i]))
                                          << (8 * i));
    }
    return static_cast<Integer>(bits);
  }
  std::int64_t get_id() { return get<std::uint32_t>(); }
  // A number of things of at least `bytes_each` bytes, so one that memory may be taken for.
  std::size_t get_count(std::size_t bytes_each) {
    const std::size_t count = get<std::uint32_t>();
    good_ = good_ && count <= bytes_.size() / bytes_each;
    return good_ ? count : 0;
  }
  Increment get_increment() {
    const auto mantissa = get<std::int32_t>();
    return {mantissa, get<std::int8_t>()};
  }
  std::string get_text() { return std::string(get_bytes(get<std::uint8_t>())); }

  bool good() const { return good_; }
  bool at_end() const { return bytes_.empty(); }

 private:
  std::string_view get_bytes(std::size_t count) {
    good_ = good_ && count <= bytes_.size();
    if (!good_) return {};
    const std::string_view field = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return field;
  }

  std::string_view bytes_;
  bool good_ = true;
};

Instrument get_instrument(ByteReader& reader) {
  Instrument instrument;
  instrument.id = reader.get_id();
  instrument.tick = reader.get_increment();
  instrument.lot = reader.get_increment();
  instrument.symbol = reader.get_text();
  return instrument;
}

std::vector<AccountId> get_accounts(ByteReader& reader, std::size_t count) {
  std::vector<AccountId> accounts(count);
  for (AccountId& account : accounts) account = reader.get_id();
  return accounts;
}

User get_user(ByteReader& reader) {
  User user;
  user.id = reader.get_id();
  user.permissions = reader.get<std::uint8_t>();
  user.name = reader.get_text();
  user.accounts = get_accounts(reader, reader.get_count(kAccountBytes));
  return user;
}

}  // namespace

std::string encode_configuration(const Configuration& configuration) {
  ByteWriter writer;
  writer.put(kFormat);
  writer.put_id(configuration.oms_id);
  writer.put(configuration.capacities.working_orders);
  writer.put(configuration.capacities.finished_orders);
  writer.put(configuration.capacities.sessions);
  writer.put(configuration.capacities.levels());
  writer.put(configuration.rate_per_second);
  writer.put(configuration.rate_burst);
  writer.put_count(configuration.instruments.size());
  writer.put_count(configuration.accounts.size());
  writer.put_count(configuration.users.size());
  for (const Instrument& instrument : configuration.instruments) {
    writer.put_id(instrument.id);
    writer.put_increment(instrument.tick);
    writer.put_increment(instrument.lot);
    writer.put_text(instrument.symbol);
  }
  for (const AccountId account : configuration.accounts) writer.put_id(account);
  for (const User& user : configuration.users) {
    writer.put_id(user.id);
    writer.put(user.permissions);
    writer.put_text(user.name);
    writer.put_count(user.accounts.size());
    for (const AccountId account : user.accounts) writer.put_id(account);
  }
  return writer.take();
}

std::string decode_configuration(std::string_view bytes, Configuration& out) {
  ByteReader reader(bytes);
  const auto format = reader.get<std::uint32_t>();
  if (!reader.good() || format != kFormat) {
    return "the configuration is in format " + std::to_string(format) +
           ", which this version does not read";
  }
  Configuration configuration;
  configuration.oms_id = reader.get_id();
  configuration.capacities.working_orders = reader.get<std::uint32_t>();
  configuration.capacities.finished_orders = reader.get<std::uint32_t>();
  configuration.capacities.sessions = reader.get<std::uint32_t>();
  configuration.capacities.price_levels = reader.get<std::uint32_t>();
  configuration.rate_per_second = reader.get<std::uint32_t>();
  configuration.rate_burst = reader.get<std::uint32_t>();
  const std::size_t instruments = reader.get_count(kInstrumentBytesMin);
  const std::size_t accounts = reader.get_count(kAccountBytes);
  const std::size_t users = reader.get_count(kUserBytesMin);
  for (std::size_t i = 0; i < instruments && reader.good(); ++i) {
    configuration.instruments.push_back(get_instrument(reader));
  }
  configuration.accounts = get_accounts(reader, accounts);
  for (std::size_t i = 0; i < users && reader.good(); ++i) {
    configuration.users.push_back(get_user(reader));
  }
  if (!reader.good() || !reader.at_end()) {
    return "the configuration's bytes do not hold what their counts say";
  }
  // The default is spelled out, so that equal configurations have equal bytes.
  if (configuration.capacities.price_levels == 0) return "the capacity price_levels is 0";
  std::string fault = find_fault(configuration);
  if (fault.empty()) out = std::move(configuration);
  return fault;
}

}  // namespace shmatch::core
