#include "tools/source_jsonl.h"

#include <algorithm>
#include <boost/unordered/unordered_flat_set.hpp>
#include <string>
#include <utility>

#include "tools/conversion.h"
#include "tools/line_reader.h"
#include "tools/request_codec.h"

namespace shmatch::tools {

namespace {

class JsonlReader final : public LogReader {
 public:
  JsonlReader(InputFile& file, const SourceOptions& options)
      : lines_(file, kLineSizeMax),
        configuration_(options.configuration),
        default_user_(find_user(options.default_user)) {}

  Read read(Conversion& out) override {
    std::string_view text;
    switch (lines_.next(text)) {
      case LineReader::Next::kLine:
        convert(text, out);
        return Read::kRecord;
      case LineReader::Next::kEnd:
        return Read::kEnd;
      case LineReader::Next::kFault:
        break;
    }
    return Read::kFault;
  }

  void restart() override {
    lines_.restart();
    sent_.clear();
    time_ = 0;
  }

  core::Configuration configuration() const override { return configuration_; }

 private:
  // Null when the configuration has no such user.
  const core::User* find_user(std::string_view name) const {
    if (name.empty()) return configuration_.users.empty() ? nullptr : &configuration_.users.front();
    const auto user = std::find_if(configuration_.users.begin(), configuration_.users.end(),
                                   [&](const core::User& known) { return known.name == name; });
    return user == configuration_.users.end() ? nullptr : &*user;
  }

  void convert(std::string_view text, Conversion& out) {
    const Line line = parse_line(text);
    if (line.kind == LineKind::kBlank) return;
    out.begin(lines_.number());
    switch (line.kind) {
      case LineKind::kFrame:
        convert(line.frame, out);
        break;
      case LineKind::kSkipped:
        out.skip("frame that is no request");
        break;
      default:
        out.skip_malformed("line that is no frame", line.fault);
        break;
    }
  }

  void convert(const Frame& frame, Conversion& out) {
    const std::optional<Function> function = find_function(frame.function);
    if (!function) {
      out.unknown_type(frame.function);
      return;
    }
    if (*function != Function::kSendOrder && *function != Function::kCancelOrder) {
      out.skip("query");
      return;
    }
    const core::User* user = frame.user.empty() ? default_user_ : find_user(frame.user);
    if (user == nullptr) {
      out.skip_malformed("user that is not configured", frame.user);
      return;
    }
    const EncodedRequest encoded = encode_request(*function, frame);
    if (encoded.refused()) {
      out.skip_malformed("frame that no binary request can carry", encoded.fault);
      return;
    }
    if (frame.time_ns != 0) time_ = frame.time_ns;
    note_id(encoded.request, out);
    out.emit_request(time_, user->name, encoded.request);
  }

  // Cancels by (AccountId, ClOrderId) can be told to name an order of this log; OrderIds are the
  // engine's, and cannot.
  void note_id(const core::Request& request, Conversion& out) {
    if (request.is<core::NewOrder>()) {
      const auto order = request.as<core::NewOrder>();
      if (order.cl_ord_id != 0) sent_.emplace(order.account_id, order.cl_ord_id);
      return;
    }
    const auto cancel = request.as<core::CancelOrder>();
    const bool by_pair = cancel.order_id == 0 && cancel.cl_ord_id != 0;
    if (by_pair && !sent_.contains({cancel.account_id, cancel.cl_ord_id})) out.unknown_id();
  }

  LineReader lines_;
  core::Configuration configuration_;
  const core::User* default_user_;
  boost::unordered_flat_set<std::pair<core::AccountId, core::ClOrdId>> sent_;
  core::TimeNs time_ = 0;  // of the last frame that told one
};

}  // namespace

bool looks_like_jsonl(const FileHead& head) {
  return any_line(head, [](std::string_view text) {
    const LineKind kind = parse_line(text).kind;
    return kind == LineKind::kFrame || kind == LineKind::kSkipped;
  });
}

std::unique_ptr<RequestSource> open_jsonl(std::unique_ptr<InputFile> file,
                                          const SourceOptions& options, ipc::Fault& fault) {
  auto reader = std::make_unique<JsonlReader>(*file, options);
  return converting_source({kJsonlName, false, false}, std::move(file), std::move(reader), fault);
}

}  // namespace shmatch::tools
