// A histogram of HdrHistogram's kind (hdrhistogram.org): counts of values from 0 to a fixed
// maximum, each value known to a number of significant decimal digits, in memory of a fixed size.
//
// Its buckets are those of the other implementations, so that its encoding can be read by them and
// theirs here: "V2" of the public format, zlib-compressed. Values have no unit here; this project
// records nanoseconds.
//
// Thread: one at a time. Recording allocates nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace shmatch::tools {

class HdrHistogram {
 public:
  static constexpr int kDigits = 3;                        // one part in a thousand
  static constexpr std::int64_t kMax = 3'600'000'000'000;  // an hour of nanoseconds
  static constexpr std::int64_t kMaxOfMax = std::int64_t{1} << 61;

  HdrHistogram() : HdrHistogram(1, kMax, kDigits) {}
  // Values from `lowest` (1 or more) on are told apart; values up to `highest` (at least twice
  // that, at most kMaxOfMax) can be recorded; `digits` is 0 to 5.
  HdrHistogram(std::int64_t lowest, std::int64_t highest, int digits);

  // A negative value counts as 0, one above the maximum as the maximum.
  void record(std::int64_t value, std::int64_t count = 1) noexcept;
  // Adds the other's counts, each at the middle of its bucket.
  void add(const HdrHistogram& other) noexcept;
  void clear() noexcept;

  std::int64_t count() const noexcept { return total_; }
  // The largest value that falls into the bucket of the largest recorded one; 0 when empty.
  std::int64_t max() const noexcept;
  // The largest value of the bucket in which the smallest value lies that at least `fraction`
  // (0 to 1) of all values do not exceed; 0 when empty.
  std::int64_t value_at(double fraction) const noexcept;
  double mean() const noexcept;

  // The V2 encoding, compressed by zlib.
  std::string encode() const;
  // False, and `fault` says why, when `bytes` are no compressed V2 encoding or not of sane size.
  static bool decode(std::span<const unsigned char> bytes, HdrHistogram& histogram,
                     std::string& fault);

  std::int64_t lowest() const noexcept { return lowest_; }
  std::int64_t highest() const noexcept { return highest_; }
  int digits() const noexcept { return digits_; }
  friend bool operator==(const HdrHistogram&, const HdrHistogram&) = default;

 private:
  std::size_t index_of(std::int64_t value) const noexcept;
  std::int64_t lowest_at(std::size_t index) const noexcept;
  std::int64_t highest_at(std::size_t index) const noexcept;
  std::size_t used() const noexcept;  // places up to the last count that is not 0
  bool decode_counts(std::span<const unsigned char> bytes);

  std::int64_t lowest_;
  std::int64_t highest_;
  int digits_;
  int unit_magnitude_;  // of the smallest bucket's width, as a power of two
  int half_magnitude_;  // of half the number of places in a bucket
  std::int64_t total_ = 0;
  std::vector<std::int64_t> counts_;
};

}  // namespace shmatch::tools
