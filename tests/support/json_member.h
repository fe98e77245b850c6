// Members of printed JSON objects, for tests of commands.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "tools/json.h"

namespace shmatch {

// The one value that `text` is; fails the test when it is none.
inline tools::JsonValue parsed(const std::string& text) {
  tools::JsonValue value;
  std::string fault;
  EXPECT_TRUE(tools::parse_json(text, value, fault)) << fault << ": " << text;
  return value;
}

// The member `path` ("engine.requests") of an object; fails the test when there is none.
inline const tools::JsonValue& member(const tools::JsonValue& object, std::string_view path) {
  static const tools::JsonValue kNothing;
  const std::size_t dot = path.find('.');
  for (const tools::JsonMember& each : object.members) {
    if (each.key != path.substr(0, dot)) continue;
    return dot == std::string_view::npos ? each.value : member(each.value, path.substr(dot + 1));
  }
  ADD_FAILURE() << "no member " << path;
  return kNothing;
}

}  // namespace shmatch
