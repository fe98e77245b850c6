#include "tools/hdr_histogram.h"

#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cmath>

namespace shmatch::tools {

namespace {

// Of the public format: the low byte's 0x10 says that counts are packed into 1 to 9 bytes.
constexpr std::uint32_t kEncodingCookie = 0x1c84'9303 | 0x10;
constexpr std::uint32_t kCompressedCookie = 0x1c84'9304 | 0x10;
constexpr std::size_t kHeaderBytes = 40;
constexpr std::size_t kCompressedHeaderBytes = 8;
// No histogram of 61 bits and 5 digits is larger: what claims to be is damage or malice.
constexpr std::size_t kDecodedBytesMax = 96U << 20;

int width_of(std::uint64_t value) noexcept { return static_cast<int>(std::bit_width(value)); }

template <class Integer>
void put(std::string& bytes, Integer value) {
  for (int shift = 8 * (static_cast<int>(sizeof value) - 1); shift >= 0; shift -= 8) {
    bytes += static_cast<char>(static_cast<unsigned char>(value >> shift));
  }
}

template <class Integer>
Integer take(std::span<const unsigned char> bytes, std::size_t at) {
  Integer value = 0;
  for (std::size_t i = 0; i < sizeof value; ++i) value = value << 8 | bytes[at + i];
  return value;
}

// ZigZag, then 7 bits a byte, the lowest first; a ninth byte holds 8.
void put_packed(std::string& bytes, std::int64_t signed_value) {
  auto value = static_cast<std::uint64_t>(signed_value) << 1 ^
               static_cast<std::uint64_t>(signed_value >> 63);
  for (int i = 0; i < 8 && value >= 0x80; ++i) {
    bytes += static_cast<char>(static_cast<unsigned char>(value | 0x80));
    value >>= 7;
  }
  bytes += static_cast<char>(static_cast<unsigned char>(value));
}

// False when the bytes end in the middle of a number.
bool take_packed(std::span<const unsigned char>& bytes, std::int64_t& signed_value) {
  std::uint64_t value = 0;
  for (unsigned i = 0; i < 9; ++i) {
    if (bytes.empty()) return false;
    const std::uint64_t byte = bytes.front();
    bytes = bytes.subspan(1);
    const bool last = i == 8 || (byte & 0x80) == 0;
    value |= (last ? byte : byte & 0x7F) << (7 * i);
    if (last) break;
  }
  signed_value = static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
  return true;
}

}  // namespace

HdrHistogram::HdrHistogram(std::int64_t lowest, std::int64_t highest, int digits)
    : lowest_(lowest), highest_(highest), digits_(digits) {
  unit_magnitude_ = width_of(static_cast<std::uint64_t>(lowest)) - 1;
  // Below this many units each value has a place of its own.
  const auto single = static_cast<std::uint64_t>(2 * std::llround(std::pow(10, digits)));
  half_magnitude_ = std::max(width_of(single - 1), 1) - 1;
  counts_.resize(index_of(highest) + 1);
  // Whole buckets, as the others have them.
  const std::size_t half = std::size_t{1} << half_magnitude_;
  counts_.resize((counts_.size() + half - 1) / half * half);
}

std::size_t HdrHistogram::index_of(std::int64_t value) const noexcept {
  const auto bits = static_cast<std::uint64_t>(value);
  const std::uint64_t mask = ((std::uint64_t{2} << half_magnitude_) - 1) << unit_magnitude_;
  const int bucket = width_of(bits | mask) - unit_magnitude_ - half_magnitude_ - 1;
  const std::uint64_t place = bits >> (bucket + unit_magnitude_);
  return (static_cast<std::size_t>(bucket) << half_magnitude_) + place;
}

std::int64_t HdrHistogram::lowest_at(std::size_t index) const noexcept {
  const std::size_t half = std::size_t{1} << half_magnitude_;
  const std::size_t bucket = index < 2 * half ? 0 : (index >> half_magnitude_) - 1;
  const std::size_t place = index - (bucket << half_magnitude_);
  return static_cast<std::int64_t>(place << (bucket + static_cast<std::size_t>(unit_magnitude_)));
}

std::int64_t HdrHistogram::highest_at(std::size_t index) const noexcept {
  return lowest_at(index + 1) - 1;
}

void HdrHistogram::record(std::int64_t value, std::int64_t count) noexcept {
  counts_[index_of(std::clamp<std::int64_t>(value, 0, highest_))] += count;
  total_ += count;
}

void HdrHistogram::add(const HdrHistogram& other) noexcept {
  for (std::size_t i = 0; i < other.counts_.size(); ++i) {
    if (other.counts_[i] == 0) continue;
    record(other.lowest_at(i) + (other.highest_at(i) - other.lowest_at(i)) / 2, other.counts_[i]);
  }
}

void HdrHistogram::clear() noexcept {
  std::fill(counts_.begin(), counts_.end(), 0);
  total_ = 0;
}

std::size_t HdrHistogram::used() const noexcept {
  std::size_t end = counts_.size();
  while (end > 0 && counts_[end - 1] == 0) --end;
  return end;
}

std::int64_t HdrHistogram::max() const noexcept {
  const std::size_t end = used();
  return end == 0 ? 0 : highest_at(end - 1);
}

std::int64_t HdrHistogram::value_at(double fraction) const noexcept {
  // 0.999 times 20,000 is a little more than 19,980 in floating point, which must not count as
  // 19,981.
  const double product = std::clamp(fraction, 0.0, 1.0) * static_cast<double>(total_);
  const double wanted = std::ceil(std::nextafter(product, 0.0));
  const auto rank = std::max<std::int64_t>(1, static_cast<std::int64_t>(wanted));
  std::int64_t passed = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    passed += counts_[i];
    if (passed >= rank) return highest_at(i);
  }
  return 0;
}

double HdrHistogram::mean() const noexcept {
  double sum = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    const double middle = static_cast<double>(lowest_at(i) + highest_at(i)) / 2;
    sum += middle * static_cast<double>(counts_[i]);
  }
  return total_ == 0 ? 0 : sum / static_cast<double>(total_);
}

std::string HdrHistogram::encode() const {
  std::string counts;
  const std::size_t end = used();
  for (std::size_t i = 0; i < end;) {
    std::size_t zeros = 0;
    while (counts_[i + zeros] == 0) ++zeros;  // the last one is not 0
    put_packed(counts, zeros > 1 ? -static_cast<std::int64_t>(zeros) : counts_[i]);
    i += std::max<std::size_t>(zeros, 1);
  }
  std::string plain;
  put(plain, kEncodingCookie);
  put(plain, static_cast<std::uint32_t>(counts.size()));
  put(plain, std::uint32_t{0});  // where index 0 lies
  put(plain, static_cast<std::uint32_t>(digits_));
  put(plain, static_cast<std::uint64_t>(lowest_));
  put(plain, static_cast<std::uint64_t>(highest_));
  put(plain, std::bit_cast<std::uint64_t>(1.0));  // what one unit is worth
  plain += counts;

  uLongf size = compressBound(static_cast<uLong>(plain.size()));
  std::string packed(size, '\0');
  compress(reinterpret_cast<Bytef*>(packed.data()), &size,
           reinterpret_cast<const Bytef*>(plain.data()), static_cast<uLong>(plain.size()));
  packed.resize(size);
  std::string bytes;
  put(bytes, kCompressedCookie);
  put(bytes, static_cast<std::uint32_t>(packed.size()));
  return bytes + packed;
}

namespace {

// Inflates what fits into kDecodedBytesMax; empty when it is damaged or too large.
std::vector<unsigned char> inflated(std::span<const unsigned char> packed) {
  for (std::size_t room = 1U << 16; room <= kDecodedBytesMax; room *= 4) {
    std::vector<unsigned char> plain(room);
    auto size = static_cast<uLongf>(room);
    const int result =
        uncompress(plain.data(), &size, packed.data(), static_cast<uLong>(packed.size()));
    if (result == Z_BUF_ERROR) continue;
    if (result != Z_OK) return {};
    plain.resize(size);
    return plain;
  }
  return {};
}

}  // namespace

bool HdrHistogram::decode(std::span<const unsigned char> bytes, HdrHistogram& histogram,
                          std::string& fault) {
  if (bytes.size() < kCompressedHeaderBytes || take<std::uint32_t>(bytes, 0) != kCompressedCookie) {
    fault = "it is no histogram in HdrHistogram's compressed encoding V2";
    return false;
  }
  const std::vector<unsigned char> plain = inflated(bytes.subspan(kCompressedHeaderBytes));
  const std::span<const unsigned char> text(plain);
  fault = "the histogram is damaged";
  if (text.size() < kHeaderBytes || take<std::uint32_t>(text, 0) != kEncodingCookie) return false;
  const std::size_t counts_size = take<std::uint32_t>(text, 4);
  const auto digits = take<std::uint32_t>(text, 12);
  const auto lowest = static_cast<std::int64_t>(take<std::uint64_t>(text, 16));
  const auto highest = static_cast<std::int64_t>(take<std::uint64_t>(text, 24));
  // Some implementations give the whole range of the type as the maximum.
  if (counts_size > text.size() - kHeaderBytes || digits > 5 || lowest < 1 ||
      lowest > kMaxOfMax / 4 || highest / 2 < lowest) {
    return false;
  }
  HdrHistogram decoded(lowest, std::min(highest, kMaxOfMax), static_cast<int>(digits));
  if (!decoded.decode_counts(text.subspan(kHeaderBytes, counts_size))) return false;
  histogram = std::move(decoded);
  fault.clear();
  return true;
}

bool HdrHistogram::decode_counts(std::span<const unsigned char> bytes) {
  std::size_t index = 0;
  while (!bytes.empty()) {
    std::int64_t count = 0;
    if (!take_packed(bytes, count)) return false;
    if (count < 0) {
      if (static_cast<std::uint64_t>(-(count + 1)) >= counts_.size() - index) return false;
      index += static_cast<std::size_t>(-count);
    } else {
      if (index == counts_.size() || count > kMaxOfMax - total_) return false;
      counts_[index++] = count;
      total_ += count;
    }
  }
  return true;
}

}  // namespace shmatch::tools
