// The JSON tree: exact number texts, strict grammar, bounded depth.
#include "tools/json.h"

#include <gtest/gtest.h>

namespace shmatch::tools {
namespace {

using Kind = JsonValue::Kind;

JsonValue parsed(std::string_view text) {
  JsonValue value;
  std::string fault;
  EXPECT_TRUE(parse_json(text, value, fault)) << text << ": " << fault;
  return value;
}

std::string fault_of(std::string_view text) {
  JsonValue value;
  std::string fault;
  EXPECT_FALSE(parse_json(text, value, fault)) << text;
  EXPECT_FALSE(fault.empty()) << text;
  return fault;
}

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(Json, KeepsTheTextOfNumbers) {
  for (const char* text : {"0", "-0", "2.0", "1E+2", "0.10", "123456789012345678901234567890",
                           "1e400", "-1e-400", "1.5e999999999999"}) {
    const JsonValue value = parsed(text);
    EXPECT_EQ(value.kind, Kind::kNumber);
    EXPECT_EQ(value.text, text);
  }
  const std::string long_number(400, '7');
  EXPECT_EQ(parsed("[1,-1e999, " + long_number + ",2]").items.at(2).text, long_number);
  EXPECT_EQ(parsed("[1,-1e999,2]").items.at(1).text, "-1e999");
  EXPECT_EQ(parsed("[1,-1e999,2]").items.at(2).text, "2");
}

TEST(Json, TellsNumbersFromStrings) {
  EXPECT_EQ(parsed("7").kind, Kind::kNumber);
  EXPECT_EQ(parsed("\"7\"").kind, Kind::kString);
  EXPECT_EQ(parsed("\"7\"").text, "7");
}

TEST(Json, BuildsTheTree) {
  const JsonValue root = parsed("{\"a\":[1,\"x\\u00e9\\n\",null,true],\"b\":{},\"a\":false} ");
  ASSERT_EQ(root.kind, Kind::kObject);
  ASSERT_EQ(root.members.size(), 3U);
  EXPECT_EQ(root.members[0].key, "a");
  ASSERT_EQ(root.members[0].value.items.size(), 4U);
  EXPECT_EQ(root.members[0].value.items[1].text, "x\xC3\xA9\n");
  EXPECT_EQ(root.members[0].value.items[2].kind, Kind::kNull);
  EXPECT_TRUE(root.members[0].value.items[3].boolean);
  EXPECT_EQ(root.members[1].value.kind, Kind::kObject);
  EXPECT_EQ(root.members[2].key, "a");
  EXPECT_EQ(root.members[2].value.kind, Kind::kBool);
}

TEST(Json, RefusesWhatIsNotJson) {
  for (const char* text : {"",
                           " ",
                           "{",
                           "[1,]",
                           "{\"a\":1,}",
                           "{'a':1}",
                           "01",
                           "+1",
                           "1.",
                           ".5",
                           "1e",
                           "-",
                           "NaN",
                           "Infinity",
                           "tru",
                           "nul",
                           "1 2",
                           "// x\n1",
                           "\"\\x\"",
                           "\"\\ud800\"",
                           "\"\t\"",
                           "{\"a\" 1}",
                           "[1e400x]",
                           "[1e400.5]",
                           "\"\xff\"",
                           "\"\xc3\"",
                           "\"\xed\xa0\x80\"",
                           "\xEF\xBB\xBF{}"}) {
    fault_of(text);
  }
}

TEST(Json, SaysWhere) { EXPECT_NE(fault_of("[1,x]").find("byte 4"), std::string::npos); }

TEST(Json, AZeroByteDoesNotEndTheText) {
  fault_of(std::string_view("1\0", 2));
  fault_of(std::string_view("{}\0{}", 5));
  fault_of(std::string_view("\"a\0b\"", 5));
}

TEST(Json, BoundsDepthWithoutRecursion) {
  EXPECT_EQ(parsed(nested(kJsonDepthMax)).kind, Kind::kArray);
  EXPECT_NE(fault_of(nested(kJsonDepthMax + 1)).find("nested"), std::string::npos);
  EXPECT_NE(fault_of(std::string(1'000'000, '[')).find("nested"), std::string::npos);
  std::string objects;
  for (std::size_t i = 0; i <= kJsonDepthMax; ++i) objects += "{\"a\":";
  EXPECT_NE(fault_of(objects).find("nested"), std::string::npos);
}

TEST(Json, BoundsNumbersBeyondDoubles) {
  std::string text = "[1e400";
  for (std::size_t i = 1; i < kJsonHugeNumbersMax; ++i) text += ",1e400";
  EXPECT_EQ(parsed(text + "]").items.size(), kJsonHugeNumbersMax);
  fault_of(text + ",1e400]");
}

TEST(Json, ComparesNamesWithoutCase) {
  EXPECT_TRUE(equal_ignoring_case("OMSId", "omsID"));
  EXPECT_FALSE(equal_ignoring_case("OMSId", "OMSIds"));
  EXPECT_FALSE(equal_ignoring_case("[", "{"));
  EXPECT_FALSE(equal_ignoring_case("@", "`"));
}

}  // namespace
}  // namespace shmatch::tools
