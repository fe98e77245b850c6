#include "tools/config_file.h"

#include <grp.h>
#include <pwd.h>
#include <sched.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "tools/config_table.h"
#include "tools/default_configuration.h"

namespace shmatch::tools {
namespace {

// The largest uid and gid; the one above it means "no id" to the kernel.
constexpr std::int64_t kUnixIdMax = std::numeric_limits<uid_t>::max() - 1;
// A name of a user, a group or a path is bounded by what the kernel and the user database allow.
constexpr std::size_t kUnixNameSizeMax = 255;
constexpr std::size_t kPathSizeMax = 107;
constexpr std::size_t kFolderSizeMax = 4000;
constexpr std::int64_t kUint32Max = std::numeric_limits<std::uint32_t>::max();

// Throws when a key was seen before, naming the line where it stands.
template <class Key>
class Unique {
 public:
  void add(const ConfigValue& value, const Key& key) {
    const auto [first, added] = lines_.emplace(key, value.line());
    if (!added) value.fail("stands already on line " + std::to_string(first->second));
  }

 private:
  std::map<Key, int> lines_;
};

// The id that `text` spells in digits; false when it is no number.
bool parse_unix_id(std::string_view text, std::int64_t& id) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  return error == std::errc() && end == text.data() + text.size();
}

std::optional<std::int64_t> uid_of_name(const std::string& name) {
  // getpwnam without _r: the engine's threads do not run yet.
  const passwd* entry = ::getpwnam(name.c_str());
  return entry == nullptr ? std::nullopt : std::optional<std::int64_t>(entry->pw_uid);
}

std::optional<std::int64_t> gid_of_name(const std::string& name) {
  const group* entry = ::getgrnam(name.c_str());
  return entry == nullptr ? std::nullopt : std::optional<std::int64_t>(entry->gr_gid);
}

// A uid or gid: a number, a text of digits, or a name that this machine knows.
std::uint32_t read_unix_id(const ConfigValue& value,
                           std::optional<std::int64_t> (*id_of_name)(const std::string&),
                           std::string_view what) {
  if (value.is_integer()) return static_cast<std::uint32_t>(value.integer(0, kUnixIdMax));
  const std::string text = value.text(1, kUnixNameSizeMax);
  std::int64_t id = 0;
  if (!parse_unix_id(text, id)) {
    const auto found = id_of_name(text);
    if (!found) value.fail("names no " + std::string(what) + " of this machine: " + text);
    id = *found;
  }
  if (id < 0 || id > kUnixIdMax) value.fail("is out of range: " + text);
  return static_cast<std::uint32_t>(id);
}

std::int64_t read_id(const ConfigValue& value) { return value.integer(1, core::kConfiguredIdMax); }

core::Increment read_increment(const ConfigValue& value) {
  const std::string text = value.text(1, 64);
  core::Increment increment;
  if (!core::parse_increment(text, increment)) {
    value.fail("must be a positive decimal such as \"0.01\": " + text);
  }
  return increment;
}

std::vector<core::AccountId> read_accounts(const ConfigValue& list) {
  Unique<core::AccountId> unique;
  std::vector<core::AccountId> accounts;
  for (const ConfigValue& element : list.list()) {
    accounts.push_back(read_id(element));
    unique.add(element, accounts.back());
  }
  return accounts;
}

std::uint8_t read_permissions(const ConfigValue& list) {
  static constexpr std::pair<std::string_view, std::uint8_t> kNames[] = {
      {"Trading", core::kPermissionTrading},
      {"Operator", core::kPermissionOperator},
      {"AccountReadOnly", core::kPermissionAccountReadOnly},
  };
  std::uint8_t permissions = 0;
  for (const ConfigValue& element : list.list()) {
    const std::string text = element.text(0, kUnixNameSizeMax);
    const auto known = std::find_if(std::begin(kNames), std::end(kNames),
                                    [&](const auto& name) { return name.first == text; });
    if (known == std::end(kNames)) {
      element.fail("must be Trading, Operator or AccountReadOnly: " + text);
    }
    permissions = static_cast<std::uint8_t>(permissions | known->second);
  }
  return permissions;
}

void read_instruments(const ConfigTable& file, core::Configuration& configuration) {
  Unique<core::InstrumentId> ids;
  Unique<std::string> symbols;
  configuration.instruments.clear();
  for (const ConfigTable& table : file.tables("instrument", 1, core::kInstrumentsMax)) {
    table.allow_only({"id", "symbol", "tick", "lot"});
    core::Instrument instrument;
    instrument.id = read_id(table.require("id"));
    instrument.symbol = table.require("symbol").text(1, core::kSymbolSizeMax);
    instrument.tick = read_increment(table.require("tick"));
    instrument.lot = read_increment(table.require("lot"));
    ids.add(table.require("id"), instrument.id);
    symbols.add(table.require("symbol"), instrument.symbol);
    configuration.instruments.push_back(std::move(instrument));
  }
}

void allow_logon(uid_t uid, core::UserId user, std::vector<ipc::LogonRule>& rules) {
  auto rule = std::find_if(rules.begin(), rules.end(),
                           [&](const ipc::LogonRule& each) { return each.uid == uid; });
  if (rule == rules.end()) rule = rules.insert(rule, ipc::LogonRule{uid, {}});
  rule->users.push_back(user);
}

void read_users(const ConfigTable& file, ipc::ServerOptions& options) {
  Unique<core::UserId> ids;
  Unique<std::string> names;
  options.configuration.users.clear();
  options.logon_rules.clear();
  for (const ConfigTable& table : file.tables("user", 1, core::kUsersMax)) {
    table.allow_only({"id", "name", "unix_users", "permissions", "accounts"});
    core::User user;
    user.id = read_id(table.require("id"));
    user.name = table.require("name").text(1, core::kUserNameSizeMax);
    user.permissions = read_permissions(table.require("permissions"));
    if (const auto accounts = table.find("accounts")) user.accounts = read_accounts(*accounts);
    ids.add(table.require("id"), user.id);
    names.add(table.require("name"), user.name);
    // A uid given twice, by name and by number, is one uid.
    std::set<uid_t> uids;
    for (const ConfigValue& element : table.require("unix_users").list()) {
      const uid_t uid = read_unix_id(element, uid_of_name, "user");
      if (uids.insert(uid).second) allow_logon(uid, user.id, options.logon_rules);
    }
    options.configuration.users.push_back(std::move(user));
  }
}

// Accounts exist by being some user's or by standing in the file's own list.
void collect_accounts(const ConfigTable& file, core::Configuration& configuration) {
  std::set<core::AccountId> all;
  if (const auto accounts = file.find("accounts")) {
    const auto listed = read_accounts(*accounts);
    all.insert(listed.begin(), listed.end());
  }
  for (const core::User& user : configuration.users) {
    all.insert(user.accounts.begin(), user.accounts.end());
  }
  configuration.accounts.assign(all.begin(), all.end());
}

void read_number(const ConfigTable& table, std::string_view key, std::int64_t min, std::int64_t max,
                 std::uint32_t& number) {
  if (const auto value = table.find(key)) {
    number = static_cast<std::uint32_t>(value->integer(min, max));
  }
}

void read_capacity(const ConfigTable& table, ipc::ServerOptions& options) {
  table.allow_only(
      {"working_orders", "finished_orders", "sessions", "price_levels", "backlog_slots"});
  core::Capacities& capacities = options.configuration.capacities;
  read_number(table, "working_orders", 1, core::kOrdersCapacityMax, capacities.working_orders);
  read_number(table, "finished_orders", 0, core::kOrdersCapacityMax, capacities.finished_orders);
  read_number(table, "sessions", 1, core::kSessionsCapacityMax, capacities.sessions);
  read_number(table, "price_levels", 1, core::kOrdersCapacityMax, capacities.price_levels);
  read_number(table, "backlog_slots", 256, 1 << 22, options.backlog_slots);
}

void read_rate_limit(const ConfigTable& table, core::Configuration& configuration) {
  table.allow_only({"requests_per_second", "burst"});
  read_number(table, "requests_per_second", 0, 1'000'000'000, configuration.rate_per_second);
  read_number(table, "burst", 1, kUint32Max, configuration.rate_burst);
}

mode_t read_mode(const ConfigValue& value) {
  const std::string text = value.text(4, 4);
  unsigned mode = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  // Whoever may connect needs read and write; the engine's own user always may.
  if (error != std::errc() || end != text.data() + text.size() || mode > 0777 ||
      (mode & 0600) != 0600) {
    value.fail("must be four octal digits from \"0600\" to \"0777\": " + text);
  }
  return static_cast<mode_t>(mode);
}

void read_socket(const ConfigTable& table, ipc::ServerOptions& options) {
  table.allow_only({"path", "mode", "group"});
  if (const auto path = table.find("path")) {
    options.socket_path = path->text(1, kPathSizeMax);
    if (options.socket_path.front() != '/') path->fail("must be an absolute path");
  }
  if (const auto mode = table.find("mode")) options.socket_mode = read_mode(*mode);
  if (const auto group = table.find("group")) {
    options.socket_group = read_unix_id(*group, gid_of_name, "group");
  }
}

void read_engine(const ConfigTable& table, ipc::ServerOptions& options) {
  table.allow_only({"cpu", "idle"});
  if (const auto cpu = table.find("cpu")) {
    options.cpu = static_cast<int>(cpu->integer(0, CPU_SETSIZE - 1));
  }
  if (const auto idle = table.find("idle")) {
    if (!parse_idle_mode(idle->text(0, kUnixNameSizeMax), options.idle)) {
      idle->fail("must be \"spin\", \"yield\" or \"sleep\"");
    }
  }
}

void read_milliseconds(const ConfigTable& table, std::string_view key, std::int64_t min,
                       std::int64_t max, std::chrono::milliseconds& time) {
  if (const auto value = table.find(key)) {
    time = std::chrono::milliseconds(value->integer(min, max));
  }
}

void read_journal(const ConfigTable& table, ipc::ServerOptions& options) {
  table.allow_only({"folder", "durability", "segment_bytes", "sync_interval_ms", "digest_every",
                    "snapshot_every", "keep"});
  if (const auto folder = table.find("folder")) {
    options.journal = folder->text(1, kFolderSizeMax);
    if (options.journal.front() != '/') folder->fail("must be an absolute path");
    options.durability = ipc::Durability::kAsync;
  }
  if (const auto durability = table.find("durability")) {
    if (!parse_durability(durability->text(0, kUnixNameSizeMax), options.durability)) {
      durability->fail("must be \"none\", \"async\" or \"sync\"");
    }
  }
  const auto number = [&table](std::string_view key, std::int64_t min, std::uint64_t& value) {
    if (const auto given = table.find(key)) {
      value = static_cast<std::uint64_t>(given->integer(min, std::int64_t{1} << 33));
    }
  };
  number("segment_bytes", 1 << 16, options.journal_segment_bytes);
  number("digest_every", 1, options.journal_digest_every);
  number("snapshot_every", 0, options.snapshot_every);
  read_milliseconds(table, "sync_interval_ms", 1, 10'000, options.journal_sync_interval);
  if (const auto keep = table.find("keep")) {
    const std::string text = keep->text(0, kUnixNameSizeMax);
    if (text != "all" && text != "snapshot") keep->fail("must be \"all\" or \"snapshot\"");
    options.remove_old_segments = text == "snapshot";
  }
}

void read_resume(const ConfigTable& table, ipc::ServerOptions& options) {
  table.allow_only({"grace_ms", "window_slots"});
  read_milliseconds(table, "grace_ms", 0, 86'400'000, options.resume_grace);
  if (const auto slots = table.find("window_slots")) {
    options.resume_window_slots = static_cast<std::uint32_t>(slots->integer(256, 1 << 20));
    if (!std::has_single_bit(options.resume_window_slots)) slots->fail("must be a power of two");
  }
}

ipc::ServerOptions read_options(const ConfigTable& file) {
  file.allow_only({"oms_id", "instrument", "user", "accounts", "capacity", "rate_limit", "socket",
                   "engine", "journal", "resume"});
  ipc::ServerOptions options;
  core::Configuration& configuration = options.configuration;
  if (const auto oms_id = file.find("oms_id")) configuration.oms_id = read_id(*oms_id);
  read_instruments(file, configuration);
  read_users(file, options);
  collect_accounts(file, configuration);
  if (const auto table = file.find("capacity")) read_capacity(table->table(), options);
  if (const auto table = file.find("rate_limit")) read_rate_limit(table->table(), configuration);
  if (const auto table = file.find("socket")) read_socket(table->table(), options);
  if (const auto table = file.find("engine")) read_engine(table->table(), options);
  if (const auto table = file.find("journal")) read_journal(table->table(), options);
  if (const auto table = file.find("resume")) read_resume(table->table(), options);
  return options;
}

ipc::Fault fault_at(const std::string& name, int line, std::string_view reason) {
  return {name + ":" + std::to_string(line) + ": " + std::string(reason)};
}

}  // namespace

ipc::Fault load_config_file(const std::string& path, ipc::ServerOptions& options) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             &std::fclose);
  if (file == nullptr) return ipc::system_fault("cannot open " + path, errno);
  std::string text;
  char block[4096];
  while (const std::size_t size = std::fread(block, 1, sizeof(block), file.get())) {
    text.append(block, size);
  }
  if (std::ferror(file.get()) != 0) return ipc::system_fault("cannot read " + path, errno);
  return parse_config(text, path, options);
}

ipc::Fault parse_config(std::string_view text, const std::string& name,
                        ipc::ServerOptions& options) {
  try {
    const toml::table table = toml::parse(text, name);
    ipc::ServerOptions read = read_options(ConfigTable(table, ""));
    // What no single line is to blame for.
    if (const std::string fault = core::find_fault(read.configuration); !fault.empty()) {
      return {name + ": " + fault};
    }
    options = std::move(read);
    return {};
  } catch (const toml::parse_error& error) {
    return fault_at(name, static_cast<int>(error.source().begin.line), error.description());
  } catch (const ConfigFault& fault) {
    return fault_at(name, fault.line, fault.reason);
  }
}

ipc::ServerOptions default_options(uid_t uid) {
  ipc::ServerOptions options;
  options.configuration = default_configuration();
  ipc::LogonRule rule{uid, {}};
  for (const core::User& user : options.configuration.users) rule.users.push_back(user.id);
  options.logon_rules = {std::move(rule)};
  return options;
}

bool parse_durability(std::string_view text, ipc::Durability& durability) noexcept {
  if (text == "none") {
    durability = ipc::Durability::kNone;
  } else if (text == "async") {
    durability = ipc::Durability::kAsync;
  } else if (text == "sync") {
    durability = ipc::Durability::kSync;
  } else {
    return false;
  }
  return true;
}

bool parse_idle_mode(std::string_view text, ipc::IdleMode& mode) noexcept {
  if (text == "spin") {
    mode = ipc::IdleMode::kSpin;
  } else if (text == "yield") {
    mode = ipc::IdleMode::kYield;
  } else if (text == "sleep") {
    mode = ipc::IdleMode::kSleep;
  } else {
    return false;
  }
  return true;
}

}  // namespace shmatch::tools
