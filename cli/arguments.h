// What a command accepts, said without the parser's own types, so that only arguments.cc and app.cc pay for CLI11.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {  // NOLINT(readability-identifier-naming): its name
class App;
}

namespace callvault::cli {

// Every `value` must outlive the parse. Names are written as "--caller" or "-o,--output".
class Arguments {
 public:
  explicit Arguments(CLI::App& app) : app_(app) {}

  void positional(std::string& value, const std::string& name, const std::string& help);
  void positional(std::optional<std::string>& value, const std::string& name, const std::string& help);
  void positionals(std::vector<std::string>& values, const std::string& name, const std::string& help);
  void option(std::optional<std::string>& value, const std::string& name, const std::string& takes,
              const std::string& help);
  // May be given again and again.
  void options(std::vector<std::string>& values, const std::string& name, const std::string& takes,
               const std::string& help);
  void required(std::string& value, const std::string& name, const std::string& takes, const std::string& help);
  void flag(bool& value, const std::string& name, const std::string& help);
  // Accepted and documented, but left out of --help.
  void hidden_flag(bool& value, const std::string& name, const std::string& help);

 private:
  CLI::App& app_;
};

}  // namespace callvault::cli
