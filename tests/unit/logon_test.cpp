// Logons: who is refused and with which sentence, what hostile packets do, and how a server takes
// its socket.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <string>
#include <vector>

#include "ipc/seqpacket.h"
#include "ipc/socket_path.h"
#include "tests/unit/test_server.h"

namespace shmatch {
namespace {

class LogonTest : public ServerTest {
 protected:
  void expect_refused(const LogonOptions& options, const std::string& sentence) {
    Client client;
    const Failure failed = client.logon(options);
    EXPECT_EQ(failed.error, ClientError::kRefused) << failed.text;
    EXPECT_NE(failed.text.find(sentence), std::string::npos) << failed.text;
    EXPECT_FALSE(client.logged_on());
  }

  ipc::FileDescriptor connected() {
    ipc::FileDescriptor socket = ipc::make_socket();
    EXPECT_EQ(ipc::connect_socket(socket.get(), options_.socket_path), 0);
    return socket;
  }

  // What the engine says next: the farewell's sentence, or "closed", or "offer".
  static std::string answer(int socket) {
    std::array<std::byte, ipc::kPacketBytesMax> buffer{};
    ipc::Received received;
    if (!eventually([&] {
          received = ipc::receive_packet(socket, buffer);
          return received.outcome != ipc::Received::Outcome::kNothing;
        })) {
      return "silence";
    }
    if (received.outcome == ipc::Received::Outcome::kClosed) return "closed";
    const auto bytes = std::span<const std::byte>(buffer).first(received.size);
    if (ipc::Farewell farewell; ipc::read_packet(bytes, farewell)) {
      return std::string(ipc::get_text(farewell.sentence));
    }
    ipc::LogonOffer offer;
    return ipc::read_packet(bytes, offer) ? "offer" : "nonsense";
  }

  static ipc::LogonRequest good_request() {
    ipc::LogonRequest request;
    request.request_slots = 64;
    request.report_slots = 256;
    return request;
  }
};

TEST_F(LogonTest, TellsWhoLoggedOn) {
  start();
  Client client = logged_on("bob");
  EXPECT_EQ(client.session().user_id, kBobUser);
  EXPECT_EQ(client.session().user_name, "bob");
  EXPECT_EQ(client.session().permissions, core::kPermissionTrading);
  EXPECT_NE(client.session().serial, 0U);
  EXPECT_EQ(client.reference().instrument(1)->symbol, "TEST");
  EXPECT_EQ(client.reference().user_name(kCarolUser), "carol");
}

TEST_F(LogonTest, WithoutANameTakesTheFirstConfiguredUser) {
  start();
  Client client = logged_on("");
  EXPECT_EQ(client.session().user_name, "alice");
}

TEST_F(LogonTest, RefusesAUidThatIsNotConfigured) {
  options_.logon_rules = {{::geteuid() + 1, {kAliceUser}}};
  start();
  expect_refused(logon_as("alice"), "uid " + std::to_string(::geteuid()) + " may not log on");
  EXPECT_EQ(server_.statistics().logons_refused, 1U);
}

TEST_F(LogonTest, RefusesUnknownAndForeignUsers) {
  start();
  expect_refused(logon_as("nobody"), "unknown user nobody");
  expect_refused(logon_as("carol"), "may not log on as carol");
}

TEST_F(LogonTest, RefusesWhenAllSessionsAreTaken) {
  start();
  std::vector<Client> clients;
  for (int i = 0; i < 4; ++i) clients.push_back(logged_on("alice"));
  expect_refused(logon_as("alice"), "all 4 sessions");
  clients.pop_back();
  Client next_one;
  EXPECT_TRUE(eventually([&] { return !next_one.logon(logon_as("alice")); }));
}

TEST_F(LogonTest, RefusesRingSizesOutOfRange) {
  options_.report_slots_max = 1024;
  start();
  LogonOptions options = logon_as("alice");
  options.report_slots = 2048;
  expect_refused(options, "256 to 1024 report slots");
  for (const std::uint32_t bad : {0U, 32U, 100U, 1U << 17}) {
    options = logon_as("alice");
    options.request_slots = bad;
    Client client;
    EXPECT_EQ(client.logon(options).error, ClientError::kBadArgument) << bad;
  }
}

TEST_F(LogonTest, RefusesAnotherProtocolVersion) {
  start();
  const ipc::FileDescriptor socket = connected();
  ipc::LogonRequest request = good_request();
  request.header.version = 7;
  ASSERT_TRUE(ipc::send_packet(socket.get(), request));
  EXPECT_EQ(answer(socket.get()), "this engine speaks protocol version 2, this client version 7");
}

TEST_F(LogonTest, RefusesAResumableSessionWithoutAName) {
  start();
  for (const std::uint32_t flag : {ipc::kLogonResumable, ipc::kLogonResume}) {
    for (const std::size_t length : {0U, 32U}) {  // 32: not even the terminating zero has room
      const ipc::FileDescriptor socket = connected();
      ipc::LogonRequest request = good_request();
      request.flags = flag;
      std::fill_n(request.session_name, length, 'x');
      ASSERT_TRUE(ipc::send_packet(socket.get(), request));
      EXPECT_NE(answer(socket.get()).find("known by its name"), std::string::npos);
    }
  }
}

TEST_F(LogonTest, ClosesOnPacketsThatAreNone) {
  start();
  const auto send_and_hear = [this](std::span<const std::byte> bytes) {
    const ipc::FileDescriptor socket = connected();
    EXPECT_TRUE(ipc::send_bytes(socket.get(), bytes));
    return answer(socket.get());
  };
  const ipc::LogonRequest good = [] {
    ipc::LogonRequest request = good_request();
    request.header.type = ipc::PacketType::kLogonRequest;
    return request;
  }();
  const auto bytes = std::as_bytes(std::span(&good, 1));
  for (std::size_t size = 1; size < bytes.size(); ++size) {
    EXPECT_EQ(send_and_hear(bytes.first(size)), "closed") << size;
  }
  const std::vector<std::byte> large(5000);
  EXPECT_EQ(send_and_hear(large), "closed");
  ipc::LogonRequest wrong = good;
  wrong.flags = 1U << 31;
  EXPECT_EQ(send_and_hear(std::as_bytes(std::span(&wrong, 1))), "closed");
  wrong = good;
  wrong.header.magic ^= 1;
  EXPECT_EQ(send_and_hear(std::as_bytes(std::span(&wrong, 1))), "closed");
  EXPECT_EQ(send_and_hear(bytes), "offer");
  Client client = logged_on("alice");
  EXPECT_TRUE(answers(client));
}

TEST_F(LogonTest, ConfirmWithoutMappingIsRefusedAndTheSlotComesBack) {
  options_.configuration.capacities.sessions = 1;
  start();
  for (int i = 0; i < 5; ++i) {
    const ipc::FileDescriptor socket = connected();
    ASSERT_TRUE(ipc::send_packet(socket.get(), good_request()));
    ASSERT_EQ(answer(socket.get()), "offer");
    ASSERT_TRUE(ipc::send_packet(socket.get(), ipc::Confirm{}));
    EXPECT_NE(answer(socket.get()).find("has not mapped"), std::string::npos);
  }
  Client client = logged_on("alice");
  EXPECT_TRUE(answers(client));
}

TEST_F(LogonTest, AHalfOpenLogonHoldsNobodyUp) {
  start();
  std::vector<ipc::FileDescriptor> stalled;
  for (int i = 0; i < 20; ++i) stalled.push_back(connected());
  Client client = logged_on("alice");
  EXPECT_TRUE(answers(client));
}

TEST_F(LogonTest, ASecondEngineOnTheSameSocketIsRefused) {
  start();
  ipc::Server second;
  const ipc::Fault fault = second.start(options_);
  EXPECT_NE(fault.text.find("already serves"), std::string::npos) << fault.text;
  Client client = logged_on("alice");
  EXPECT_TRUE(answers(client));
}

TEST_F(LogonTest, AStaleSocketIsReplaced) {
  {
    // A socket file that nobody listens on, as a killed engine leaves it.
    const ipc::FileDescriptor dead = ipc::make_socket();
    ASSERT_EQ(ipc::bind_socket(dead.get(), options_.socket_path), 0);
  }
  start();
  Client client = logged_on("alice");
  EXPECT_TRUE(answers(client));
}

TEST_F(LogonTest, AFileThatIsNoSocketIsLeftAlone) {
  { std::ofstream(options_.socket_path) << "precious"; }
  const ipc::Fault fault = server_.start(options_);
  EXPECT_NE(fault.text.find("not a socket"), std::string::npos) << fault.text;
  EXPECT_TRUE(std::filesystem::exists(options_.socket_path));
}

TEST_F(LogonTest, StartFaultsAreSentences) {
  const auto fault_of = [this](auto change) {
    ipc::ServerOptions options = options_;
    change(options);
    return ipc::Server().start(options).text;
  };
  EXPECT_NE(fault_of([&](auto& o) {
              o.socket_path = folder_.file(std::string(120, 'x'));
            }).find("107 characters"),
            std::string::npos);
  EXPECT_NE(fault_of([&](auto& o) {
              o.socket_path = folder_.file("missing/engine.sock");
            }).find("cannot create the lock file"),
            std::string::npos);
  EXPECT_NE(fault_of([](auto& o) { o.cpu = 4000; }).find("not available"), std::string::npos);
  EXPECT_NE(fault_of([](auto& o) { o.backlog_slots = 300; }).find("powers of two"),
            std::string::npos);
  EXPECT_NE(fault_of([](auto& o) { o.logon_rules[0].users.push_back(99); }).find("unknown user 99"),
            std::string::npos);
  EXPECT_NE(
      fault_of([](auto& o) { o.logon_rules.push_back(o.logon_rules[0]); }).find("two logon rules"),
      std::string::npos);
  EXPECT_FALSE(fault_of([](auto& o) { o.configuration.instruments.clear(); }).empty());
  // Nothing is left behind by any of them.
  start();
}

TEST_F(LogonTest, TheSocketHasTheModeThatWasAskedFor) {
  options_.socket_mode = 0620;
  start();
  struct stat status {};
  ASSERT_EQ(::stat(options_.socket_path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0620U);
}

TEST(SocketPath, PrefersTheRuntimeFolder) {
  ::setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
  EXPECT_EQ(ipc::default_socket_path(), "/run/user/7/shmatch/engine.sock");
  ::setenv("XDG_RUNTIME_DIR", "relative", 1);
  EXPECT_EQ(ipc::default_socket_path(),
            "/tmp/shmatch-" + std::to_string(::geteuid()) + "/engine.sock");
  ::unsetenv("XDG_RUNTIME_DIR");
}

TEST(SocketPath, TheDefaultFolderMustBePrivate) {
  const TemporaryFolder folder;
  ::setenv("XDG_RUNTIME_DIR", folder.file("").c_str(), 1);
  EXPECT_TRUE(ipc::check_default_folder(false));
  EXPECT_FALSE(ipc::check_default_folder(true));
  EXPECT_FALSE(ipc::check_default_folder(false));
  std::filesystem::permissions(folder.file("shmatch"), std::filesystem::perms::others_read,
                               std::filesystem::perm_options::add);
  EXPECT_NE(ipc::check_default_folder(true).text.find("0700"), std::string::npos);
  ::unsetenv("XDG_RUNTIME_DIR");
}

}  // namespace
}  // namespace shmatch
