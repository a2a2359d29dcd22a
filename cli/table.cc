#include "cli/table.h"

#include <algorithm>

#include "cli/text.h"

namespace callvault::cli {

void Table::add(std::vector<Cell> row) {
  waiting_.push_back(std::move(row));
  if (waiting_.size() >= kBlock) print();
}

void Table::print() {
  if (waiting_.empty()) return;
  if (widths_.empty()) {
    for (const auto& heading : headings_) widths_.push_back(columns(heading));
    for (const auto& row : waiting_)
      for (std::size_t i = 0; i < row.size(); ++i) widths_[i] = std::max(widths_[i], columns(printable(row[i].text)));
    std::vector<Cell> head;
    for (const auto& heading : headings_) head.push_back({heading, "1"});
    print_row(head);
  }
  for (const auto& row : waiting_) print_row(row);
  waiting_.clear();
}

void Table::print_row(const std::vector<Cell>& row) {
  std::string line;
  for (std::size_t i = 0; i < row.size(); ++i) {
    line += output_.styled(row[i].text, row[i].sgr);
    if (i + 1 == row.size()) break;
    const std::size_t used = columns(printable(row[i].text));
    line.append(2 + (widths_[i] > used ? widths_[i] - used : 0), ' ');
  }
  line.erase(line.find_last_not_of(' ') + 1);
  output_.line(line);
}

}  // namespace callvault::cli
