#include "tools/config_table.h"

#include <algorithm>

namespace shmatch::tools {

std::int64_t ConfigValue::integer(std::int64_t min, std::int64_t max) const {
  const auto* value = node_->as_integer();
  if (value == nullptr || value->get() < min || value->get() > max) {
    fail("must be a whole number from " + std::to_string(min) + " to " + std::to_string(max));
  }
  return value->get();
}

std::string ConfigValue::text(std::size_t size_min, std::size_t size_max) const {
  const auto* value = node_->as_string();
  if (value == nullptr) fail("must be a text in quotes");
  if (value->get().size() < size_min || value->get().size() > size_max) {
    fail("must have " + std::to_string(size_min) + " to " + std::to_string(size_max) + " bytes");
  }
  // Such texts end up in logs, tables and sentences for people.
  if (std::any_of(value->get().begin(), value->get().end(),
                  [](char c) { return c < ' ' || c > '~'; })) {
    fail("must consist of printable ASCII characters");
  }
  return value->get();
}

std::vector<ConfigValue> ConfigValue::list() const {
  const auto* array = node_->as_array();
  if (array == nullptr) fail("must be a list");
  std::vector<ConfigValue> elements;
  elements.reserve(array->size());
  for (const toml::node& element : *array) {
    elements.emplace_back(element, name_ + "[" + std::to_string(elements.size()) + "]");
  }
  return elements;
}

ConfigTable ConfigValue::table() const {
  const auto* table = node_->as_table();
  if (table == nullptr) fail("must be a table");
  return ConfigTable(*table, name_);
}

void ConfigValue::fail(std::string_view reason) const {
  throw ConfigFault{line(), name_ + " " + std::string(reason)};
}

void ConfigTable::allow_only(std::initializer_list<std::string_view> known) const {
  for (const auto& [key, value] : *table_) {
    if (std::find(known.begin(), known.end(), key.str()) == known.end()) {
      throw ConfigFault{static_cast<int>(key.source().begin.line),
                        "unknown key `" + name_of(key.str()) + "`"};
    }
  }
}

std::optional<ConfigValue> ConfigTable::find(std::string_view key) const {
  const toml::node* node = table_->get(key);
  if (node == nullptr) return std::nullopt;
  return ConfigValue(*node, name_of(key));
}

ConfigValue ConfigTable::require(std::string_view key) const {
  if (auto value = find(key)) return *std::move(value);
  throw ConfigFault{line(), name_of(key) + " is missing"};
}

std::vector<ConfigTable> ConfigTable::tables(std::string_view key, std::size_t min,
                                             std::size_t max) const {
  std::vector<ConfigTable> result;
  if (const auto value = find(key)) {
    for (const ConfigValue& element : value->list()) result.push_back(element.table());
  }
  if (result.size() < min || result.size() > max) {
    throw ConfigFault{result.empty() ? line() : result.back().line(),
                      "there must be " + std::to_string(min) + " to " + std::to_string(max) +
                          " tables [[" + std::string(key) + "]]"};
  }
  return result;
}

std::string ConfigTable::name_of(std::string_view key) const {
  return name_.empty() ? std::string(key) : name_ + " " + std::string(key);
}

}  // namespace shmatch::tools
