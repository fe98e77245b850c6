#include "tests/process/process.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

namespace shmatch::process_test {

using ipc::FileDescriptor;

namespace {

constexpr int kChildSetupFailed = 126;
constexpr Milliseconds kNap{1};

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

struct Pipe {
  FileDescriptor read;
  FileDescriptor write;
};

Pipe make_pipe() {
  int ends[2] = {};
  if (::pipe2(ends, O_CLOEXEC) != 0) fail("pipe2");
  return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

// The kernel makes a process that changes its uid unreadable in /proc, even to itself; a client
// that was started as that uid would not be.
bool become(uid_t uid) noexcept {
  const gid_t gid = uid;
  return ::setgroups(0, nullptr) == 0 && ::setresgid(gid, gid, gid) == 0 &&
         ::setresuid(uid, uid, uid) == 0 && ::prctl(PR_SET_DUMPABLE, 1) == 0;
}

int exit_status(int status) noexcept {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

Milliseconds left_until(Clock::time_point deadline) {
  const auto left = std::chrono::ceil<Milliseconds>(deadline - Clock::now());
  return left.count() > 0 ? left : Milliseconds{0};
}

// Appends what `pipe` holds; closes it at its end.
void drain(FileDescriptor& pipe, std::string& text) {
  char block[1 << 16];
  while (pipe) {
    const ssize_t size = ::read(pipe.get(), block, sizeof(block));
    if (size > 0) {
      text.append(block, static_cast<std::size_t>(size));
    } else if (size < 0 && errno == EINTR) {
      continue;
    } else {
      if (size == 0 || errno != EAGAIN) pipe.reset();
      return;
    }
  }
}

}  // namespace

bool eventually(const std::function<bool()>& condition, Milliseconds limit) {
  const Clock::time_point deadline = Clock::now() + limit;
  while (!condition()) {
    if (Clock::now() >= deadline) return false;
    std::this_thread::sleep_for(kNap);
  }
  return true;
}

struct Process::Ends {
  FileDescriptor input;
  FileDescriptor output;
  FileDescriptor errors;

  // In the child: makes them descriptors 0, 1 and 2.
  bool install(pid_t parent, const StartOptions& options) const noexcept {
    std::signal(SIGPIPE, SIG_DFL);
    if (options.uid && !become(*options.uid)) return false;
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::getppid() != parent) return false;
    return ::dup2(input.get(), STDIN_FILENO) >= 0 && ::dup2(output.get(), STDOUT_FILENO) >= 0 &&
           ::dup2(errors.get(), STDERR_FILENO) >= 0;
  }
};

Process Process::start(const StartOptions& options,
                       const std::function<int(const StartOptions&)>& run) {
  Pipe output = make_pipe();
  Pipe errors = make_pipe();
  Process process;
  Ends ends;
  if (options.input_file.empty()) {
    Pipe input = make_pipe();
    ends.input = std::move(input.read);
    process.input_ = std::move(input.write);
  } else {
    ends.input = FileDescriptor(::open(options.input_file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!ends.input) fail(options.input_file.c_str());
  }
  ends.output = std::move(output.write);
  ends.errors = std::move(errors.write);
  const pid_t parent = ::getpid();
  process.id_ = ::fork();
  if (process.id_ < 0) fail("fork");
  if (process.id_ == 0) {
    // A sibling's pipe held open here would keep that sibling from seeing its end.
    const bool ready = ends.install(parent, options);
    ::_exit(ready ? run(options) : kChildSetupFailed);
  }
  process.output_pipe_ = std::move(output.read);
  process.errors_pipe_ = std::move(errors.read);
  for (const FileDescriptor* pipe : {&process.output_pipe_, &process.errors_pipe_}) {
    ::fcntl(pipe->get(), F_SETFL, O_NONBLOCK);
  }
  return process;
}

Process Process::execute(const std::vector<std::string>& arguments, const StartOptions& options) {
  // Opened here and run by descriptor, because another uid may have no way through the build's
  // folders.
  const FileDescriptor program(::open(arguments.at(0).c_str(), O_PATH | O_CLOEXEC));
  if (!program) fail(arguments.at(0).c_str());
  std::vector<std::string> texts = arguments;
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return start(options, [&](const StartOptions&) {
    ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    ::syscall(SYS_execveat, program.get(), "", pointers.data(), environ, AT_EMPTY_PATH);
    std::perror(texts[0].c_str());
    return kChildSetupFailed;
  });
}

Process Process::branch(const std::function<int()>& body, const StartOptions& options) {
  std::fflush(nullptr);
  return start(options, [&](const StartOptions&) {
    ::close_range(3, ~0U, 0);
    try {
      return body();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
      return kChildSetupFailed;
    }
  });
}

Process::Process(Process&& other) noexcept { *this = std::move(other); }

Process& Process::operator=(Process&& other) noexcept {
  if (this == &other) return *this;
  kill();
  id_ = std::exchange(other.id_, -1);
  status_ = std::exchange(other.status_, std::nullopt);
  input_ = std::move(other.input_);
  output_pipe_ = std::move(other.output_pipe_);
  errors_pipe_ = std::move(other.errors_pipe_);
  output_ = std::move(other.output_);
  errors_ = std::move(other.errors_);
  return *this;
}

Process::~Process() { kill(); }

void Process::kill() noexcept {
  if (id_ < 0 || status_) return;
  ::kill(id_, SIGKILL);
  reap(true);
}

bool Process::reap(bool block) noexcept {
  if (status_) return true;
  int status = 0;
  pid_t ended = 0;
  do {
    ended = ::waitpid(id_, &status, block ? 0 : WNOHANG);
  } while (ended < 0 && errno == EINTR);
  if (ended != id_) return false;
  status_ = exit_status(status);
  return true;
}

bool Process::write(std::string_view text) {
  if (!input_) return false;
  // A child that has gone must not take the test with it.
  std::signal(SIGPIPE, SIG_IGN);
  while (!text.empty()) {
    const ssize_t size = ::write(input_.get(), text.data(), text.size());
    if (size < 0 && errno != EINTR) return false;
    if (size > 0) text.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

void Process::collect(Milliseconds limit) {
  pollfd waiting[] = {{output_pipe_.get(), POLLIN, 0}, {errors_pipe_.get(), POLLIN, 0}};
  if (limit.count() > 0) {
    if (!output_pipe_ && !errors_pipe_) {
      std::this_thread::sleep_for(kNap);
    } else {
      ::poll(waiting, 2, static_cast<int>(limit.count()));
    }
  }
  drain(output_pipe_, output_);
  drain(errors_pipe_, errors_);
}

std::optional<std::string> Process::read_line(Milliseconds limit) {
  const Clock::time_point deadline = Clock::now() + limit;
  for (;;) {
    const std::size_t end = output_.find('\n');
    if (end != std::string::npos) {
      std::string line = output_.substr(0, end);
      output_.erase(0, end + 1);
      return line;
    }
    if (!output_pipe_ || left_until(deadline).count() == 0) return std::nullopt;
    collect(left_until(deadline));
  }
}

bool Process::read_until(std::string_view line, Milliseconds limit) {
  const Clock::time_point deadline = Clock::now() + limit;
  while (const auto next = read_line(left_until(deadline))) {
    if (*next == line) return true;
  }
  return false;
}

const std::string& Process::output() {
  collect(Milliseconds{0});
  return output_;
}

const std::string& Process::errors() {
  collect(Milliseconds{0});
  return errors_;
}

void Process::signal(int number) const noexcept {
  if (id_ > 0 && !status_) ::kill(id_, number);
}

bool Process::stop_running() {
  signal(SIGSTOP);
  int status = 0;
  return eventually([&] {
           if (::waitpid(id_, &status, WUNTRACED | WNOHANG) != id_) return status_.has_value();
           if (!WIFSTOPPED(status)) status_ = exit_status(status);
           return true;
         }) &&
         !status_;
}

void Process::go_on() const noexcept { signal(SIGCONT); }

bool Process::running() { return !reap(false); }

std::optional<int> Process::wait(Milliseconds limit) {
  const Clock::time_point deadline = Clock::now() + limit;
  while (!reap(false)) {
    if (Clock::now() >= deadline) return std::nullopt;
    collect(kNap);
  }
  collect(Milliseconds{0});
  return status_;
}

Outcome finish(Process process, Milliseconds limit) {
  process.close_input();
  Outcome outcome;
  outcome.status = process.wait(limit).value_or(-1);
  outcome.output = process.output();
  outcome.errors = process.errors();
  return outcome;
}

bool say(std::string_view line) {
  const std::string text = std::string(line) + "\n";
  return ::write(STDOUT_FILENO, text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

std::optional<std::string> hear() {
  std::string line;
  char letter = 0;
  while (::read(STDIN_FILENO, &letter, 1) == 1) {
    if (letter == '\n') return line;
    line += letter;
  }
  return std::nullopt;
}

TemporaryFolder::TemporaryFolder() {
  std::string path = (std::filesystem::temp_directory_path() / "shmatch-test-XXXXXX").string();
  if (::mkdtemp(path.data()) == nullptr) fail("mkdtemp");
  path_ = path;
  if (::chmod(path_.c_str(), 0755) != 0) fail("chmod");
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TemporaryFolder::add(std::string_view name, std::string_view content) const {
  std::string path = file(name);
  std::ofstream stream(path, std::ios::binary);
  stream << content;
  stream.close();
  if (!stream) throw std::runtime_error("cannot write " + path);
  return path;
}

}  // namespace shmatch::process_test
