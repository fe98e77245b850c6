#include "ipc/reference_data.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

namespace shmatch {
namespace {

constexpr std::uint64_t kMagic = 0x4645'5254'414D'4853;  // "SHMATREF"
constexpr std::uint32_t kVersion = 1;

// The bytes: one Header, its instruments ascending by id, its users ascending by id.
struct Header {
  std::uint64_t magic = kMagic;
  std::uint32_t version = kVersion;
  std::uint32_t reserved = 0;
  std::int64_t oms_id = 0;
  std::uint32_t instrument_count = 0;
  std::uint32_t user_count = 0;
};

struct InstrumentRow {
  std::int64_t id = 0;
  std::int32_t tick_mantissa = 0;
  std::int32_t lot_mantissa = 0;
  std::int8_t tick_exponent = 0;
  std::int8_t lot_exponent = 0;
  char symbol[core::kSymbolSizeMax + 1] = {};  // filled up with zeros
  char reserved[6] = {};
};

struct UserRow {
  std::int64_t id = 0;
  char name[core::kUserNameSizeMax + 1] = {};  // filled up with zeros
};

static_assert(sizeof(Header) == 32 && offsetof(Header, oms_id) == 16);
static_assert(sizeof(InstrumentRow) == 48 && offsetof(InstrumentRow, symbol) == 18);
static_assert(sizeof(UserRow) == 40 && offsetof(UserRow, name) == 8);

template <class Row>
void append(std::string& bytes, const Row& row) {
  static_assert(std::is_trivially_copyable_v<Row>);
  bytes.append(reinterpret_cast<const char*>(&row), sizeof row);
}

template <class Row>
Row take(std::span<const std::byte>& bytes) {
  static_assert(std::is_trivially_copyable_v<Row>);
  Row row;
  std::memcpy(static_cast<void*>(&row), bytes.data(), sizeof row);
  bytes = bytes.subspan(sizeof row);
  return row;
}

template <std::size_t Size>
void put_text(char (&field)[Size], std::string_view text) {
  std::copy_n(text.begin(), std::min(text.size(), Size - 1), field);
}

template <std::size_t Size>
std::string take_text(const char (&field)[Size]) {
  return std::string(field, std::find(field, field + Size, '\0'));
}

// The element with that id in a vector ascending by id, or null.
template <class Element>
const Element* find_id(const std::vector<Element>& elements, std::int64_t id) noexcept {
  const auto found = std::lower_bound(
      elements.begin(), elements.end(), id,
      [](const Element& element, std::int64_t wanted) { return element.id < wanted; });
  return found != elements.end() && found->id == id ? &*found : nullptr;
}

// Positive and strictly ascending: what find_id needs.
template <class Element>
bool ascending(const std::vector<Element>& elements) {
  std::int64_t previous = 0;
  return std::all_of(elements.begin(), elements.end(), [&previous](const Element& element) {
    return element.id > std::exchange(previous, element.id);
  });
}

constexpr auto kById = [](const auto& a, const auto& b) { return a.id < b.id; };

}  // namespace

ReferenceData::ReferenceData(const core::Configuration& configuration)
    : oms_id_(configuration.oms_id), instruments_(configuration.instruments) {
  users_.reserve(configuration.users.size());
  for (const core::User& user : configuration.users) users_.push_back({user.id, user.name});
  std::sort(instruments_.begin(), instruments_.end(), kById);
  std::sort(users_.begin(), users_.end(), kById);
}

const core::Instrument* ReferenceData::instrument(core::InstrumentId id) const noexcept {
  return find_id(instruments_, id);
}

std::string_view ReferenceData::user_name(core::UserId id) const noexcept {
  const UserName* user = find_id(users_, id);
  return user != nullptr ? std::string_view(user->name) : std::string_view();
}

std::string ReferenceData::describe(const core::Refusal& refusal) const {
  const auto name_of = [](core::UserId id, const void* context) {
    return static_cast<const ReferenceData*>(context)->user_name(id);
  };
  return core::describe(refusal, name_of, this);
}

std::string ReferenceData::serialize() const {
  Header header;
  header.oms_id = oms_id_;
  header.instrument_count = static_cast<std::uint32_t>(instruments_.size());
  header.user_count = static_cast<std::uint32_t>(users_.size());
  std::string bytes;
  bytes.reserve(sizeof header + instruments_.size() * sizeof(InstrumentRow) +
                users_.size() * sizeof(UserRow));
  append(bytes, header);
  for (const core::Instrument& instrument : instruments_) {
    InstrumentRow row;
    row.id = instrument.id;
    row.tick_mantissa = instrument.tick.mantissa;
    row.tick_exponent = instrument.tick.exponent;
    row.lot_mantissa = instrument.lot.mantissa;
    row.lot_exponent = instrument.lot.exponent;
    put_text(row.symbol, instrument.symbol);
    append(bytes, row);
  }
  for (const UserName& user : users_) {
    UserRow row;
    row.id = user.id;
    put_text(row.name, user.name);
    append(bytes, row);
  }
  return bytes;
}

bool ReferenceData::parse(std::span<const std::byte> bytes) {
  if (bytes.size() < sizeof(Header)) return false;
  const Header header = take<Header>(bytes);
  if (header.magic != kMagic || header.version != kVersion) return false;
  if (bytes.size() !=
      header.instrument_count * sizeof(InstrumentRow) + header.user_count * sizeof(UserRow)) {
    return false;
  }
  ReferenceData parsed;
  parsed.oms_id_ = header.oms_id;
  parsed.instruments_.reserve(header.instrument_count);
  for (std::uint32_t i = 0; i < header.instrument_count; ++i) {
    const InstrumentRow row = take<InstrumentRow>(bytes);
    parsed.instruments_.push_back({row.id,
                                   take_text(row.symbol),
                                   {row.tick_mantissa, row.tick_exponent},
                                   {row.lot_mantissa, row.lot_exponent}});
  }
  parsed.users_.reserve(header.user_count);
  for (std::uint32_t i = 0; i < header.user_count; ++i) {
    const UserRow row = take<UserRow>(bytes);
    parsed.users_.push_back({row.id, take_text(row.name)});
  }
  if (!ascending(parsed.instruments_) || !ascending(parsed.users_)) return false;
  *this = std::move(parsed);
  return true;
}

}  // namespace shmatch
