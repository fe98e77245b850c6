// A benchmark's results, row by row: as a table for people, or as one JSON object {"name": [row,
// ...]} for tools/bench. The first row says which columns there are.
//
// Thread: one.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace shmatch::bench {

class ResultRows {
 public:
  explicit ResultRows(std::string name) : name_(std::move(name)) {}

  // Begins the next row; the values that follow are its cells, from left to right.
  void begin() { rows_.emplace_back(); }
  void add(const std::string& column, const std::string& text);
  // A count (below 2^53) or a measured number.
  void add(const std::string& column, double number);
  // The median as `column`, the range of all values as `column`_low and `column`_high (in the table
  // as one cell).
  void add(const std::string& column, const std::vector<double>& values);

  // Writes all rows to standard output.
  void print(bool json) const;

 private:
  struct Cell {
    std::string column;
    std::string shown;                                    // in the table
    std::vector<std::pair<std::string, double>> numbers;  // in JSON; none: `shown` is
  };
  using Row = std::vector<Cell>;

  std::string json() const;
  std::string table() const;

  std::string name_;
  std::vector<Row> rows_;
};

}  // namespace shmatch::bench
