// The processes and files around the demo: a private folder, engines, and what ends a run early.
//
// Nothing outlives the demo: its children die with it, and the destructors here remove the rest.
// Thread: one.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include "ipc/file_descriptor.h"

namespace shmatch::tools {

// Exit statuses of the demo, with the meanings that `shmatch` gives them.
inline constexpr int kDemoFailed = 1;
inline constexpr int kDemoUsage = 2;
inline constexpr int kDemoNoEngine = 3;
inline constexpr int kDemoEngineGone = 4;
inline constexpr int kDemoSignal = 128;  // plus the signal's number

// Ends the demo. An empty sentence prints nothing.
struct DemoError : std::runtime_error {
  DemoError(int exit_status, const std::string& sentence)
      : std::runtime_error(sentence), status(exit_status) {}
  int status;
};

// SIGINT, SIGTERM and SIGHUP are blocked from construction on and show here instead; children
// started meanwhile are given the mask that was there before.
class StopSignals {
 public:
  StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  int handle() const noexcept { return handle_.get(); }  // readable when one is pending
  // Throws DemoError when one has come.
  void check() const;
  // In a child before exec: signals are as they were.
  void restore() const noexcept;

 private:
  sigset_t before_;
  ipc::FileDescriptor handle_;
};

// A folder that only this user may enter, removed with all it holds.
class PrivateFolder {
 public:
  PrivateFolder();
  ~PrivateFolder();
  PrivateFolder(const PrivateFolder&) = delete;
  PrivateFolder& operator=(const PrivateFolder&) = delete;
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// Waits until one of `handles` is readable, or a stop signal comes, which throws. The number of the
// handle; -1 when the time is up.
int wait_readable(const std::vector<int>& handles, const StopSignals& signals,
                  std::chrono::milliseconds limit);

// A child process: killed and reaped at the end, whatever happens.
class Child {
 public:
  explicit Child(pid_t id);
  ~Child();
  Child(Child&&) noexcept;
  Child& operator=(Child&&) = delete;

  pid_t id() const noexcept { return id_; }
  int handle() const noexcept { return handle_.get(); }  // its pidfd: readable once it has ended
  void signal(int number) const noexcept;
  // Takes the status of a child that has ended: its exit status, or 128 plus the signal's number.
  int reap() noexcept;

 private:
  pid_t id_;
  ipc::FileDescriptor handle_;
  bool reaped_ = false;
};

// The program `shmatchd` that lies beside this one, serving its default configuration on a socket
// in `folder`. The constructor returns when it serves; throws DemoError when it does not.
class DemoEngine {
 public:
  DemoEngine(const PrivateFolder& folder, const std::string& name,
             const std::vector<std::string>& flags, const StopSignals& signals);

  const std::string& socket() const noexcept { return socket_; }
  const Child& process() const noexcept { return child_; }
  // Its core is free when this returns: the kernel has said that the process stopped.
  void pause() const;
  void resume() const noexcept;
  // Asks it to stop. Throws DemoError when it does not end well.
  void stop(const StopSignals& signals);
  // What it said last, for a person; empty when it said nothing.
  std::string last_words() const;

 private:
  std::string socket_;
  std::string log_path_;
  Child child_;
};

}  // namespace shmatch::tools
