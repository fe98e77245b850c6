// Files through a window, in each compression, whole, cut and damaged; lines; times as logs write
// them.
#include "tools/input_file.h"

#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "tests/unit/random.h"
#include "tests/unit/source_harness.h"
#include "tools/line_reader.h"
#include "tools/log_time.h"

namespace shmatch::tests {
namespace {

using tools::InputFile;
using tools::LineReader;

std::string gzip(std::string_view text) {
  std::string packed(compressBound(text.size()) + 64, '\0');
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

std::string xz(std::string_view text) {
  std::string packed(lzma_stream_buffer_bound(text.size()), '\0');
  std::size_t size = 0;
  EXPECT_EQ(lzma_easy_buffer_encode(
                3, LZMA_CHECK_CRC64, nullptr, reinterpret_cast<const std::uint8_t*>(text.data()),
                text.size(), reinterpret_cast<std::uint8_t*>(packed.data()), &size, packed.size()),
            LZMA_OK);
  packed.resize(size);
  return packed;
}

// With the checksum that the command line tool adds.
std::string zstd(std::string_view text) {
  const std::unique_ptr<ZSTD_CCtx, std::size_t (*)(ZSTD_CCtx*)> context(ZSTD_createCCtx(),
                                                                        &ZSTD_freeCCtx);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
  std::string packed(ZSTD_compressBound(text.size()), '\0');
  const std::size_t size =
      ZSTD_compress2(context.get(), packed.data(), packed.size(), text.data(), text.size());
  EXPECT_EQ(ZSTD_isError(size), 0U);
  packed.resize(size);
  return packed;
}

std::string plain(std::string_view text) { return std::string(text); }

struct Packer {
  const char* name;
  std::string (*pack)(std::string_view text);
};
constexpr Packer kCompressions[] = {{"gzip", gzip}, {"xz", xz}, {"zstd", zstd}};

// Lines of different lengths that do not compress too well.
std::string sample(std::size_t size) {
  Random random(7);
  std::string text;
  while (text.size() < size) {
    for (std::uint64_t n = random.below(200); n > 0; --n) {
      text += static_cast<char>(' ' + random.below(94));
    }
    text += '\n';
  }
  return text;
}

std::unique_ptr<InputFile> open(const ScratchFile& file) {
  ipc::Fault fault;
  std::unique_ptr<InputFile> input = InputFile::open(file.path(), fault);
  EXPECT_EQ(fault.text, "");
  return input;
}

// Everything up to the end or a fault, by steps of different sizes.
std::string read_all(InputFile& input) {
  Random random(3);
  std::string text;
  std::string_view bytes;
  while (input.peek(1 + random.below(5000), bytes) && !bytes.empty()) {
    const std::size_t size = 1 + random.below(bytes.size());
    text += bytes.substr(0, size);
    input.consume(size);
    EXPECT_EQ(input.offset(), text.size());
  }
  return text;
}

TEST(InputFile, ReadsEachCompressionTwiceAndInSeveralParts) {
  const std::string text = sample(700'000);
  const ScratchFile file("");
  for (const auto& [name, pack] :
       {kCompressions[0], kCompressions[1], kCompressions[2], Packer{"plain", plain}}) {
    SCOPED_TRACE(name);
    const std::string_view half = std::string_view(text).substr(0, 300'001);
    file.write(pack(half) + pack(std::string_view(text).substr(half.size())));
    const auto input = open(file);
    EXPECT_EQ(read_all(*input), text);
    EXPECT_EQ(input->progress(), 1.0);
    EXPECT_EQ(input->rewind().text, "");
    EXPECT_EQ(input->progress() < 1.0, true);
    EXPECT_EQ(read_all(*input), text);
    EXPECT_EQ(input->fault().text, "");
  }
}

TEST(InputFile, EmptyFilesAreEmpty) {
  const ScratchFile file("");
  for (const auto& [name, pack] : kCompressions) {
    EXPECT_EQ(read_all(*open(file)), "") << name;
    file.write(pack(""));
  }
}

TEST(InputFile, AFileThatEndsTooEarlyGivesWhatItHasAndAFault) {
  const std::string text = sample(20'000);
  const ScratchFile file("");
  for (const auto& [name, pack] : kCompressions) {
    const std::string packed = pack(text);
    for (const std::size_t size : {std::size_t{20}, packed.size() / 2, packed.size() - 1}) {
      file.write(std::string_view(packed).substr(0, size));
      const auto input = open(file);
      const std::string got = read_all(*input);
      EXPECT_EQ(got, text.substr(0, got.size()));
      EXPECT_EQ(input->fault().text, "cannot read " + file.path() +
                                         ": its compressed data ends too early, after " +
                                         std::to_string(got.size()) + " bytes of content")
          << name << " " << size;
      std::string_view bytes;
      EXPECT_FALSE(input->peek(1, bytes)) << "a fault is for good";
    }
  }
}

TEST(InputFile, DamageIsFoundByTheChecksums) {
  const std::string text = sample(20'000);
  const ScratchFile file("");
  Random random(11);
  for (const auto& [name, pack] : kCompressions) {
    int faults = 0;
    for (int round = 0; round < 100; ++round) {
      std::string packed = pack(text);
      packed[8 + random.below(packed.size() - 8)] ^= static_cast<char>(1 + random.below(255));
      file.write(packed);
      ipc::Fault fault;
      const auto input = InputFile::open(file.path(), fault);
      ASSERT_NE(input, nullptr);
      const std::string got = read_all(*input);
      // A bit of a header that nothing depends on may change unseen, but never the text.
      if (!input->fault()) {
        EXPECT_EQ(got, text) << name;
      } else {
        ++faults;
      }
    }
    EXPECT_GT(faults, 90) << name;
  }
}

std::vector<std::string> lines_of(InputFile& input, std::size_t size_max,
                                  LineReader::Next expected_end) {
  LineReader reader(input, size_max);
  std::vector<std::string> lines;
  std::string_view line;
  auto next = reader.next(line);
  for (; next == LineReader::Next::kLine; next = reader.next(line)) {
    lines.push_back(std::to_string(reader.number()) + ":" + std::string(line));
  }
  EXPECT_EQ(next, expected_end);
  return lines;
}

TEST(LineReader, CutsLinesWhateverEndsThem) {
  const ScratchFile file("\xEF\xBB\xBFone\r\n\ntwo\nthree\r");
  EXPECT_EQ(lines_of(*open(file), 100, LineReader::Next::kEnd),
            (std::vector<std::string>{"1:one", "2:", "3:two", "4:three\r"}));
}

TEST(LineReader, ShowsOfALongLineItsBegin) {
  const std::string text = std::string(2'000'000, 'x') + "\nnext\n" + std::string(11, 'y');
  const ScratchFile file(text);
  EXPECT_EQ(lines_of(*open(file), 10, LineReader::Next::kEnd),
            (std::vector<std::string>{"1:" + std::string(11, 'x'), "2:next",
                                      "3:" + std::string(11, 'y')}));
}

TEST(LineReader, DoesNotShowALineThatAFaultCutsOff) {
  const std::string text = sample(50'000);
  const std::string packed = gzip(text);
  const ScratchFile file(std::string_view(packed).substr(0, packed.size() / 2));
  const std::vector<std::string> lines = lines_of(*open(file), 1000, LineReader::Next::kFault);
  const ScratchFile whole(text);
  const std::vector<std::string> expected = lines_of(*open(whole), 1000, LineReader::Next::kEnd);
  ASSERT_GT(lines.size(), 50U);
  ASSERT_LT(lines.size(), expected.size());
  for (std::size_t i = 0; i < lines.size(); ++i) EXPECT_EQ(lines[i], expected[i]);
}

// -1 when `text` is no such time.
template <class Parse>
core::TimeNs time_of(Parse parse, std::string_view text) {
  core::TimeNs time = -1;
  return parse(text, time) ? time : -1;
}

TEST(LogTime, ReadsWhatLogsWriteAndNothingElse) {
  const auto seconds = [](std::string_view text) { return time_of(tools::parse_seconds, text); };
  EXPECT_EQ(seconds("34200.017459617"), 34'200'017'459'617);
  EXPECT_EQ(seconds("34200"), 34'200'000'000'000);
  EXPECT_EQ(seconds("0.5"), 500'000'000);
  EXPECT_EQ(seconds("1.0123456789"), 1'012'345'678);
  for (const char* wrong : {"", ".", ".5", "5.", "-1", "+1", "1e5", "1 ", "99999999999"}) {
    EXPECT_EQ(seconds(wrong), -1) << wrong;
  }

  const auto stamp = [](std::string_view text) {
    return time_of(tools::parse_utc_timestamp, text);
  };
  EXPECT_EQ(stamp("19700102-00:00:01.000000001"), 86'401'000'000'001);
  EXPECT_EQ(stamp("20120331-10:25:20.444"), 1'333'189'520'444'000'000);
  EXPECT_EQ(stamp("20240229-23:59:60"), 1'709'251'200'000'000'000);
  for (const char* wrong :
       {"", "20240230-00:00:00", "20240101-24:00:00", "20240101 00:00:00", "20240101-00:60:00",
        "20240101-00:00:61", "20240101-00:00:0", "19690101-00:00:00", "99990101-00:00:00",
        "20240101-00:00:00.", "2024+101-00:00:00", "20240101-00:00:00Z"}) {
    EXPECT_EQ(stamp(wrong), -1) << wrong;
  }

  const auto epoch = [](std::string_view text) { return time_of(tools::parse_epoch, text); };
  EXPECT_EQ(epoch("1700000000"), 1'700'000'000'000'000'000);
  EXPECT_EQ(epoch("1700000000123"), 1'700'000'000'123'000'000);
  EXPECT_EQ(epoch("1700000000123456"), 1'700'000'000'123'456'000);
  EXPECT_EQ(epoch("1700000000123456789"), 1'700'000'000'123'456'789);
  EXPECT_EQ(epoch("99999999999"), -1);
  EXPECT_EQ(epoch("9999999999999999999"), -1);
  EXPECT_EQ(epoch("17e8"), -1);

  core::TimeNs day = -1;
  EXPECT_TRUE(tools::parse_day("2012-06-21", '-', day));
  EXPECT_EQ(day, 1'340'236'800'000'000'000);
  EXPECT_FALSE(tools::parse_day("2012/06/21", '-', day));
}

}  // namespace
}  // namespace shmatch::tests
