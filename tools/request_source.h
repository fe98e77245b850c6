// RequestSource: a captured log as a stream of engine requests, whatever its format.
//
// Formats: JSON Lines of AlphaPoint frames, FIX 4.x logs, Nasdaq ITCH 5.0, LOBSTER message CSV,
// Bitstamp order events. docs/IMPORT.md says what of each is read, what it becomes, and what is
// left out. Files may be compressed (tools/input_file.h).
//
// Requests that a log carries are converted as they are, right or wrong: the engine judges them.
// Feeds of book events carry no requests; theirs are derived, and derived() says so.
//
// Every input is untrusted: bytes that make no sense are skipped and counted, or end the stream
// with a fault; they never crash it. Memory grows with the orders that a log holds, at most.
//
// The same file gives the same requests, configuration and counts on every run.
//
// Thread: one thread at a time. Ownership: a source owns its file; what it hands out by view or
// reference is valid as long as said.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/configuration.h"
#include "core/message.h"
#include "ipc/fault.h"
#include "tools/default_configuration.h"

namespace shmatch::tools {

struct SourcedRequest {
  // Nanoseconds since 1970; since midnight where a log names no day. As the log has it: it may
  // step back.
  core::TimeNs time = 0;
  // Who sent it: the name of a user of configuration(). Valid as long as the source.
  std::string_view user;
  // Always SendOrder or CancelOrder: queries are counted and left out.
  core::Request request;
  // Where in the log it came from, counted from 1: the line of a text, the message of an ITCH file.
  std::uint64_t position = 0;
};

// What became of a log so far. The unit is the format's own record: a line, a FIX message, an ITCH
// message. `read` is the sum of `converted`, all of `skipped` and all of `unknown_types`.
struct SourceCounts {
  std::uint64_t read = 0;
  std::uint64_t converted = 0;  // records that became requests
  std::uint64_t requests = 0;   // what they became: a replace, for one, is two requests
  // Records that name an order which the log does not hold: born before the capture, most often.
  // Their cancels are sent all the same, so that the engine answers them 104.
  std::uint64_t unknown_ids = 0;
  std::map<std::string, std::uint64_t> skipped;        // by reason
  std::map<std::string, std::uint64_t> unknown_types;  // by the type's name in the log
  // Converted records of which a reader should know how: "replace as cancel and new order", ...
  std::map<std::string, std::uint64_t> remarks;
  // The first kExamplesMax records that were skipped because they are malformed: where, and why.
  std::vector<std::string> examples;
};

inline constexpr std::size_t kExamplesMax = 5;

class RequestSource {
 public:
  enum class Next : std::uint8_t {
    kRequest,  // there is one
    kEnd,      // the log is at its end, for good
    kFault,    // the log cannot be read further: fault() says where and why, for good
  };

  virtual ~RequestSource() = default;

  virtual Next next(SourcedRequest& request) = 0;

  // One sentence with the file and the line or offset, after next() said kFault.
  virtual const ipc::Fault& fault() const = 0;

  virtual const SourceCounts& counts() const = 0;

  // What an engine needs to take this log's requests: instruments, users, accounts, capacities.
  // Complete before the first next(), and valid as long as the source.
  virtual const core::Configuration& configuration() const = 0;

  // As --format takes it.
  virtual const char* format_name() const = 0;

  // True when the log holds book events, and the requests were derived from them.
  virtual bool derived() const = 0;

  // 0 to 1: how much of the file has been read, in its own (compressed) bytes.
  virtual double progress() const = 0;

 protected:
  RequestSource() = default;
  RequestSource(const RequestSource&) = default;
  RequestSource& operator=(const RequestSource&) = default;
};

struct SourceOptions {
  // "jsonl", "fix", "itch", "lobster" or "bitstamp"; empty: by the file's content.
  std::string format;
  // For JSON Lines: of the engine that the frames were meant for. Frames of users that it does not
  // have are skipped. The other formats bring all that they need.
  core::Configuration configuration = default_configuration();
  // The user of frames that name none; empty: the configuration's first.
  std::string default_user;
};

// Opens a log. Null with `fault` when it cannot be read, when no format fits (the sentence lists
// them) or when the file named is not of the format asked for. FIX, ITCH, LOBSTER and Bitstamp
// files are read twice, first for what the configuration needs: they must be regular files, and
// opening one takes as long as reading it.
std::unique_ptr<RequestSource> open_source(const std::string& path, const SourceOptions& options,
                                           ipc::Fault& fault);

// The names that SourceOptions::format takes, with commas, for help texts.
std::string source_format_names();

}  // namespace shmatch::tools
