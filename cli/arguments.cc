#include "cli/arguments.h"

#include <CLI/CLI.hpp>

namespace callvault::cli {

void Arguments::positional(std::string& value, const std::string& name, const std::string& help) {
  app_.add_option(name, value, help)->required()->type_name("");
}

void Arguments::positional(std::optional<std::string>& value, const std::string& name, const std::string& help) {
  app_.add_option_function<std::string>(
          name, [&value](const std::string& text) { value = text; }, help)
      ->type_name("");
}

void Arguments::positionals(std::vector<std::string>& values, const std::string& name, const std::string& help) {
  app_.add_option(name, values, help)->type_name("");
}

void Arguments::option(std::optional<std::string>& value, const std::string& name, const std::string& takes,
                       const std::string& help) {
  app_.add_option_function<std::string>(
          name, [&value](const std::string& text) { value = text; }, help)
      ->type_name(takes);
}

void Arguments::options(std::vector<std::string>& values, const std::string& name, const std::string& takes,
                        const std::string& help) {
  app_.add_option_function<std::string>(
          name, [&values](const std::string& text) { values.push_back(text); }, help)
      ->type_name(takes)
      ->trigger_on_parse();
}

void Arguments::required(std::string& value, const std::string& name, const std::string& takes,
                         const std::string& help) {
  app_.add_option(name, value, help)->required()->type_name(takes);
}

void Arguments::flag(bool& value, const std::string& name, const std::string& help) {
  app_.add_flag(name, value, help);
}

void Arguments::hidden_flag(bool& value, const std::string& name, const std::string& help) {
  app_.add_flag(name, value, help)->group("");
}

}  // namespace callvault::cli
