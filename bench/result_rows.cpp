#include "bench/result_rows.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cmath>
#include <cstdint>
#include <cstdio>

#include "tools/measure.h"
#include "tools/text_table.h"

namespace shmatch::bench {
namespace {

bool is_count(double number) { return number >= 0 && std::floor(number) == number; }

std::string short_number(double number) {
  char text[32];
  std::snprintf(text, sizeof text, is_count(number) ? "%.0f" : "%.1f", number);
  return text;
}

}  // namespace

void ResultRows::add(const std::string& column, const std::string& text) {
  rows_.back().push_back({column, text, {}});
}

void ResultRows::add(const std::string& column, double number) {
  rows_.back().push_back({column, short_number(number), {{column, number}}});
}

void ResultRows::add(const std::string& column, const std::vector<double>& values) {
  const tools::Spread spread = tools::spread_of(values);
  rows_.back().push_back(
      {column,
       short_number(spread.median) + " (" + short_number(spread.low) + " to " +
           short_number(spread.high) + ")",
       {{column, spread.median}, {column + "_low", spread.low}, {column + "_high", spread.high}}});
}

std::string ResultRows::json() const {
  rapidjson::StringBuffer text;
  rapidjson::Writer<rapidjson::StringBuffer> writer(text);
  writer.SetMaxDecimalPlaces(3);
  writer.StartObject();
  writer.Key(name_.c_str());
  writer.StartArray();
  for (const Row& row : rows_) {
    writer.StartObject();
    for (const Cell& cell : row) {
      if (cell.numbers.empty()) {
        writer.Key(cell.column.c_str());
        writer.String(cell.shown.c_str());
      }
      for (const auto& [column, number] : cell.numbers) {
        writer.Key(column.c_str());
        if (is_count(number)) {
          writer.Uint64(static_cast<std::uint64_t>(number));
        } else {
          writer.Double(number);
        }
      }
    }
    writer.EndObject();
  }
  writer.EndArray();
  writer.EndObject();
  return text.GetString();
}

std::string ResultRows::table() const {
  std::vector<tools::TextTable::Column> columns;
  for (const Cell& cell : rows_.front()) columns.push_back({cell.column, !cell.numbers.empty()});
  tools::TextTable table(columns);
  for (const Row& row : rows_) {
    std::vector<std::string> cells;
    for (const Cell& cell : row) cells.push_back(cell.shown);
    table.add(std::move(cells));
  }
  return table.text();
}

void ResultRows::print(bool json) const {
  if (json) {
    std::printf("%s\n", this->json().c_str());
  } else if (!rows_.empty()) {
    std::fputs(table().c_str(), stdout);
  }
}

}  // namespace shmatch::bench
