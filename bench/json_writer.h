// What the benchmarks print with --json: one object on standard output.
#pragma once

#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>

#include <cstdio>
#include <string>

#include "tools/measure.h"

namespace shmatch::bench {

class JsonWriter {
 public:
  JsonWriter() {
    writer_.SetMaxDecimalPlaces(6);
    writer_.StartObject();
  }

  void begin_object(const char* key) { named(key).StartObject(); }
  void begin_object() { writer_.StartObject(); }  // an array's next element
  void end_object() { writer_.EndObject(); }
  void begin_array(const char* key) { named(key).StartArray(); }
  void end_array() { writer_.EndArray(); }

  void number(const char* key, double value) { named(key).Double(value); }
  void number(double value) { writer_.Double(value); }  // an array's next element
  void count(const char* key, std::uint64_t value) { named(key).Uint64(value); }
  void text(const char* key, const char* value) { named(key).String(value); }
  // `key`, and with _low and _high behind it the range.
  void spread(const std::string& key, const tools::Spread& value) {
    number(key.c_str(), value.median);
    number((key + "_low").c_str(), value.low);
    number((key + "_high").c_str(), value.high);
  }

  // Ends the outermost object and prints. Once.
  void print() {
    writer_.EndObject();
    std::puts(buffer_.GetString());
  }

 private:
  using Writer = rapidjson::PrettyWriter<rapidjson::StringBuffer>;
  Writer& named(const char* key) {
    writer_.Key(key);
    return writer_;
  }

  rapidjson::StringBuffer buffer_;
  Writer writer_{buffer_};
};

}  // namespace shmatch::bench
