// exec: AlphaPoint frames from standard input through the rings of a running engine, replies and
// events to standard output.
#include <CLI/CLI.hpp>
#include <iostream>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/command.h"
#include "tools/report_codec.h"
#include "tools/request_codec.h"
#include "tools/session_group.h"

namespace shmatch::tools {

namespace {

// Reads lines of bounded length. A longer one arrives cut, but still longer than kLineSizeMax, so
// that it is no frame.
class LineReader {
 public:
  explicit LineReader(std::istream& in) : in_(in), buffer_(kSize) {}

  bool next(std::string_view& line) {
    in_.getline(buffer_.data(), static_cast<std::streamsize>(kSize));
    auto size = static_cast<std::size_t>(in_.gcount());
    if (in_.fail() && size == kSize - 1) {
      in_.clear();
      in_.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
    } else if (in_.fail()) {
      return false;
    } else if (!in_.eof()) {
      --size;  // the line feed, which was counted but not stored
    }
    ++number_;
    line = {buffer_.data(), size};
    return true;
  }

  std::size_t number() const noexcept { return number_; }  // of the last line, from 1

 private:
  static constexpr std::size_t kSize = kLineSizeMax + 2;

  std::istream& in_;
  std::vector<char> buffer_;
  std::size_t number_ = 0;
};

// The frame that answers `frame`.
std::string answer(const Frame& frame, SessionGroup& sessions) {
  const std::optional<Function> function = find_function(frame.function);
  if (!function) return error_frame(frame.sequence, frame.function, "Endpoint Not Found");
  const auto reply = [&](std::string_view payload) {
    return reply_frame(frame.sequence, frame.function, payload);
  };
  std::string refusal;
  if (!sessions.choose(frame.user, refusal)) {
    return reply(generic_json(core::ErrorCode::kNotAuthorized, refusal));
  }
  const EncodedRequest encoded = encode_request(*function, frame);
  if (encoded.refused()) {
    return reply(generic_json(core::ErrorCode::kInvalidRequest, encoded.fault));
  }
  return reply(sessions.execute(encoded.request));
}

struct Counts {
  std::size_t skipped = 0;
  std::size_t no_frame = 0;
};

void execute_lines(std::istream& in, SessionGroup& sessions, Counts& counts) {
  LineReader reader(in);
  for (std::string_view text; reader.next(text);) {
    const Line line = parse_line(text);
    switch (line.kind) {
      case LineKind::kBlank:
        break;
      case LineKind::kSkipped:
        ++counts.skipped;
        break;
      case LineKind::kNoFrame:
        ++counts.no_frame;
        print_line(
            error_frame("0", "", "line " + std::to_string(reader.number()) + ": " + line.fault));
        break;
      case LineKind::kFrame: {
        print_line(answer(line.frame, sessions));
        sessions.fence();
        print(sessions.take_events());
        break;
      }
    }
  }
}

int run_exec(const GlobalOptions& global) {
  std::ios::sync_with_stdio(false);
  SessionGroup sessions(global);
  Counts counts;
  try {
    execute_lines(std::cin, sessions, counts);
    sessions.fence();
  } catch (const ExitError& error) {
    // What was received before the engine went away still counts.
    if (error.status == kExitGone) print(sessions.take_all_events());
    throw;
  }
  print(sessions.take_all_events());
  if (counts.skipped > 0) {
    std::cerr << "shmatch: " << counts.skipped << " lines skipped, because their m is not 0\n";
  }
  return counts.no_frame == 0 ? kExitDone : kExitRefused;
}

}  // namespace

void add_exec_command(CLI::App& app, CommandLine& line) {
  CLI::App* command =
      app.add_subcommand("exec", "Execute AlphaPoint frames, one JSON object a line, from stdin");
  command->footer(
      "A line is {\"m\":0,\"i\":4,\"n\":\"CancelOrder\",\"o\":{...}}; m and i may be missing, o "
      "may be a string\n"
      "that holds the object, and \"u\":\"name\" sends the line through that user's own session.\n"
      "The reply follows as m 1, then each event that the line caused as m 3.\n"
      "Example:\n"
      "  echo '{\"n\":\"CancelOrder\",\"o\":{\"OMSId\":1,\"OrderId\":42}}' | shmatch exec");
  command->callback([&line] { line.run = [&line] { return run_exec(line.global); }; });
}

}  // namespace shmatch::tools
