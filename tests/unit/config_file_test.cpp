// The configuration file: what it may say, and the sentence for everything that it may not.
#include "tools/config_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>

namespace shmatch::tools {
namespace {

const std::string kInstrument =
    "[[instrument]]\nid = 1\nsymbol = \"BTCUSD\"\ntick = \"0.01\"\nlot = \"0.00000001\"\n";
const std::string kUser =
    "[[user]]\nid = 10\nname = \"alice\"\nunix_users = [\"root\"]\n"
    "permissions = [\"Trading\"]\naccounts = [1, 5]\n";
const std::string kValid = kInstrument + kUser;

ipc::ServerOptions parsed(const std::string& text) {
  ipc::ServerOptions options;
  const ipc::Fault fault = parse_config(text, "a.toml", options);
  EXPECT_EQ(fault.text, "");
  return options;
}

// The sentence that refuses `text`.
std::string refusal(const std::string& text) {
  ipc::ServerOptions options;
  options.socket_path = "untouched";
  const std::string sentence = parse_config(text, "a.toml", options).text;
  EXPECT_EQ(options.socket_path, "untouched");
  EXPECT_TRUE(options.configuration.instruments.empty());
  return sentence;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

void expect_equal_logon_rules(const ipc::ServerOptions& a, const ipc::ServerOptions& b) {
  ASSERT_EQ(a.logon_rules.size(), b.logon_rules.size());
  for (std::size_t i = 0; i < a.logon_rules.size(); ++i) {
    EXPECT_EQ(a.logon_rules[i].uid, b.logon_rules[i].uid);
    EXPECT_EQ(a.logon_rules[i].users, b.logon_rules[i].users);
  }
}

TEST(ConfigFile, ASmallFileGivesItsValuesAndTheDefaultsOfTheRest) {
  const ipc::ServerOptions options = parsed("oms_id = 7\n" + kValid);
  core::Configuration expected;
  expected.oms_id = 7;
  expected.instruments = {{1, "BTCUSD", {1, -2}, {1, -8}}};
  expected.users = {{10, "alice", core::kPermissionTrading, {1, 5}}};
  expected.accounts = {1, 5};
  EXPECT_EQ(options.configuration, expected);
  ASSERT_EQ(options.logon_rules.size(), 1U);
  EXPECT_EQ(options.logon_rules[0].uid, 0U);
  EXPECT_EQ(options.logon_rules[0].users, std::vector<core::UserId>{10});
  const ipc::ServerOptions defaults;
  EXPECT_EQ(options.socket_path, "");
  EXPECT_EQ(options.socket_mode, defaults.socket_mode);
  EXPECT_EQ(options.socket_group, std::nullopt);
  EXPECT_EQ(options.cpu, std::nullopt);
  EXPECT_EQ(options.idle, defaults.idle);
  EXPECT_EQ(options.backlog_slots, defaults.backlog_slots);
}

TEST(ConfigFile, EveryKeyIsRead) {
  const ipc::ServerOptions options =
      parsed("accounts = [9, 2]\n" + kValid +
             "[capacity]\nworking_orders = 8\nfinished_orders = 0\nsessions = 3\nprice_levels = 5\n"
             "backlog_slots = 256\n"
             "[rate_limit]\nrequests_per_second = 100\nburst = 5\n"
             "[socket]\npath = \"/tmp/a.sock\"\nmode = \"0660\"\ngroup = \"root\"\n"
             "[engine]\ncpu = 1\nidle = \"sleep\"\n");
  EXPECT_EQ(options.configuration.accounts, (std::vector<core::AccountId>{1, 2, 5, 9}));
  EXPECT_EQ(options.configuration.capacities, (core::Capacities{8, 0, 3, 5}));
  EXPECT_EQ(options.configuration.rate_per_second, 100U);
  EXPECT_EQ(options.configuration.rate_burst, 5U);
  EXPECT_EQ(options.backlog_slots, 256U);
  EXPECT_EQ(options.socket_path, "/tmp/a.sock");
  EXPECT_EQ(options.socket_mode, 0660U);
  EXPECT_EQ(options.socket_group, std::optional<gid_t>(0));
  EXPECT_EQ(options.cpu, std::optional<int>(1));
  EXPECT_EQ(options.idle, ipc::IdleMode::kSleep);
}

TEST(ConfigFile, UnixUsersAreNamesNumbersOrDigitsAndKeepTheConfiguredOrder) {
  const std::string bob =
      "[[user]]\nid = 4\nname = \"bob\"\nunix_users = [\"1234\", 0]\npermissions = []\n";
  const ipc::ServerOptions options =
      parsed(replaced(kValid, "[\"root\"]", "[\"root\", 0, \"0\", 1234]") + bob);
  ASSERT_EQ(options.logon_rules.size(), 2U);
  EXPECT_EQ(options.logon_rules[0].uid, 0U);
  EXPECT_EQ(options.logon_rules[0].users, (std::vector<core::UserId>{10, 4}));
  EXPECT_EQ(options.logon_rules[1].uid, 1234U);
  EXPECT_EQ(options.logon_rules[1].users, (std::vector<core::UserId>{10, 4}));
}

TEST(ConfigFile, PermissionsAddUp) {
  const ipc::ServerOptions options =
      parsed(replaced(kValid, "[\"Trading\"]", "[\"AccountReadOnly\", \"Operator\"]"));
  EXPECT_EQ(options.configuration.users[0].permissions,
            core::kPermissionAccountReadOnly | core::kPermissionOperator);
}

TEST(ConfigFile, TextThatIsNoTomlNamesItsLine) {
  EXPECT_EQ(refusal("oms_id = 1\noms_id = 2\n").rfind("a.toml:2: ", 0), 0U);
  EXPECT_EQ(refusal("oms_id = 1\n\nwhat?\n").rfind("a.toml:3: ", 0), 0U);
}

TEST(ConfigFile, UnknownKeysAreRefusedWhereverTheyStand) {
  EXPECT_EQ(refusal("omsid = 1\n" + kValid), "a.toml:1: unknown key `omsid`");
  EXPECT_EQ(refusal(replaced(kValid, "lot", "lots")), "a.toml:5: unknown key `instrument[0] lots`");
  EXPECT_EQ(refusal(kValid + "account = 1\n"), "a.toml:12: unknown key `user[0] account`");
  EXPECT_EQ(refusal(kValid + "[capacity]\norders = 1\n"),
            "a.toml:13: unknown key `capacity orders`");
  EXPECT_EQ(refusal(kValid + "[rate_limit]\nrate = 1\n"),
            "a.toml:13: unknown key `rate_limit rate`");
  EXPECT_EQ(refusal(kValid + "[socket]\nname = 1\n"), "a.toml:13: unknown key `socket name`");
  EXPECT_EQ(refusal(kValid + "[engine]\npin = 1\n"), "a.toml:13: unknown key `engine pin`");
}

TEST(ConfigFile, MissingKeysNameTheirTable) {
  EXPECT_EQ(refusal(replaced(kValid, "tick = \"0.01\"\n", "")),
            "a.toml:1: instrument[0] tick is missing");
  EXPECT_EQ(refusal(replaced(kValid, "unix_users = [\"root\"]\n", "")),
            "a.toml:6: user[0] unix_users is missing");
  EXPECT_EQ(refusal(kUser), "a.toml:1: there must be 1 to 65535 tables [[instrument]]");
  EXPECT_EQ(refusal(kInstrument), "a.toml:1: there must be 1 to 4096 tables [[user]]");
}

TEST(ConfigFile, DuplicatesNameBothLines) {
  const std::string other_symbol = replaced(kInstrument, "BTCUSD", "ETHUSD");
  EXPECT_EQ(refusal(kInstrument + other_symbol + kUser),
            "a.toml:7: instrument[1] id stands already on line 2");
  EXPECT_EQ(refusal(kInstrument + replaced(kInstrument, "id = 1", "id = 2") + kUser),
            "a.toml:8: instrument[1] symbol stands already on line 3");
  EXPECT_EQ(refusal(kValid + replaced(kUser, "alice", "bob")),
            "a.toml:13: user[1] id stands already on line 7");
  EXPECT_EQ(refusal(kValid + replaced(kUser, "id = 10", "id = 11")),
            "a.toml:14: user[1] name stands already on line 8");
  EXPECT_EQ(refusal(replaced(kValid, "[1, 5]", "[1, 1]")),
            "a.toml:11: user[0] accounts[1] stands already on line 11");
  EXPECT_EQ(refusal("accounts = [3,\n3]\n" + kValid),
            "a.toml:2: accounts[1] stands already on line 1");
}

struct ImpossibleValue {
  const char* valid;
  const char* impossible;
  const char* sentence;
};

TEST(ConfigFile, ImpossibleValuesAreRefused) {
  const std::string file = "oms_id = 1\n" + kValid +
                           "[capacity]\nworking_orders = 8\nsessions = 3\nbacklog_slots = 256\n"
                           "[rate_limit]\nrequests_per_second = 100\nburst = 5\n"
                           "[socket]\npath = \"/tmp/a\"\nmode = \"0660\"\ngroup = 0\n"
                           "[engine]\ncpu = 1\nidle = \"spin\"\n"
                           "[resume]\nwindow_slots = 4096\n";
  parsed(file);
  const ImpossibleValue cases[] = {
      {"oms_id = 1", "oms_id = 0", "1: oms_id must be a whole number from 1 to 2147483647"},
      {"oms_id = 1", "oms_id = 1.0", "1: oms_id must be a whole number from 1 to 2147483647"},
      {"oms_id = 1", "oms_id = true", "1: oms_id must be a whole number from 1 to 2147483647"},
      {"oms_id = 1", "oms_id = 2147483648",
       "1: oms_id must be a whole number from 1 to 2147483647"},
      {"\"BTCUSD\"", "\"\"", "4: instrument[0] symbol must have 1 to 23 bytes"},
      {"\"BTCUSD\"", "\"ABCDEFGHIJKLMNOPQRSTUVWX\"",
       "4: instrument[0] symbol must have 1 to 23 bytes"},
      {"\"BTCUSD\"", "\"BTC\\nUSD\"",
       "4: instrument[0] symbol must consist of printable ASCII characters"},
      {"\"BTCUSD\"", "5", "4: instrument[0] symbol must be a text in quotes"},
      {"\"0.01\"", "0.01", "5: instrument[0] tick must be a text in quotes"},
      {"\"0.01\"", "\"0\"", "5: instrument[0] tick must be a positive decimal such as \"0.01\": 0"},
      {"\"0.01\"", "\"-1\"",
       "5: instrument[0] tick must be a positive decimal such as \"0.01\": -1"},
      {"\"0.01\"", "\"tiny\"",
       "5: instrument[0] tick must be a positive decimal such as \"0.01\": tiny"},
      {"\"alice\"", "\"\"", "9: user[0] name must have 1 to 31 bytes"},
      {"[\"root\"]", "\"root\"", "10: user[0] unix_users must be a list"},
      {"[\"root\"]", "[\"no-such-user-here\"]",
       "10: user[0] unix_users[0] names no user of this machine: no-such-user-here"},
      {"[\"root\"]", "[-1]",
       "10: user[0] unix_users[0] must be a whole number from 0 to 4294967294"},
      {"[\"root\"]", "[\"4294967295\"]", "10: user[0] unix_users[0] is out of range: 4294967295"},
      {"[\"root\"]", "[true]", "10: user[0] unix_users[0] must be a text in quotes"},
      {"[\"Trading\"]", "[\"trading\"]",
       "11: user[0] permissions[0] must be Trading, Operator or AccountReadOnly: trading"},
      {"[1, 5]", "[1, 0]", "12: user[0] accounts[1] must be a whole number from 1 to 2147483647"},
      {"orders = 8", "orders = 0",
       "14: capacity working_orders must be a whole number from 1 to 67108864"},
      {"sessions = 3", "price_levels = 0",
       "15: capacity price_levels must be a whole number from 1 to 67108864"},
      {"sessions = 3", "sessions = 4097",
       "15: capacity sessions must be a whole number from 1 to 4096"},
      {"slots = 256", "slots = 255",
       "16: capacity backlog_slots must be a whole number from 256 to 4194304"},
      {"second = 100", "second = -1",
       "18: rate_limit requests_per_second must be a whole number from 0 to 1000000000"},
      {"burst = 5", "burst = 0",
       "19: rate_limit burst must be a whole number from 1 to 4294967295"},
      {"\"/tmp/a\"", "\"a\"", "21: socket path must be an absolute path"},
      {"\"0660\"", "\"0060\"",
       "22: socket mode must be four octal digits from \"0600\" to \"0777\": 0060"},
      {"\"0660\"", "\"0688\"",
       "22: socket mode must be four octal digits from \"0600\" to \"0777\": 0688"},
      {"\"0660\"", "\"1660\"",
       "22: socket mode must be four octal digits from \"0600\" to \"0777\": 1660"},
      {"\"0660\"", "660", "22: socket mode must be a text in quotes"},
      {"group = 0", "group = \"no-such-group-here\"",
       "23: socket group names no group of this machine: no-such-group-here"},
      {"cpu = 1", "cpu = -1", "25: engine cpu must be a whole number from 0 to 1023"},
      {"\"spin\"", "\"Spin\"", "26: engine idle must be \"spin\", \"yield\" or \"sleep\""},
      {"4096", "4095", "28: resume window_slots must be a power of two"},
  };
  for (const ImpossibleValue& each : cases) {
    EXPECT_EQ(refusal(replaced(file, each.valid, each.impossible)),
              std::string("a.toml:") + each.sentence)
        << each.impossible;
  }
  EXPECT_EQ(refusal("capacity = 1\n" + kValid), "a.toml:1: capacity must be a table");
  EXPECT_EQ(refusal("instrument = [1]\n" + kUser), "a.toml:1: instrument[0] must be a table");
}

TEST(ConfigFile, WhatNoLineIsToBlameForNamesTheFile) {
  std::string accounts = "accounts = [";
  for (std::size_t i = 1; i <= core::kAccountsMax + 1; ++i) accounts += std::to_string(i) + ",";
  EXPECT_EQ(refusal(accounts + "]\n" + kValid), "a.toml: there are more accounts than 65536");
  EXPECT_EQ(refusal(kValid + "[capacity]\nworking_orders = 8\nprice_levels = 9\n"),
            "a.toml: the capacity price_levels is 9, outside 1..8");
}

TEST(ConfigFile, AFileThatCannotBeReadIsNamed) {
  ipc::ServerOptions options;
  EXPECT_EQ(load_config_file("/nonexistent/a.toml", options).text,
            "cannot open /nonexistent/a.toml: No such file or directory");
  EXPECT_EQ(load_config_file("/proc", options).text, "cannot read /proc: Is a directory");
}

TEST(ConfigFile, TheDocumentedFileIsTheEmbeddedDefaultOfRoot) {
  ipc::ServerOptions documented;
  ASSERT_EQ(load_config_file(SHMATCH_DOCUMENTED_CONFIG, documented).text, "");
  const ipc::ServerOptions embedded = default_options(0);
  EXPECT_EQ(documented.configuration, embedded.configuration);
  expect_equal_logon_rules(documented, embedded);
  EXPECT_EQ(documented.socket_path, embedded.socket_path);
  EXPECT_EQ(documented.socket_mode, embedded.socket_mode);
  EXPECT_EQ(documented.socket_group, embedded.socket_group);
  EXPECT_EQ(documented.cpu, embedded.cpu);
  EXPECT_EQ(documented.idle, embedded.idle);
  EXPECT_EQ(documented.backlog_slots, embedded.backlog_slots);
}

TEST(DefaultConfiguration, ServesTheInvokingUserAsOperatorFirst) {
  const ipc::ServerOptions options = default_options(4711);
  EXPECT_EQ(core::find_fault(options.configuration), "");
  ASSERT_EQ(options.logon_rules.size(), 1U);
  EXPECT_EQ(options.logon_rules[0].uid, 4711U);
  EXPECT_EQ(options.logon_rules[0].users, (std::vector<core::UserId>{1, 2, 3, 4, 5}));
  EXPECT_EQ(options.configuration.users[0].name, "operator");
  EXPECT_EQ(options.configuration.users[0].permissions, core::kPermissionOperator);
  for (std::size_t k = 1; k <= 4; ++k) {
    const core::User& trader = options.configuration.users[k];
    const auto account = static_cast<core::AccountId>(k);
    EXPECT_EQ(trader.name, "trader" + std::to_string(k));
    EXPECT_EQ(trader.permissions, core::kPermissionTrading);
    EXPECT_EQ(trader.accounts, (std::vector<core::AccountId>{account, account + 4}));
  }
  EXPECT_EQ(options.configuration.capacities.working_orders, 1U << 20);
  EXPECT_EQ(options.configuration.capacities.finished_orders, 1U << 20);
  EXPECT_EQ(options.configuration.capacities.levels(), 1U << 15);
}

}  // namespace
}  // namespace shmatch::tools
