// A table for people, of any length: widths are settled by the first rows, so memory stays bounded.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "cli/output.h"

namespace callvault::cli {

struct Cell {
  std::string text;  // raw: escaped when printed
  std::string sgr{};
};

class Table {
 public:
  Table(Output& output, std::vector<std::string> headings) : output_(output), headings_(std::move(headings)) {}
  ~Table() { print(); }
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  // REQUIRES: as many cells as headings.
  void add(std::vector<Cell> row);
  // Prints what waits. A table without rows prints nothing.
  void print();

 private:
  static constexpr std::size_t kBlock = 256;
  void print_row(const std::vector<Cell>& row);

  Output& output_;
  std::vector<std::string> headings_;
  std::vector<std::size_t> widths_;
  std::vector<std::vector<Cell>> waiting_;
};

}  // namespace callvault::cli
