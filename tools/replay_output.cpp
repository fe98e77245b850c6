#include "tools/replay_output.h"

#include <cerrno>
#include <cstdlib>
#include <optional>
#include <utility>

#include "core/state_view.h"
#include "tools/amounts.h"
#include "tools/enum_names.h"
#include "tools/json.h"
#include "tools/report_codec.h"
#include "tools/request_text.h"

namespace shmatch::tools {

namespace {

constexpr std::size_t kContextLines = 3;
constexpr std::size_t kContextColumns = 160;
constexpr std::size_t kDifferencesShown = 8;

// The record with whole objects asked for; the same record if it opens no session.
std::uint32_t with_whole_objects(const InputRecord& record, std::uint64_t* words) {
  core::Logon logon;
  if (record.kind() == core::InputKind::kLogon || record.kind() == core::InputKind::kResume) {
    logon = core::decode_logon(record.words.data());
    logon.whole_objects = true;
  }
  if (record.kind() == core::InputKind::kLogon) {
    return core::encode_logon(words, record.slot(), logon, record.time());
  }
  if (record.kind() == core::InputKind::kResume) {
    return core::encode_resume(words, record.slot(), logon, record.time());
  }
  std::copy(record.words.begin(), record.words.end(), words);
  return static_cast<std::uint32_t>(record.words.size());
}

// The name and payload of a reply; no name for an event.
std::pair<std::string_view, std::string> reply_of(const core::Report& report,
                                                  const ReferenceData& reference) {
  if (report.is<core::OrderAccepted>()) {
    return {request_name(core::RequestType::kNewOrder),
            accepted_json(report.as<core::OrderAccepted>())};
  }
  if (report.is<core::Receipt>()) {
    const auto receipt = report.as<core::Receipt>();
    return {request_name(static_cast<core::RequestType>(receipt.request_type)),
            receipt_json(receipt, reference)};
  }
  return {};
}

std::string text_of(const JsonValue& value) {
  switch (value.kind) {
    case JsonValue::Kind::kNull:
      return "null";
    case JsonValue::Kind::kBool:
      return value.boolean ? "true" : "false";
    case JsonValue::Kind::kNumber:
      return value.text;
    case JsonValue::Kind::kString:
      return json_string(value.text);
    case JsonValue::Kind::kArray:
      return "an array";
    case JsonValue::Kind::kObject:
      return "an object";
  }
  return "";
}

const JsonValue* find_member(const JsonValue& object, std::string_view key) {
  for (const JsonMember& member : object.members) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

void collect_differences(const std::string& path, const JsonValue& expected, const JsonValue& got,
                         std::vector<std::string>& differences) {
  const auto below = [&](std::string_view key) {
    return path.empty() ? std::string(key) : path + "." + std::string(key);
  };
  if (expected.kind != JsonValue::Kind::kObject || got.kind != JsonValue::Kind::kObject) {
    if (text_of(expected) != text_of(got)) {
      differences.push_back(path + ": expected " + text_of(expected) + ", got " + text_of(got));
    }
    return;
  }
  for (const JsonMember& member : expected.members) {
    const JsonValue* other = find_member(got, member.key);
    if (other != nullptr) {
      collect_differences(below(member.key), member.value, *other, differences);
    } else {
      differences.push_back(below(member.key) + ": expected " + text_of(member.value) +
                            ", got no such key");
    }
  }
  for (const JsonMember& member : got.members) {
    if (find_member(expected, member.key) == nullptr) {
      differences.push_back(below(member.key) + ": not expected, got " + text_of(member.value));
    }
  }
}

}  // namespace

WholeReports::WholeReports()
    : engine_(*this, ReplayEngineOptions{.hash_salt = 0, .keep_digest = false}) {}

ipc::Fault WholeReports::start(const core::Configuration& configuration) {
  reference_ = ReferenceData(configuration);
  return engine_.start(configuration);
}

ipc::Fault WholeReports::start(const core::Configuration& configuration,
                               const core::MatchingEngine& engine) {
  reference_ = ReferenceData(configuration);
  return engine_.start(configuration, engine);
}

ipc::Fault WholeReports::reconfigure(const core::Configuration& configuration) {
  reference_ = ReferenceData(configuration);
  return engine_.reconfigure(configuration);
}

const char* WholeReports::apply(const InputRecord& record) {
  std::uint64_t words[core::kInputRecordWordsMax];
  const std::uint32_t size = with_whole_objects(record, words);
  if (const char* reason = core::find_fault(*engine_, words, size)) return reason;
  deliveries_.clear();
  core::apply(*engine_, words);
  return nullptr;
}

void WholeReports::deliver(core::SessionSlot to, const core::Report& report) noexcept {
  deliveries_.push_back({to, report});
}

void ReportStream::configured(const core::Configuration& configuration,
                              const core::MatchingEngine& engine) {
  fault_ = started_ ? reports_.reconfigure(configuration) : reports_.start(configuration, engine);
  started_ = true;
}

bool ReportStream::applied(const InputRecord& record, const core::MatchingEngine&) {
  if (fault_) return false;
  if (const char* reason = reports_.apply(record)) {
    fault_ = {std::string("the engine beside the replay cannot take a record: ") + reason};
    return false;
  }
  for (std::size_t place = 0; place < reports_.size(); ++place) {
    if (!taker_.take(reports_.line(place))) return false;
  }
  return true;
}

std::string WholeReports::line(std::size_t place) const {
  const Delivery& delivery = deliveries_[place];
  const core::Report& report = delivery.report;
  const auto header = report.as<core::ReportHeader>();
  const core::UserId user = engine_->session(delivery.to).logon.user_id;
  std::string line = R"({"sequence":)" + std::to_string(header.engine_sequence);
  line += R"(,"ordinal":)" + std::to_string(header.ordinal);
  line += R"(,"session":)" + std::to_string(delivery.to);
  line += R"(,"user":)" + json_string(reference_.user_name(user));
  const auto [name, payload] = reply_of(report, reference_);
  if (name.empty()) {
    const bool trade = report.is<core::TradeWhole>() || report.is<core::Trade>();
    line += trade ? R"(,"n":"OrderTradeEvent","o":)" : R"(,"n":"OrderStateEvent","o":)";
    line += event_payload(report);
  } else {
    // The number stands in the same word of every reply.
    line += R"(,"i":)" + std::to_string(report.as<core::Receipt>().request_sequence);
    line += R"(,"n":")" + std::string(name) + R"(","o":)" + payload;
  }
  return line + "}";
}

std::string WholeReports::event_payload(const core::Report& report) const {
  if (report.is<core::OrderStateWhole>()) {
    return order_json(report.as<core::OrderStateWhole>(), reference_);
  }
  if (report.is<core::TradeWhole>()) return trade_json(report.as<core::TradeWhole>(), reference_);
  // The compact forms name their order in the same word.
  const auto changed = report.as<core::OrderChanged>();
  core::OrderView order;
  core::StateView(*engine_).find(changed.order_id, order);
  const Amounts amounts(reference_, order.instrument_id);
  std::string json = R"({"OrderId":)" + std::to_string(changed.order_id);
  if (report.is<core::Trade>()) {
    const auto trade = report.as<core::Trade>();
    json += R"(,"TradeId":)" + std::to_string(trade.trade_id);
    json += R"(,"Price":)" + amounts.price(trade.price);
    json += R"(,"Quantity":)" + amounts.quantity(trade.quantity);
    return json + "}";
  }
  json += R"(,"OrderState":")" + std::string(name_of(core::order_state(changed.header)));
  json += R"(","ChangeReason":")" + std::string(name_of(core::change_reason(changed.header)));
  json += "\"";
  if (report.is<core::OrderChanged>()) {
    json += R"(,"Quantity":)" + amounts.quantity(changed.leaves);
    json += R"(,"QuantityExecuted":)" + amounts.quantity(changed.executed);
  }
  return json + "}";
}

LineFile::~LineFile() {
  if (file_ != nullptr && file_ != stdout) std::fclose(file_);
}

ipc::Fault LineFile::open(const std::string& path) {
  path_ = path;
  file_ = path == "-" ? stdout : std::fopen(path.c_str(), "we");
  if (file_ == nullptr) return ipc::system_fault("cannot write " + path, errno);
  return {};
}

bool LineFile::take(std::string_view line) {
  if (error_ != 0) return false;
  const bool taken = std::fwrite(line.data(), 1, line.size(), file_) == line.size() &&
                     std::fputc('\n', file_) != EOF;
  if (!taken) error_ = errno;
  return taken;
}

ipc::Fault LineFile::close() {
  if (file_ == nullptr) return {};
  std::FILE* const file = std::exchange(file_, nullptr);
  if (std::fflush(file) != 0 && error_ == 0) error_ = errno;
  if (file != stdout && std::fclose(file) != 0 && error_ == 0) error_ = errno;
  if (error_ != 0) return ipc::system_fault("writing " + path_ + " failed", error_);
  return {};
}

LineComparison::~LineComparison() {
  if (file_ != nullptr) std::fclose(file_);
  std::free(buffer_);
}

ipc::Fault LineComparison::open(const std::string& path) {
  path_ = path;
  file_ = std::fopen(path.c_str(), "re");
  if (file_ == nullptr) return ipc::system_fault("cannot read " + path, errno);
  return {};
}

bool LineComparison::next_expected() {
  const ssize_t size = ::getline(&buffer_, &capacity_, file_);
  if (size < 0) {
    if (std::ferror(file_) != 0) fault_ = ipc::system_fault("reading " + path_ + " failed", errno);
    return false;
  }
  expected_.assign(buffer_, static_cast<std::size_t>(size));
  if (!expected_.empty() && expected_.back() == '\n') expected_.pop_back();
  return true;
}

bool LineComparison::take(std::string_view line) {
  ++number_;
  if (!next_expected()) expected_.clear();
  if (expected_ == line) {
    before_.push_back(expected_);
    if (before_.size() > kContextLines) before_.pop_front();
    return true;
  }
  differs_ = true;
  got_ = line;
  return false;
}

void LineComparison::finish(bool complete) {
  if (differs_ || !complete || !next_expected()) return;
  ++number_;
  differs_ = true;
  got_.clear();
}

std::string LineComparison::describe() const {
  if (!differs_) return "";
  std::string text =
      "First difference from " + path_ + " at line " + std::to_string(number_) + "\n";
  std::uint64_t line = number_ - before_.size();
  for (const std::string& before : before_) {
    text += "  " + std::to_string(line++) + "           " + before.substr(0, kContextColumns);
    text += before.size() > kContextColumns ? " ...\n" : "\n";
  }
  const std::string number = "  " + std::to_string(number_);
  text += number + " expected  " + (expected_.empty() ? "the end" : expected_) + "\n";
  text += number + " got       " + (got_.empty() ? "the end" : got_) + "\n";
  const std::vector<std::string> differences = differing_keys(expected_, got_);
  for (std::size_t i = 0; i < differences.size() && i < kDifferencesShown; ++i) {
    text += "  " + differences[i] + "\n";
  }
  return text;
}

std::vector<std::string> differing_keys(std::string_view expected, std::string_view got) {
  JsonValue expected_value;
  JsonValue got_value;
  std::string fault;
  std::vector<std::string> differences;
  if (parse_json(expected, expected_value, fault) && parse_json(got, got_value, fault)) {
    collect_differences("", expected_value, got_value, differences);
  }
  return differences;
}

}  // namespace shmatch::tools
