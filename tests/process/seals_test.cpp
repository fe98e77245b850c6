// What a logged-on client of another uid can do to the memory it shares with the engine: write
// where it may write through the mapping that it made at logon, and nothing else.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/falloc.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "ipc/observer.h"
#include "tests/process/engine.h"
#include "tests/process/raw_session.h"

namespace shmatch::process_test {
namespace {

// One memory as the client holds it.
struct Shared {
  const char* name;
  int handle;
  std::byte* mapping;
  std::size_t size;
  bool writable;  // the mapping is
};

// 0 when the call succeeded, else its error number.
int error_of(long result) { return result == -1 ? errno : 0; }

int map_error(int handle, std::size_t size, int protection, int flags) {
  void* memory = ::mmap(nullptr, size, protection, flags, handle, 0);
  if (memory == MAP_FAILED) return errno;
  ::munmap(memory, size);
  return 0;
}

int fallocate_error(int handle, int mode, std::size_t offset, std::size_t size) {
  return error_of(::fallocate(handle, mode, static_cast<off_t>(offset), static_cast<off_t>(size)));
}

int sendfile_error(int handle) {
  const ipc::FileDescriptor source(::memfd_create("source", MFD_CLOEXEC));
  if (::ftruncate(source.get(), 4096) != 0) return -1;
  return error_of(::sendfile(handle, source.get(), nullptr, 64));
}

int splice_error(int handle) {
  int ends[2];
  if (::pipe(ends) != 0 || ::write(ends[1], "12345678", 8) != 8) return -1;
  const int error = error_of(::splice(ends[0], nullptr, handle, nullptr, 8, 0));
  ::close(ends[0]);
  ::close(ends[1]);
  return error;
}

// Everything that could change bytes, pages or size through the descriptor. Only sealing holds
// these back: the file's mode lets everybody write.
struct Attempt {
  const char* name;
  std::function<int(int handle, std::size_t size)> run;  // an error number; 0 is success
  std::vector<int> refusals;                             // the error numbers that count as refused
};

std::vector<Attempt> attempts() {
  constexpr int kKeep = FALLOC_FL_KEEP_SIZE;
  return {
      {"write", [](int h, std::size_t) { return error_of(::write(h, "x", 1)); }, {EPERM}},
      {"pwrite", [](int h, std::size_t) { return error_of(::pwrite(h, "x", 1, 0)); }, {EPERM}},
      {"pwrite behind the end",
       [](int h, std::size_t size) {
         return error_of(::pwrite(h, "x", 1, static_cast<off_t>(size)));
       },
       {EPERM}},
      {"pwritev2",
       [](int h, std::size_t) {
         iovec part{const_cast<char*>("x"), 1};
         return error_of(::pwritev2(h, &part, 1, 0, 0));
       },
       {EPERM}},
      {"sendfile", [](int h, std::size_t) { return sendfile_error(h); }, {EPERM}},
      {"splice", [](int h, std::size_t) { return splice_error(h); }, {EPERM}},
      {"map writable",
       [](int h, std::size_t size) {
         return map_error(h, size, PROT_READ | PROT_WRITE, MAP_SHARED);
       },
       {EPERM}},
      {"map for writing only",
       [](int h, std::size_t size) { return map_error(h, size, PROT_WRITE, MAP_SHARED); },
       {EPERM}},
      {"map readable, then mprotect writable",
       [](int h, std::size_t size) {
         void* memory = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, h, 0);
         if (memory == MAP_FAILED) return errno;
         const int error = error_of(::mprotect(memory, size, PROT_READ | PROT_WRITE));
         ::munmap(memory, size);
         return error;
       },
       {EACCES}},
      {"shrink",
       [](int h, std::size_t size) {
         return error_of(::ftruncate(h, static_cast<off_t>(size - 4096)));
       },
       {EPERM}},
      {"shrink to nothing",
       [](int h, std::size_t) { return error_of(::ftruncate(h, 0)); },
       {EPERM}},
      {"grow",
       [](int h, std::size_t size) {
         return error_of(::ftruncate(h, static_cast<off_t>(size + 4096)));
       },
       {EPERM}},
      {"fallocate behind the end",
       [](int h, std::size_t size) { return fallocate_error(h, 0, size, 4096); },
       {EPERM}},
      {"punch a hole",
       [](int h, std::size_t) {
         return fallocate_error(h, FALLOC_FL_PUNCH_HOLE | kKeep, 4096, 4096);
       },
       {EPERM}},
      {"punch everything out",
       [](int h, std::size_t size) {
         return fallocate_error(h, FALLOC_FL_PUNCH_HOLE | kKeep, 0, size);
       },
       {EPERM}},
      {"zero a range",
       [](int h, std::size_t) { return fallocate_error(h, FALLOC_FL_ZERO_RANGE, 0, 4096); },
       {EPERM, EOPNOTSUPP}},
      {"collapse a range",
       [](int h, std::size_t) { return fallocate_error(h, FALLOC_FL_COLLAPSE_RANGE, 0, 4096); },
       {EPERM, EOPNOTSUPP}},
      {"add a seal",
       [](int h, std::size_t) { return error_of(::fcntl(h, F_ADD_SEALS, F_SEAL_WRITE)); },
       {EPERM}},
  };
}

class Verdict {
 public:
  void expect(const std::string& what, int error, const std::vector<int>& refusals) {
    for (const int refusal : refusals) {
      if (error == refusal) return;
    }
    const std::string text = error == 0 ? "was allowed" : std::strerror(error);
    say(what + ": " + text);
    ++faults_;
  }
  int faults() const { return faults_; }

 private:
  int faults_ = 0;
};

// All attempts on one descriptor of the memory. The refusal of a descriptor that cannot write at
// all is as good.
void attack(Verdict& verdict, const std::string& name, int handle, std::size_t size) {
  for (const Attempt& attempt : attempts()) {
    std::vector<int> refusals = attempt.refusals;
    const int mode = ::fcntl(handle, F_GETFL) & O_ACCMODE;
    if (mode == O_RDONLY) refusals.insert(refusals.end(), {EBADF, EACCES, EINVAL});
    verdict.expect(name + ", " + attempt.name, attempt.run(handle, size), refusals);
  }
}

// The same through a descriptor opened anew, which starts with all the rights of the file's mode.
void attack_reopened(Verdict& verdict, const Shared& shared) {
  const std::string path = "/proc/self/fd/" + std::to_string(shared.handle);
  const ipc::FileDescriptor reopened(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!reopened) {
    verdict.expect(std::string(shared.name) + " reopened", errno, {EACCES, EPERM});
    return;
  }
  attack(verdict, std::string(shared.name) + " reopened", reopened.get(), shared.size);
  const ipc::FileDescriptor truncating(::open(path.c_str(), O_RDWR | O_TRUNC | O_CLOEXEC));
  verdict.expect(std::string(shared.name) + " reopened with O_TRUNC", truncating ? 0 : errno,
                 {EPERM, EACCES});
}

// What can be tried with the mapping itself.
void attack_mapping(Verdict& verdict, const Shared& shared) {
  const std::string name = shared.name;
  verdict.expect(name + ", MADV_REMOVE",
                 error_of(::madvise(shared.mapping, shared.size, MADV_REMOVE)), {EPERM, EACCES});
  if (!shared.writable) {
    verdict.expect(name + ", mprotect",
                   error_of(::mprotect(shared.mapping, shared.size, PROT_READ | PROT_WRITE)),
                   {EACCES});
  }
  void* grown = ::mremap(shared.mapping, shared.size, shared.size + 4096, MREMAP_MAYMOVE);
  if (grown != MAP_FAILED) {
    // The kernel lets a mapping reach behind the end of its memory; put it back.
    ::mremap(grown, shared.size + 4096, shared.size, MREMAP_MAYMOVE | MREMAP_FIXED, shared.mapping);
  }
}

bool has_size(int handle, std::size_t size) {
  struct stat status = {};
  return ::fstat(handle, &status) == 0 && status.st_size == static_cast<off_t>(size);
}

int attack_both(const std::string& socket) {
  RawSession session(socket);
  session.logon("carol");
  const Shared requests{"requests", session.requests_handle(), session.requests().data(),
                        session.requests().size(), true};
  const Shared reports{"reports", session.reports_handle(),
                       const_cast<std::byte*>(session.reports().data()), session.reports().size(),
                       false};
  Verdict verdict;
  for (const Shared& shared : {requests, reports}) {
    attack(verdict, shared.name, shared.handle, shared.size);
    attack_reopened(verdict, shared);
    attack_mapping(verdict, shared);
    if (!has_size(shared.handle, shared.size)) {
      verdict.expect(std::string(shared.name) + ", size", 0, {});
    }
    // Private copies hurt nobody.
    if (map_error(shared.handle, shared.size, PROT_READ | PROT_WRITE, MAP_PRIVATE) != 0) {
      verdict.expect(std::string(shared.name) + ", private mapping", 0, {});
    }
  }
  if (!session.served()) {
    say("not served after the attempts");
    return 1;
  }
  return verdict.faults() == 0 ? 0 : 1;
}

ConfigText carol_is_nobody() {
  ConfigText config = usual_config();
  config.user("carol", kNobody, "Trading", "[4]");
  return config;
}

TEST(Seals, RefuseEveryWayToChangeEitherMemoryFromAnotherUid) {
  if (!may_change_uid()) GTEST_SKIP() << "changing the uid needs root";
  TestEngine engine(carol_is_nobody());
  RawSession other(engine.socket());
  other.logon("alice");
  StartOptions options;
  options.uid = kNobody;
  const Outcome outcome =
      finish(Process::branch([&] { return attack_both(engine.socket()); }, options));
  EXPECT_EQ(outcome.status, 0) << outcome.output << outcome.errors;
  EXPECT_EQ(outcome.output, "");
  EXPECT_TRUE(other.served());
}

TEST(Seals, StandWhenTheEngineBeginsToServe) {
  TestEngine engine;
  RawSession session(engine.socket());
  session.logon("alice");
  constexpr int kWanted = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL;
  EXPECT_EQ(::fcntl(session.requests_handle(), F_GET_SEALS) & kWanted, kWanted);
  EXPECT_EQ(::fcntl(session.reports_handle(), F_GET_SEALS) & kWanted, kWanted);
}

int attack_counters(const std::string& socket) {
  ipc::Observer observer;
  if (const Failure failed = observer.connect(socket)) {
    say(failed.text);
    return 1;
  }
  const int handle = observer.page_handle();
  const std::size_t size = ipc::counters_size(observer.header().session_slots);
  void* mapping = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, handle, 0);
  if (mapping == MAP_FAILED) return 1;
  const Shared counters{"counters", handle, static_cast<std::byte*>(mapping), size, false};
  Verdict verdict;
  attack(verdict, counters.name, handle, size);
  attack_reopened(verdict, counters);
  attack_mapping(verdict, counters);
  ::munmap(mapping, size);
  ipc::CountersLook look;
  if (!has_size(handle, size) || !observer.look(look)) verdict.expect("counters, look", 0, {});
  return verdict.faults() == 0 ? 0 : 1;
}

TEST(Seals, RefuseEveryWayToChangeTheCountersFromAnotherUid) {
  if (!may_change_uid()) GTEST_SKIP() << "changing the uid needs root";
  TestEngine engine(carol_is_nobody());
  StartOptions options;
  options.uid = kNobody;
  const Outcome outcome =
      finish(Process::branch([&] { return attack_counters(engine.socket()); }, options));
  EXPECT_EQ(outcome.status, 0) << outcome.output << outcome.errors;
  EXPECT_EQ(outcome.output, "");
}

// Between the offer and the confirmation the requests memory is not yet sealed against holes.
TEST(Seals, MakeAHolePunchedBeforeThemHarmless) {
  if (!may_change_uid()) GTEST_SKIP() << "changing the uid needs root";
  TestEngine engine(carol_is_nobody());
  RawSession other(engine.socket());
  other.logon("alice");
  StartOptions options;
  options.uid = kNobody;
  const auto puncher = [&] {
    RawSession session(engine.socket());
    session.send(session.request("carol"));
    session.receive_offer();
    session.map();
    const int handle = session.requests_handle();
    const std::size_t size = session.requests().size();
    if (fallocate_error(handle, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, size) != 0) return 1;
    if (error_of(::ftruncate(handle, 0)) != EPERM) return 2;
    session.confirm();
    struct stat status = {};
    ::fstat(handle, &status);
    // Every page is there again, so that no access of the engine can fail for lack of memory.
    if (static_cast<std::size_t>(status.st_blocks) * 512 < size) return 3;
    return session.served() ? 0 : 4;
  };
  const Outcome outcome = finish(Process::branch(puncher, options));
  EXPECT_EQ(outcome.status, 0) << outcome.errors;
  EXPECT_TRUE(other.served());
}

// Sealing comes before sending for what the engine writes: there is no moment in which a client
// could take a writable mapping.
TEST(Seals, OfTheReportsStandBeforeTheClientHasThem) {
  TestEngine engine;
  RawSession session(engine.socket());
  session.send(session.request("alice"));
  session.receive_offer();
  EXPECT_EQ(map_error(session.reports_handle(), session.offer().reports_size,
                      PROT_READ | PROT_WRITE, MAP_SHARED),
            EPERM);
}

}  // namespace
}  // namespace shmatch::process_test
