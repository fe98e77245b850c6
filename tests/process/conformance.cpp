#include "tests/process/conformance.h"

#include <unistd.h>

#include <stdexcept>
#include <string_view>

#include "tests/process/frame_stream.h"
#include "tools/config_file.h"
#include "tools/request_codec.h"

namespace shmatch::process_test {

namespace {

core::Configuration parsed(const ConfigText& config) {
  ipc::ServerOptions options;
  if (const ipc::Fault fault = tools::parse_config(config.text(), "engine.toml", options)) {
    throw std::runtime_error(fault.text);
  }
  return options.configuration;
}

Call call_of(std::string_view line) {
  const tools::Line read = tools::parse_line(line);
  if (read.kind != tools::LineKind::kFrame) throw std::runtime_error("no frame: " + read.fault);
  const auto function = tools::find_function(read.frame.function);
  if (!function) throw std::runtime_error("an unknown function: " + read.frame.function);
  Call call{std::string(line), read.frame.sequence, read.frame.function, read.frame.user, {}};
  const tools::EncodedRequest encoded = tools::encode_request(*function, read.frame);
  if (!encoded.refused()) call.request = encoded.request;
  return call;
}

}  // namespace

std::string compare_random_frames(std::uint64_t seed, std::uint64_t count, Totals& totals) {
  const ConfigText config = stream_config();
  TestEngine engine(config);
  ExpectedExec expected(engine, parsed(config), "operator");
  FrameStream stream(seed);
  for (std::uint64_t i = 0; i < count; ++i) {
    std::string fault = expected.compare(stream.next());
    if (!fault.empty()) return fault;
    if (expected.entered() != 0) stream.accepted(expected.entered());
  }
  totals = expected.totals();
  return expected.close() == 0 ? "" : "exec did not end as it should";
}

std::string compare_log(const TestEngine& engine, const std::string& log, Totals& totals) {
  ExpectedExec expected(engine, tools::default_options(::getuid()).configuration, "operator");
  for (std::string_view rest = log; !rest.empty();) {
    const std::size_t end = rest.find('\n');
    std::string fault = expected.compare(call_of(rest.substr(0, end)));
    if (!fault.empty()) return fault;
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  totals = expected.totals();
  return expected.close() == 0 ? "" : "exec did not end as it should";
}

}  // namespace shmatch::process_test
