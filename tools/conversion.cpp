#include "tools/conversion.h"

#include <algorithm>
#include <bit>
#include <boost/unordered/unordered_flat_set.hpp>
#include <optional>
#include <utility>

namespace shmatch::tools {

namespace {

// A log decides which types it names, so their number and length are bounded.
constexpr std::size_t kUnknownTypesMax = 64;
constexpr std::size_t kTypeNameMax = 32;
constexpr const char* kOtherTypes = "others";
// Of a sentence that quotes a record.
constexpr std::size_t kExampleSizeMax = 200;

// `text` as it can be shown on one line: anything but printable ASCII becomes '?'.
std::string shown(std::string_view text, std::size_t size_max) {
  std::string shown(text.substr(0, size_max));
  std::replace_if(
      shown.begin(), shown.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  if (text.size() > size_max) shown += "...";
  return shown;
}

// How many orders an engine that takes a log's requests may have to hold at once: all that were
// sent and not cancelled, because which of them were filled is not known here.
class OrderBounds {
 public:
  void add(const core::Request& request) {
    if (request.is<core::NewOrder>()) {
      add(request.as<core::NewOrder>());
    } else if (request.is<core::CancelOrder>()) {
      const auto cancel = request.as<core::CancelOrder>();
      working_.erase({cancel.account_id, cancel.cl_ord_id});
    }
  }

  // Raises `capacities` to that. Ended orders stay known as far back as in an engine that nobody
  // configured.
  void raise(core::Capacities& capacities) const {
    // One more: an order needs its place before it is matched.
    raise(capacities.working_orders, working_max_ + 1, core::kOrdersCapacityMax);
    // Each may have a price of its own.
    capacities.price_levels = capacities.levels();
    raise(capacities.price_levels, working_max_ + 1, core::kOrdersCapacityMax);
    raise(capacities.finished_orders, entered_, core::Capacities{}.finished_orders);
  }

 private:
  using Key = std::pair<core::AccountId, core::ClOrdId>;

  void add(const core::NewOrder& order) {
    ++entered_;
    const bool rests = order.order_type == core::OrderType::kLimit &&
                       order.time_in_force == core::TimeInForce::kGtc;
    if (!rests) return;
    if (order.cl_ord_id == 0) {
      ++unnamed_;
    } else {
      working_.emplace(order.account_id, order.cl_ord_id);
    }
    working_max_ = std::max<std::uint64_t>(working_max_, working_.size() + unnamed_);
  }

  // A power of two, so that logs of about the same size get equal engines.
  static void raise(std::uint32_t& capacity, std::uint64_t count, std::uint32_t max) {
    const auto needed = static_cast<std::uint32_t>(std::min<std::uint64_t>(count, max));
    capacity = std::max(capacity, std::bit_ceil(needed));
  }

  boost::unordered_flat_set<Key> working_;
  std::uint64_t unnamed_ = 0;
  std::uint64_t working_max_ = 0;
  std::uint64_t entered_ = 0;
};

class ConvertingSource final : public RequestSource {
 public:
  ConvertingSource(const SourceTraits& traits, std::unique_ptr<InputFile> file,
                   std::unique_ptr<LogReader> reader)
      : traits_(traits), file_(std::move(file)), reader_(std::move(reader)) {}

  // Reads the log once, for its configuration. A fault on the way is met again when the requests
  // are read, after those in front of it.
  ipc::Fault survey() {
    // A file that cannot be read twice is refused before it is read once.
    if (ipc::Fault fault = file_->rewind()) return fault;
    OrderBounds bounds;
    SourcedRequest request;
    while (next(request) == Next::kRequest) bounds.add(request.request);
    take_configuration();
    bounds.raise(configuration_.capacities);
    out_.restart();
    ended_ = std::nullopt;
    ipc::Fault fault = file_->rewind();
    reader_->restart();
    return fault;
  }

  void take_configuration() {
    configuration_ = reader_->configuration();
    // An engine has at least one of each, even for a log without a single order.
    if (configuration_.instruments.empty()) configuration_.instruments = {{1, "NONE", {}, {}}};
    if (configuration_.users.empty()) {
      configuration_.users = {{1, "nobody", core::kPermissionTrading, {}}};
    }
  }

  Next next(SourcedRequest& request) override {
    while (!out_.take(request)) {
      if (ended_) return *ended_;
      const LogReader::Read read = reader_->read(out_);
      if (read == LogReader::Read::kEnd) ended_ = Next::kEnd;
      if (read == LogReader::Read::kFault) {
        fault_ = reader_->fault();
        if (!fault_) fault_ = file_->fault();
        ended_ = Next::kFault;
      }
    }
    return Next::kRequest;
  }

  const ipc::Fault& fault() const override { return fault_; }
  const SourceCounts& counts() const override { return out_.counts(); }
  const core::Configuration& configuration() const override { return configuration_; }
  const char* format_name() const override { return traits_.format_name; }
  bool derived() const override { return traits_.derived; }
  double progress() const override { return file_->progress(); }

 private:
  SourceTraits traits_;
  std::unique_ptr<InputFile> file_;
  std::unique_ptr<LogReader> reader_;
  Conversion out_;
  core::Configuration configuration_;
  std::optional<Next> ended_;
  ipc::Fault fault_;
};

}  // namespace

void Conversion::begin(std::uint64_t position) {
  ++counts_.read;
  position_ = position;
  record_converted_ = false;
}

void Conversion::emit_request(core::TimeNs time, std::string_view user,
                              const core::Request& request) {
  if (!std::exchange(record_converted_, true)) ++counts_.converted;
  ++counts_.requests;
  waiting_.push_back({time, user, request, position_});
}

void Conversion::skip(const std::string& reason) { ++counts_.skipped[reason]; }

void Conversion::skip_malformed(const std::string& reason, std::string_view why) {
  skip(reason);
  if (counts_.examples.size() < kExamplesMax) {
    counts_.examples.push_back(std::to_string(position_) + ": " + shown(why, kExampleSizeMax));
  }
}

void Conversion::unknown_type(std::string_view name) {
  std::string key = shown(name, kTypeNameMax);
  const bool known = counts_.unknown_types.contains(key);
  if (!known && counts_.unknown_types.size() >= kUnknownTypesMax) key = kOtherTypes;
  ++counts_.unknown_types[key];
}

void Conversion::remark(const std::string& text) { ++counts_.remarks[text]; }

bool Conversion::take(SourcedRequest& request) {
  if (waiting_.empty()) return false;
  request = waiting_.front();
  waiting_.pop_front();
  return true;
}

void Conversion::restart() {
  counts_ = {};
  waiting_.clear();
}

std::unique_ptr<RequestSource> converting_source(const SourceTraits& traits,
                                                 std::unique_ptr<InputFile> file,
                                                 std::unique_ptr<LogReader> reader,
                                                 ipc::Fault& fault) {
  auto source = std::make_unique<ConvertingSource>(traits, std::move(file), std::move(reader));
  if (traits.surveyed) {
    fault = source->survey();
    if (fault) return nullptr;
  } else {
    source->take_configuration();
  }
  return source;
}

}  // namespace shmatch::tools
