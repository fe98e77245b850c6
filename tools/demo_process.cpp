#include "tools/demo_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

namespace shmatch::tools {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

// An engine that maps its memory on a busy machine needs a second or two.
constexpr seconds kStartDeadline{30};
constexpr seconds kStopDeadline{10};
constexpr int kExecFailed = 127;

[[noreturn]] void throw_system(const std::string& what) {
  throw DemoError(kDemoFailed, what + ": " + std::strerror(errno));
}

std::string sibling(const char* program) {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / program;
}

struct Output {
  int ready;  // write end of the pipe that carries the line `ready`
  int log;
};

[[noreturn]] void become_engine(const std::vector<std::string>& command, const Output& output,
                                const StopSignals& signals, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(kExecFailed);
  // In a group of its own, because a terminal's Ctrl-C is ours to handle.
  ::setpgid(0, 0);
  ::dup2(output.ready, STDOUT_FILENO);
  ::dup2(output.log, STDERR_FILENO);
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  signals.restore();
  ::execv(arguments[0], arguments.data());
  std::perror(arguments[0]);
  ::_exit(kExecFailed);
}

milliseconds left_until(Clock::time_point deadline) {
  const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
  return std::max(left, milliseconds{0});
}

}  // namespace

StopSignals::StopSignals() {
  sigset_t stop;
  ::sigemptyset(&stop);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&stop, number);
  ::sigprocmask(SIG_BLOCK, &stop, &before_);
  handle_ = ipc::FileDescriptor(::signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!handle_) throw_system("cannot watch signals");
}

void StopSignals::check() const {
  signalfd_siginfo info{};
  if (::read(handle_.get(), &info, sizeof(info)) != sizeof(info)) return;
  throw DemoError(kDemoSignal + static_cast<int>(info.ssi_signo), "interrupted");
}

void StopSignals::restore() const noexcept {
  std::signal(SIGPIPE, SIG_DFL);
  ::sigprocmask(SIG_SETMASK, &before_, nullptr);
}

PrivateFolder::PrivateFolder() {
  path_ = std::filesystem::temp_directory_path() / "shmatch-demo-XXXXXX";
  if (::mkdtemp(path_.data()) == nullptr) throw_system("cannot make " + path_);
}

PrivateFolder::~PrivateFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

int wait_readable(const std::vector<int>& handles, const StopSignals& signals, milliseconds limit) {
  std::vector<pollfd> waiting;
  for (const int handle : handles) waiting.push_back({handle, POLLIN, 0});
  waiting.push_back({signals.handle(), POLLIN, 0});
  const int ready = ::poll(waiting.data(), waiting.size(), static_cast<int>(limit.count()));
  signals.check();
  if (ready <= 0) return -1;
  for (std::size_t i = 0; i < handles.size(); ++i) {
    if (waiting[i].revents != 0) return static_cast<int>(i);
  }
  return -1;
}

Child::Child(pid_t id) : id_(id) {
  if (id_ < 0) throw_system("cannot start a process");
  // The C library's own declaration has no C linkage.
  handle_ = ipc::FileDescriptor(static_cast<int>(::syscall(SYS_pidfd_open, id_, 0)));
  if (handle_) return;
  const int error = errno;
  ::kill(id_, SIGKILL);
  reap();
  errno = error;
  throw_system("cannot watch a process");
}

Child::Child(Child&& other) noexcept
    : id_(other.id_),
      handle_(std::move(other.handle_)),
      reaped_(std::exchange(other.reaped_, true)) {}

Child::~Child() {
  if (reaped_) return;
  ::kill(id_, SIGKILL);
  reap();
}

void Child::signal(int number) const noexcept {
  if (!reaped_) ::kill(id_, number);
}

int Child::reap() noexcept {
  int status = 0;
  while (::waitpid(id_, &status, 0) < 0 && errno == EINTR) {
  }
  reaped_ = true;
  return WIFEXITED(status) ? WEXITSTATUS(status) : kDemoSignal + WTERMSIG(status);
}

namespace {

// The last line of a log, for a person.
std::string last_line(const std::string& path) {
  std::ifstream log(path);
  std::string last;
  for (std::string line; std::getline(log, line);) {
    if (!line.empty()) last = line;
  }
  return last;
}

// Waits for the line by which the engine says that it serves.
void await_ready(int output, const std::string& log_path, const StopSignals& signals) {
  const auto deadline = Clock::now() + kStartDeadline;
  for (char byte = 0; byte != '\n';) {
    const bool readable = wait_readable({output}, signals, left_until(deadline)) == 0;
    if (readable && ::read(output, &byte, 1) == 1) continue;
    const std::string words = last_line(log_path);
    throw DemoError(kDemoNoEngine,
                    "the engine did not start" + (words.empty() ? words : ": " + words));
  }
}

Child start_engine(const std::vector<std::string>& command, const std::string& log_path,
                   const StopSignals& signals) {
  int ends[2] = {};
  if (::pipe2(ends, O_CLOEXEC) != 0) throw_system("cannot make a pipe");
  const ipc::FileDescriptor read_end(ends[0]);
  ipc::FileDescriptor write_end(ends[1]);
  ipc::FileDescriptor log(::open(log_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!log) throw_system("cannot write " + log_path);
  std::fflush(nullptr);
  const pid_t parent = ::getpid();
  const pid_t id = ::fork();
  if (id == 0) become_engine(command, {write_end.get(), log.get()}, signals, parent);
  Child child(id);
  // Only the engine holds its end now, so its death shows at ours.
  write_end.reset();
  await_ready(read_end.get(), log_path, signals);
  return child;
}

std::vector<std::string> engine_command(const std::string& socket,
                                        const std::vector<std::string>& flags) {
  std::vector<std::string> command = {sibling("shmatchd"), "--socket", socket};
  command.insert(command.end(), flags.begin(), flags.end());
  return command;
}

}  // namespace

DemoEngine::DemoEngine(const PrivateFolder& folder, const std::string& name,
                       const std::vector<std::string>& flags, const StopSignals& signals)
    : socket_(folder.file(name + ".sock")),
      log_path_(folder.file(name + ".log")),
      child_(start_engine(engine_command(socket_, flags), log_path_, signals)) {}

void DemoEngine::pause() const {
  child_.signal(SIGSTOP);
  ::siginfo_t info{};
  while (::waitid(P_PID, static_cast<id_t>(child_.id()), &info, WSTOPPED | WEXITED | WNOWAIT) < 0 &&
         errno == EINTR) {
  }
}

void DemoEngine::resume() const noexcept { child_.signal(SIGCONT); }

void DemoEngine::stop(const StopSignals& signals) {
  child_.signal(SIGTERM);
  if (wait_readable({child_.handle()}, signals, kStopDeadline) != 0) {
    throw DemoError(kDemoFailed, "the engine did not stop when it was asked to");
  }
  const int status = child_.reap();
  if (status != 0) {
    throw DemoError(kDemoFailed,
                    "the engine ended with status " + std::to_string(status) + ": " + last_words());
  }
}

std::string DemoEngine::last_words() const { return last_line(log_path_); }

}  // namespace shmatch::tools
