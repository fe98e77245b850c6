// Conversion: what the reader of a format hands over while it goes through a log: requests, and
// what became of each record. LogReader: such a reader. converting_source() makes a RequestSource
// of it.
//
// Thread: one thread at a time.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "core/configuration.h"
#include "core/message.h"
#include "tools/input_file.h"
#include "tools/request_source.h"

namespace shmatch::tools {

// For each record of the log: begin(), then either emit() once or more, or exactly one of skip(),
// skip_malformed() and unknown_type().
class Conversion {
 public:
  // `position` as SourcedRequest has it.
  void begin(std::uint64_t position);

  // A request that the record becomes. `user` must stay valid as long as the reader.
  template <class Message>
  void emit(core::TimeNs time, std::string_view user, const Message& message) {
    core::Request request;
    request.assign(message);
    emit_request(time, user, request);
  }
  void emit_request(core::TimeNs time, std::string_view user, const core::Request& request);

  void skip(const std::string& reason);
  // A record that makes no sense: counted under `reason`, and the first few shown with `why`.
  void skip_malformed(const std::string& reason, std::string_view why);
  void unknown_type(std::string_view name);

  // Beside any of these.
  void remark(const std::string& text);
  void unknown_id() { ++counts_.unknown_ids; }

  const SourceCounts& counts() const noexcept { return counts_; }
  // The oldest request that was not taken yet; false when there is none.
  bool take(SourcedRequest& request);

  // Forgets everything.
  void restart();

 private:
  SourceCounts counts_;
  std::deque<SourcedRequest> waiting_;
  std::uint64_t position_ = 0;
  bool record_converted_ = false;
};

// Of an engine that nothing but the log decides about.
inline constexpr core::Capacities kLeastCapacities{1024, 1024, 256};

// Reads one format. It refers to the InputFile that it was made with.
class LogReader {
 public:
  enum class Read : std::uint8_t {
    kRecord,  // a record was handed to `out`, or something that is none was passed over
    kEnd,
    kFault,  // fault() says why
  };

  virtual ~LogReader() = default;

  // Never called again after kEnd or kFault, but for a restart().
  virtual Read read(Conversion& out) = 0;

  // Begins anew: the file was rewound. Orders are forgotten; what the log needs of a configuration
  // is not.
  virtual void restart() = 0;

  // What the log read so far needs. Capacities are lower bounds: a survey raises them to what its
  // requests may need.
  virtual core::Configuration configuration() const = 0;

  // A fault of the log itself, where read() said kFault; empty when the file is to blame.
  virtual ipc::Fault fault() const { return {}; }

 protected:
  LogReader() = default;
  LogReader(const LogReader&) = delete;
  LogReader& operator=(const LogReader&) = delete;
};

struct SourceTraits {
  const char* format_name;
  bool derived;   // the requests are derived from book events
  bool surveyed;  // the configuration is known only after the whole log was read once
};

// A source that reads `file` through `reader`. Null with `fault` when the survey is not possible.
std::unique_ptr<RequestSource> converting_source(const SourceTraits& traits,
                                                 std::unique_ptr<InputFile> file,
                                                 std::unique_ptr<LogReader> reader,
                                                 ipc::Fault& fault);

}  // namespace shmatch::tools
