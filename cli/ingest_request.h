// What is asked of one recording: by options, by a file beside them, or by the first line of a connection.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "callvault/options.h"
#include "cli/meta_file.h"

namespace callvault::cli {

class IngestRequest {
 public:
  // By the names of ingest's flags, with _ for -.
  std::optional<std::string>& operator[](const std::string& name) { return values_[name]; }
  const GivenMeta& values() const { return values_; }
  // Where no value was given yet.
  void add(const std::map<std::string, std::string>& values);
  Result<void> fill(IngestOptions& options) const;

 private:
  std::string text(const std::string& name) const;
  bool given(const std::string& name) const;
  Result<void> fill_audio(IngestOptions& options) const;

  GivenMeta values_;
};

}  // namespace callvault::cli
