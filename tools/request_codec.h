// From AlphaPoint frames to the engine's requests: one line of text becomes a frame, a frame's
// payload a core request.
//
// What the binary request can carry goes to the engine, right or wrong, so that the engine refuses
// in its one fixed order. What it cannot carry (a boolean as an id, a fraction, an object, an id
// outside 0..2^63-1, two keys that contradict each other) and a missing OMSId are refused here:
// error 100 with a sentence.
//
// Keys are case-insensitive, unknown keys are ignored, and the same key twice with equal values
// counts once. Ids are integers or strings of digits; null, 0 and absent are one thing. Enums are
// numbers, strings of digits, or names.
//
// Thread: pure functions, any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/message.h"
#include "tools/json.h"

namespace shmatch::tools {

// A line of input may have this many bytes; a longer one is no frame.
inline constexpr std::size_t kLineSizeMax = 1 << 20;

enum class Function {
  kSendOrder,
  kCancelOrder,
  kGetOrderStatus,
  kGetOpenOrders,
  kGetL2Snapshot,
  kPing
};

// The function of that name, in any case; nothing when this product has no such function.
std::optional<Function> find_function(std::string_view name);

// The API's own spelling of its name.
std::string_view function_name(Function function) noexcept;

struct Frame {
  std::string sequence;       // the frame's `i` as written; "0" when there was none
  std::string function;       // the frame's `n` as sent
  std::string user;           // the frame's `u`; empty when there was none
  core::TimeNs time_ns = 0;   // the frame's `t`, of its capture; 0 when it tells none
  JsonValue payload;          // the object in `o`
  std::string payload_fault;  // why `o`, a string, holds no object; empty when all is well
};

enum class LineKind {
  kFrame,
  kBlank,    // nothing but white space
  kSkipped,  // a frame, but no request: its `m` is not 0
  kNoFrame,  // `fault` says why
};

struct Line {
  LineKind kind = LineKind::kNoFrame;
  Frame frame;
  std::string fault;
};

Line parse_line(std::string_view text);

// A request for the engine, or the reason why there is none.
struct EncodedRequest {
  core::Request request;
  std::string fault;  // the `detail` of the 100 that answers instead; empty when `request` is valid

  bool refused() const noexcept { return !fault.empty(); }
};

// `payload` must be an object.
EncodedRequest encode_request(Function function, const JsonValue& payload);

// The same for a whole frame, whose payload may be faulty.
EncodedRequest encode_request(Function function, const Frame& frame);

}  // namespace shmatch::tools
