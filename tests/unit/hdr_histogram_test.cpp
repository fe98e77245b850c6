// Histograms of HdrHistogram's kind against sorted samples, their encoding and their logs.
#include "tools/hdr_histogram.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "tests/unit/test_server.h"
#include "tools/hdr_log.h"

namespace shmatch::tools {
namespace {

// Round trips have bodies and long tails: log-normal, with a few far out.
std::vector<std::int64_t> some_values(std::uint32_t seed, std::size_t count) {
  std::mt19937 random(seed);
  std::lognormal_distribution<double> body(6, 1.5);
  std::vector<std::int64_t> values;
  for (std::size_t i = 0; i < count; ++i) {
    const double value = body(random) * (i % 97 == 0 ? 10'000 : 1);
    values.push_back(static_cast<std::int64_t>(value));
  }
  return values;
}

HdrHistogram histogram_of(const std::vector<std::int64_t>& values) {
  HdrHistogram histogram;
  for (const std::int64_t value : values) histogram.record(value);
  return histogram;
}

std::span<const unsigned char> bytes_of(const std::string& text) {
  return {reinterpret_cast<const unsigned char*>(text.data()), text.size()};
}

TEST(HdrHistogram, PercentilesAreThoseOfTheSortedSamples) {
  std::vector<std::int64_t> values = some_values(1, 20'000);
  const HdrHistogram histogram = histogram_of(values);
  std::sort(values.begin(), values.end());
  EXPECT_EQ(histogram.count(), 20'000);
  for (const double fraction : {0.0, 0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 0.9999, 1.0}) {
    const auto rank = static_cast<std::size_t>(
        std::max(1.0, std::ceil(fraction * static_cast<double>(values.size()))));
    const std::int64_t exact = values[rank - 1];
    EXPECT_GE(histogram.value_at(fraction), exact);
    EXPECT_LE(histogram.value_at(fraction), exact + exact / 1000) << fraction;
  }
  EXPECT_GE(histogram.max(), values.back());
  EXPECT_LE(histogram.max(), values.back() + values.back() / 1000);
}

TEST(HdrHistogram, RanksAreNotRoundedUpByFloatingPoint) {
  for (const int count : {10, 100, 1000, 20'000}) {
    HdrHistogram histogram(1, 1'000'000, 5);
    for (int value = 1; value <= count; ++value) histogram.record(value);
    for (const int percent : {1, 10, 50, 90, 99}) {
      if (count * percent % 100 != 0) continue;
      EXPECT_EQ(histogram.value_at(percent / 100.0), count * percent / 100) << count;
    }
    if (count % 1000 != 0) continue;
    EXPECT_EQ(histogram.value_at(0.999), count / 1000 * 999);
  }
}

TEST(HdrHistogram, SmallValuesAreExact) {
  HdrHistogram histogram;
  for (std::int64_t value = 0; value < 2048; ++value) {
    histogram.clear();
    histogram.record(value);
    ASSERT_EQ(histogram.value_at(0.5), value);
    ASSERT_EQ(histogram.max(), value);
    ASSERT_EQ(histogram.mean(), static_cast<double>(value));
  }
}

TEST(HdrHistogram, WhatIsOutOfRangeCountsAtItsEnds) {
  HdrHistogram histogram(1, 1'000'000, 3);
  histogram.record(-5);
  histogram.record(5'000'000);
  EXPECT_EQ(histogram.count(), 2);
  EXPECT_EQ(histogram.value_at(0.5), 0);
  EXPECT_GE(histogram.max(), 1'000'000);
  EXPECT_LE(histogram.max(), 1'001'000);
}

TEST(HdrHistogram, AnEmptyOneHasNothingToSay) {
  const HdrHistogram histogram;
  EXPECT_EQ(histogram.max(), 0);
  EXPECT_EQ(histogram.value_at(0.5), 0);
  EXPECT_EQ(histogram.mean(), 0);
}

TEST(HdrHistogram, ComesBackFromItsEncoding) {
  for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{50'000}}) {
    HdrHistogram histogram = histogram_of(some_values(2, count));
    // A count that needs nine bytes, and one alone behind a single zero.
    if (count == 1) histogram.record(3, std::int64_t{1} << 60);
    if (count == 1) histogram.record(5);
    HdrHistogram decoded;
    std::string fault;
    ASSERT_TRUE(HdrHistogram::decode(bytes_of(histogram.encode()), decoded, fault)) << fault;
    EXPECT_TRUE(decoded == histogram);
  }
}

TEST(HdrHistogram, OfAnotherGeometryKeepsIt) {
  HdrHistogram coarse(1000, 60'000'000'000, 2);
  coarse.record(123'456'789, 7);
  HdrHistogram decoded;
  std::string fault;
  ASSERT_TRUE(HdrHistogram::decode(bytes_of(coarse.encode()), decoded, fault)) << fault;
  EXPECT_EQ(decoded.lowest(), 1000);
  EXPECT_EQ(decoded.digits(), 2);
  EXPECT_EQ(decoded.highest(), 60'000'000'000);
  HdrHistogram fine;
  fine.add(decoded);
  EXPECT_EQ(fine.count(), 7);
  EXPECT_NEAR(static_cast<double>(fine.value_at(0.5)), 123'456'789, 123'456'789 * 0.01);
}

TEST(HdrHistogram, DamageIsRefusedOrHarmless) {
  const std::string good = histogram_of(some_values(3, 1000)).encode();
  HdrHistogram decoded;
  std::string fault;
  for (std::size_t size = 0; size < good.size(); ++size) {
    ASSERT_FALSE(HdrHistogram::decode(bytes_of(good.substr(0, size)), decoded, fault));
    ASSERT_FALSE(fault.empty());
  }
  std::mt19937 random(4);
  for (int i = 0; i < 5000; ++i) {
    std::string bad = good;
    bad[random() % bad.size()] ^= static_cast<char>(1 + random() % 255);
    // zlib's checksum finds it, or the byte was one of the length, which zlib does not need.
    HdrHistogram::decode(bytes_of(bad), decoded, fault);
  }
}

// A header that is whole and lies: the sizes in it decide how much memory is taken.
TEST(HdrHistogram, LyingHeadersAreRefused) {
  std::string plain(48, '\0');
  const auto put = [&](std::size_t at, std::uint64_t value, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) {
      plain[at + i] = static_cast<char>(value >> (8 * (size - 1 - i)));
    }
  };
  const auto decodes = [&] {
    uLongf size = compressBound(static_cast<uLong>(plain.size()));
    std::string packed(8 + size, '\0');
    compress(reinterpret_cast<Bytef*>(packed.data() + 8), &size,
             reinterpret_cast<const Bytef*>(plain.data()), static_cast<uLong>(plain.size()));
    packed.resize(8 + size);
    packed.replace(0, 4, "\x1c\x84\x93\x14");
    HdrHistogram decoded;
    std::string fault;
    return HdrHistogram::decode(bytes_of(packed), decoded, fault);
  };
  put(0, 0x1c84'9313, 4);
  put(4, 8, 4);
  put(12, 3, 4);
  put(16, 1, 8);
  put(24, 1'000'000, 8);
  EXPECT_TRUE(decodes());
  put(12, 6, 4);
  EXPECT_FALSE(decodes());
  put(12, 3, 4);
  put(16, 0, 8);
  EXPECT_FALSE(decodes());
  put(16, 1'000'000, 8);
  EXPECT_FALSE(decodes());
  put(16, 1, 8);
  put(4, 9, 4);
  EXPECT_FALSE(decodes());
  put(4, 8, 4);
  // A run of zeros that leaves the histogram.
  plain.replace(40, 8, std::string("\xff\xff\xff\xff\x0f\0\0\0", 8));
  EXPECT_FALSE(decodes());
}

TEST(Base64, IsRfc4648) {
  EXPECT_EQ(base64_text("f"), "Zg==");
  EXPECT_EQ(base64_text("fo"), "Zm8=");
  EXPECT_EQ(base64_text("foobar"), "Zm9vYmFy");
  std::string bytes;
  for (const std::string text : {"f", "fo", "foo", "foob"}) {
    ASSERT_TRUE(base64_bytes(base64_text(text), bytes));
    EXPECT_EQ(bytes, text);
  }
  for (const std::string text : {"", "Zg=", "Z===", "Zm9!", "Zm 9"}) {
    EXPECT_FALSE(base64_bytes(text, bytes)) << text;
  }
}

TEST(HdrLog, WhatIsWrittenIsRead) {
  const TemporaryFolder folder;
  const std::string path = folder.file("run.hlog");
  const HdrHistogram first = histogram_of(some_values(5, 300));
  const HdrHistogram second = histogram_of(some_values(6, 400));
  HdrLogWriter writer;
  ASSERT_EQ(writer.open(path, "a test", 1.7e9), "");
  writer.add("one", 0, 1, first);
  writer.add("other", 0, 1, first);
  writer.add("one", 1, 1, second);
  writer.add("empty", 1, 1, HdrHistogram());
  ASSERT_EQ(writer.close(), "");
  HdrLog log;
  ASSERT_EQ(read_hdr_log(path, log), "");
  ASSERT_EQ(log.size(), 2U);
  EXPECT_EQ(log.at("one").count(), 700);
  EXPECT_TRUE(log.at("other") == first);
}

TEST(HdrLog, OtherToolsLinesAreRead) {
  const TemporaryFolder folder;
  const std::string path = folder.file("run.hlog");
  HdrHistogram histogram;
  histogram.record(1000);
  std::ofstream(path) << "#[BaseTime: 5 (seconds since epoch)]\r\n\r\n"
                      << "0.1,1.0,0.001," << base64_text(histogram.encode()) << "\r\n";
  HdrLog log;
  ASSERT_EQ(read_hdr_log(path, log), "");
  EXPECT_EQ(log.at("").count(), 1);
}

TEST(HdrLog, TroubleIsNamedWithItsLine) {
  const TemporaryFolder folder;
  HdrLog log;
  EXPECT_NE(read_hdr_log(folder.file("none"), log), "");
  const std::string path = folder.file("run.hlog");
  for (const std::string line : {"x", "1,2,3", "1,2,3,!!!!", "1,2,3,AAAA", "1,2,3,HISTEw=="}) {
    std::ofstream(path) << "# a comment\n" << line << "\n";
    EXPECT_NE(read_hdr_log(path, log).find("run.hlog:2: "), std::string::npos) << line;
  }
  std::ofstream(path) << "# nothing else\n";
  EXPECT_NE(read_hdr_log(path, log).find("no histogram"), std::string::npos);
}

}  // namespace
}  // namespace shmatch::tools
