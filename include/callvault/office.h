// Reports for the data protection officer and the authority: tables without anybody's number (GDPR Art. 5(2) and 30).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "callvault/clock.h"
#include "callvault/result.h"

namespace callvault {

class Person;
class Vault;

enum class ReportKind : std::uint8_t { processing, data_map, retention, accesses, requests };
std::string_view to_word(ReportKind);  // "data-map"

struct ReportOptions {
  ReportKind kind = ReportKind::processing;
  std::optional<Time> from, to;  // of accesses alone: from <= at < to
};

// Text, or a count.
using ReportCell = std::variant<std::string, std::uint64_t>;

struct OfficeReport {
  std::vector<std::string> columns;  // a-z and _
  std::vector<std::vector<ReportCell>> rows;
};

// For officers and auditors; journalled. Errors: refused, usage, corrupt, io.
Result<OfficeReport> make_report(Vault& vault, const Person& person, const ReportOptions& options);

}  // namespace callvault
