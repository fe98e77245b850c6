// Tables for people: columns as wide as their widest cell, two blanks between them.
//
// Thread: one.
#pragma once

#include <string>
#include <vector>

namespace shmatch::tools {

class TextTable {
 public:
  struct Column {
    std::string heading;
    bool right = true;  // numbers stand to the right, words to the left
  };

  explicit TextTable(std::vector<Column> columns);

  // One cell for each column.
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

  // Every line ends with a line feed; the first holds the headings.
  std::string text() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace shmatch::tools
