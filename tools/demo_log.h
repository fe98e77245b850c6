// A captured request log as the demo replays it: the frames of each user, in the log's order.
//
// Thread: one. Errors are sentences for a person.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/message.h"

namespace shmatch::tools {

// What the demo tells apart. Everything that is neither an order nor a cancel is a query, Ping too.
enum class RequestKind : std::uint8_t { kOrder = 0, kCancel = 1, kQuery = 2 };
inline constexpr std::size_t kRequestKinds = 3;

RequestKind kind_of(core::RequestType type) noexcept;

// Numbers by RequestKind.
struct KindCounts {
  std::uint64_t values[kRequestKinds] = {};

  std::uint64_t& operator[](RequestKind kind) noexcept {
    return values[static_cast<std::size_t>(kind)];
  }
  std::uint64_t operator[](RequestKind kind) const noexcept {
    return values[static_cast<std::size_t>(kind)];
  }
  KindCounts& operator+=(const KindCounts& more) noexcept {
    for (std::size_t kind = 0; kind < kRequestKinds; ++kind) values[kind] += more.values[kind];
    return *this;
  }
  std::uint64_t sum() const noexcept { return values[0] + values[1] + values[2]; }
};

// The frames of one user. A frame that no binary request can carry is answered 100 by the codec: it
// is counted here and goes no further.
struct UserFrames {
  std::string user;  // empty: frames that name none
  std::vector<core::Request> requests;
  KindCounts malformed;
  std::string malformed_example;  // the first one's reason
};

struct RequestLog {
  std::vector<UserFrames> users;  // ascending by name
  KindCounts frames;
  std::uint64_t requests = 0;  // frames that can be sent
  std::uint64_t skipped = 0;   // frames whose `m` is not 0: no requests
  std::uint64_t no_frames = 0;
  std::string no_frame_example;         // the first one's line number and reason
  std::uint64_t unknown_functions = 0;  // frames that name no call of this product
};

// One client process a user: a log may name this many.
inline constexpr std::size_t kUsersPerLogMax = 16;

// Reads a log, one frame a line, plain or compressed (tools/input_file.h). False with `error` when
// it cannot be read, holds no request at all, or names too many users.
bool read_log(const std::string& path, RequestLog& log, std::string& error);

}  // namespace shmatch::tools
