// Writes one JSON object, member by member.
//
//   JsonObject object;
//   object.add("count", 3u).add_text("name", name).add_decimal("share", 0.25, 4);
//   std::string line = object.text();
//
// Thread: one.
#pragma once

#include <cmath>
#include <concepts>
#include <cstdio>
#include <string>
#include <string_view>

#include "tools/request_text.h"

namespace shmatch::tools {

class JsonObject {
 public:
  // `json` is a whole value already.
  JsonObject& add(std::string_view name, const std::string& json) {
    text_ += text_.empty() ? "\"" : ",\"";
    text_ += name;
    text_ += "\":";
    text_ += json;
    return *this;
  }
  template <std::integral Number>
  JsonObject& add(std::string_view name, Number value) {
    return add(name, std::to_string(value));
  }
  JsonObject& add(std::string_view name, const JsonObject& object) {
    return add(name, object.text());
  }
  JsonObject& add_flag(std::string_view name, bool value) {
    return add(name, std::string(value ? "true" : "false"));
  }
  JsonObject& add_text(std::string_view name, std::string_view value) {
    return add(name, json_string(value));
  }
  // JSON has no word for what is no number: null.
  JsonObject& add_decimal(std::string_view name, double value, int decimals) {
    if (!std::isfinite(value)) return add(name, std::string("null"));
    char number[400];
    std::snprintf(number, sizeof number, "%.*f", decimals, value);
    return add(name, std::string(number));
  }

  std::string text() const { return "{" + text_ + "}"; }

 private:
  std::string text_;
};

}  // namespace shmatch::tools
