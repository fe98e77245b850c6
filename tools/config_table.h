// Typed reading of a TOML text: every value is asked for with its type and range, and whatever does
// not fit is thrown as a ConfigFault that names the line. The exception never leaves
// config_file.cpp.
//
// Ownership: tables and values are views of the parsed text, which must outlive them.
#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace shmatch::tools {

struct ConfigFault {
  int line = 0;
  std::string reason;
};

class ConfigTable;

// One value and the words that name it in a fault, such as "instrument id" or "user accounts[2]".
class ConfigValue {
 public:
  ConfigValue(const toml::node& node, std::string name) : node_(&node), name_(std::move(name)) {}

  int line() const noexcept { return static_cast<int>(node_->source().begin.line); }

  // Throw unless the value has that type and is in min..max (printable ASCII text: of size_min to
  // size_max bytes).
  std::int64_t integer(std::int64_t min, std::int64_t max) const;
  std::string text(std::size_t size_min, std::size_t size_max) const;
  std::vector<ConfigValue> list() const;
  ConfigTable table() const;

  bool is_integer() const noexcept { return node_->is_integer(); }
  [[noreturn]] void fail(std::string_view reason) const;  // "NAME REASON", with the line

 private:
  const toml::node* node_;
  std::string name_;
};

class ConfigTable {
 public:
  // `name` is empty for the whole file.
  ConfigTable(const toml::table& table, std::string name)
      : table_(&table), name_(std::move(name)) {}

  // Throws when the table has a key that is not in `known`.
  void allow_only(std::initializer_list<std::string_view> known) const;

  std::optional<ConfigValue> find(std::string_view key) const;
  ConfigValue require(std::string_view key) const;  // throws when the key is missing
  // The tables of [[key]]; throws when there are fewer than `min` or more than `max`.
  std::vector<ConfigTable> tables(std::string_view key, std::size_t min, std::size_t max) const;

  int line() const noexcept { return static_cast<int>(table_->source().begin.line); }

 private:
  std::string name_of(std::string_view key) const;

  const toml::table* table_;
  std::string name_;
};

}  // namespace shmatch::tools
