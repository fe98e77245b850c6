#include "tests/process/engine.h"

#include <unistd.h>

#include <csignal>
#include <stdexcept>

namespace shmatch::process_test {

namespace {

std::vector<std::string> engine_command(const std::string& socket,
                                        const std::vector<std::string>& flags) {
  std::vector<std::string> command = {shmatchd_program(), "--socket", socket, "--idle", "yield"};
  command.insert(command.end(), flags.begin(), flags.end());
  return command;
}

}  // namespace

ConfigText::ConfigText()
    : capacity_("working_orders = 20000\nfinished_orders = 20000\nsessions = 128\n") {}

ConfigText& ConfigText::user(std::string_view name, uid_t uid, std::string_view permission,
                             std::string_view accounts) {
  users_ += "[[user]]\nid = " + std::to_string(next_id_++) + "\nname = \"" + std::string(name) +
            "\"\nunix_users = [" + std::to_string(uid) + "]\npermissions = [" +
            (permission.empty() ? "" : "\"" + std::string(permission) + "\"") +
            "]\naccounts = " + std::string(accounts) + "\n";
  return *this;
}

ConfigText& ConfigText::capacity(std::string_view lines) {
  capacity_ = lines;
  return *this;
}

ConfigText& ConfigText::add(std::string_view lines) {
  more_ += lines;
  more_ += '\n';
  return *this;
}

std::string ConfigText::text() const {
  return "oms_id = 1\n"
         "[[instrument]]\nid = 1\nsymbol = \"BTCUSD\"\ntick = \"0.01\"\nlot = \"0.00000001\"\n"
         "[[instrument]]\nid = 3\nsymbol = \"TEST\"\ntick = \"1\"\nlot = \"1\"\n" +
         users_ + "[capacity]\n" + capacity_ + "[socket]\nmode = \"0666\"\n" + more_;
}

ConfigText usual_config() {
  ConfigText config;
  config.user("operator", ::getuid(), "Operator", "[]")
      .user("alice", ::getuid(), "Trading", "[1, 2]")
      .user("bob", ::getuid(), "Trading", "[3]");
  return config;
}

TestEngine::TestEngine(const ConfigText& config)
    : socket_(folder_.file("engine.sock")),
      command_(engine_command(socket_, {"--config", folder_.add("engine.toml", config.text())})),
      process_(Process::execute(command_)) {
  start();
}

TestEngine::TestEngine(const std::vector<std::string>& flags)
    : socket_(folder_.file("engine.sock")),
      command_(engine_command(socket_, flags)),
      process_(Process::execute(command_)) {
  start();
}

void TestEngine::start() {
  if (!process_.running()) process_ = Process::execute(command_);
  if (!process_.read_until("ready " + socket_)) {
    process_.kill();
    throw std::runtime_error("the engine does not serve: " + process_.errors());
  }
}

int TestEngine::stop() {
  process_.signal(SIGTERM);
  return process_.wait().value_or(-1);
}

std::string TestEngine::log() { return process_.errors(); }

bool TestEngine::logs(std::string_view words) {
  return eventually([&] { return process_.errors().find(words) != std::string::npos; });
}

std::vector<std::string> TestEngine::shmatch(const std::vector<std::string>& arguments) const {
  std::vector<std::string> command = {SHMATCH_PROGRAM, "--socket", socket_};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

Outcome TestEngine::run(const std::vector<std::string>& arguments, std::string_view input,
                        std::optional<uid_t> uid) {
  StartOptions options;
  options.uid = uid;
  if (!input.empty()) options.input_file = folder_.add("input", input);
  return finish(Process::execute(shmatch(arguments), options));
}

LogonOptions TestEngine::options(std::string_view user) const {
  LogonOptions options;
  options.socket = socket_;
  options.user = user;
  options.timeout = kPatience;
  return options;
}

std::string shmatchd_program() { return SHMATCHD_PROGRAM; }
std::string shmatch_program() { return SHMATCH_PROGRAM; }

bool may_change_uid() noexcept { return ::geteuid() == 0; }

}  // namespace shmatch::process_test
