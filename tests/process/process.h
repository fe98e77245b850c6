// Child processes under test: started, fed, listened to and waited for, always within a bound.
//
// A child is either a program (execute) or a function of this test in a process of its own
// (branch): clients that misbehave are written beside what is expected of them. Whatever happens,
// no child outlives its Process, nor the test.
//
// Thread: one. All waiting is polling with a deadline; `kPatience` is so long that only a failing
// test sees its end.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ipc/file_descriptor.h"

namespace shmatch::process_test {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;

inline constexpr Milliseconds kPatience{60'000};

// The uid and gid that Debian calls nobody: never the engine's own.
inline constexpr uid_t kNobody = 65534;

// Looks at `condition` about a thousand times a second until it holds or `limit` has passed.
bool eventually(const std::function<bool()>& condition, Milliseconds limit = kPatience);

struct StartOptions {
  std::optional<uid_t> uid;  // runs as this uid and gid, without other groups; needs root
  std::string input_file;    // standard input; empty: a pipe that write and close_input serve
};

class Process {
 public:
  // Runs the program `arguments[0]`, a path that only this process needs to be able to reach.
  static Process execute(const std::vector<std::string>& arguments,
                         const StartOptions& options = {});
  // Runs `body` in a child; what it returns is the exit status. It must not use GoogleTest: it
  // talks through say, hear and its status.
  static Process branch(const std::function<int()>& body, const StartOptions& options = {});

  Process(Process&&) noexcept;
  Process& operator=(Process&&) noexcept;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();  // kills what still runs

  pid_t id() const noexcept { return id_; }

  // Writes all of `text` to the child's standard input. False when the child no longer reads.
  bool write(std::string_view text);
  bool write_line(std::string_view line) { return write(std::string(line) + "\n"); }
  void close_input() noexcept { input_.reset(); }

  // The next whole line of standard output, without its end. Nothing when the child closes its
  // output, or at the limit.
  std::optional<std::string> read_line(Milliseconds limit = kPatience);
  // Waits for a line that equals `line`; lines before it are dropped.
  bool read_until(std::string_view line, Milliseconds limit = kPatience);

  // What the child has written so far and read_line has not taken.
  const std::string& output();
  const std::string& errors();

  void signal(int number) const noexcept;
  // Returns once the kernel reports every thread of the child as stopped.
  bool stop_running();
  void go_on() const noexcept;
  bool running();

  // The exit status; 128 + the signal's number when one ended the child. Nothing at the limit.
  // Afterwards output and errors are complete.
  std::optional<int> wait(Milliseconds limit = kPatience);
  void kill() noexcept;

 private:
  struct Ends;
  Process() = default;
  static Process start(const StartOptions& options,
                       const std::function<int(const StartOptions&)>& run);
  // Takes what the child has written. Waits up to `limit` for something new.
  void collect(Milliseconds limit);
  bool reap(bool block) noexcept;

  pid_t id_ = -1;
  std::optional<int> status_;
  ipc::FileDescriptor input_;
  ipc::FileDescriptor output_pipe_;
  ipc::FileDescriptor errors_pipe_;
  std::string output_;
  std::string errors_;
};

struct Outcome {
  int status = -1;  // -1: it did not end in time
  std::string output;
  std::string errors;
};

// Waits for the end of a child that needs no input any more.
Outcome finish(Process process, Milliseconds limit = kPatience);

// ---- for the bodies of branch

// One line to the test. False when the test is gone.
bool say(std::string_view line);
// The test's next line; nothing when it closed the pipe or is gone.
std::optional<std::string> hear();

// A new folder that every uid may enter, removed with all it holds at the end.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const noexcept { return path_; }
  std::string file(std::string_view name) const { return path_ + "/" + std::string(name); }
  // Writes a file of that name and returns its path.
  std::string add(std::string_view name, std::string_view content) const;

 private:
  std::string path_;
};

}  // namespace shmatch::process_test
