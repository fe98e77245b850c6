#include "tests/unit/source_harness.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "tools/enum_names.h"

namespace shmatch::tests {

namespace {

std::string amount(core::Decimal value) {
  if (value == core::kDecimalAbsent) return "-";
  if (value == core::kDecimalInvalid) return "invalid";
  if (value == core::kDecimalHuge) return "huge";
  const core::Wide magnitude = static_cast<core::Wide>(
      value.mantissa < 0 ? -core::SignedWide{value.mantissa} : value.mantissa);
  return (value.mantissa < 0 ? "-" : "") + core::format_increments(magnitude, {1, value.exponent});
}

std::string side_text(core::Side side) {
  return side == core::Side::kAbsent ? "-" : std::string(tools::name_of(side));
}

std::string type_text(core::OrderType type) {
  return type == core::OrderType::kAbsent ? "-" : std::string(tools::name_of(type));
}

std::string key(core::AccountId account, core::ClOrdId id) {
  return std::to_string(account) + "/" + std::to_string(id);
}

std::uint64_t sum(const Counts& counts) {
  std::uint64_t sum = 0;
  for (const auto& [name, count] : counts) sum += count;
  return sum;
}

}  // namespace

ScratchFile::ScratchFile(std::string_view content, const std::string& name) {
  std::string pattern = testing::TempDir() + "shmatch-source-XXXXXX";
  EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
  folder_ = pattern;
  path_ = folder_ + "/" + name;
  write(content);
}

ScratchFile::~ScratchFile() { std::filesystem::remove_all(folder_); }

void ScratchFile::write(std::string_view content) const {
  std::ofstream file(path_, std::ios::binary | std::ios::trunc);
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
  EXPECT_TRUE(file.flush().good());
}

std::string fixture(const std::string& name) { return SHMATCH_FIXTURES "/" + name; }

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string text_of(const tools::SourcedRequest& request) {
  std::string text = std::to_string(request.position) + " " + std::to_string(request.time) + " " +
                     std::string(request.user) + " ";
  if (request.request.is<core::CancelOrder>()) {
    const auto cancel = request.request.as<core::CancelOrder>();
    text += "cancel " + key(cancel.account_id, cancel.cl_ord_id);
    if (cancel.order_id != 0) text += " order " + std::to_string(cancel.order_id);
    return text;
  }
  const auto order = request.request.as<core::NewOrder>();
  return text + "send " + key(order.account_id, order.cl_ord_id) + " " +
         std::to_string(order.instrument_id) + " " + side_text(order.side) + " " +
         amount(order.quantity()) + " @ " + amount(order.limit_price()) + " " +
         type_text(order.order_type) + " " + std::string(tools::name_of(order.time_in_force));
}

ReadLog read_log(const std::string& path, const tools::SourceOptions& options) {
  ReadLog log;
  ipc::Fault fault;
  log.source = tools::open_source(path, options, fault);
  log.fault = fault.text;
  if (log.source == nullptr) {
    EXPECT_NE(log.fault, "") << path;
    return log;
  }
  EXPECT_EQ(log.fault, "");
  EXPECT_EQ(core::find_fault(log.source->configuration()), "");
  tools::SourcedRequest request;
  auto next = log.source->next(request);
  for (; next == tools::RequestSource::Next::kRequest; next = log.source->next(request)) {
    EXPECT_TRUE(core::well_formed(request.request));
    log.requests.push_back(text_of(request));
  }
  if (next == tools::RequestSource::Next::kFault) log.fault = log.source->fault().text;
  // The end is for good.
  EXPECT_EQ(log.source->next(request), next);
  return log;
}

ReadLog read_text(std::string_view content, const std::string& format) {
  const ScratchFile file(content);
  tools::SourceOptions options;
  options.format = format;
  return read_log(file.path(), options);
}

void expect_sound(const ReadLog& log) {
  ASSERT_NE(log.source, nullptr);
  const tools::SourceCounts& counts = log.counts();
  EXPECT_EQ(counts.read, counts.converted + sum(counts.skipped) + sum(counts.unknown_types));
  EXPECT_EQ(counts.requests, log.requests.size());
  EXPECT_GE(counts.requests, counts.converted);
  EXPECT_LE(counts.examples.size(), tools::kExamplesMax);
  EXPECT_GE(log.source->progress(), 0.0);
  EXPECT_LE(log.source->progress(), 1.0);
}

}  // namespace shmatch::tests
