// Where results and messages go: results to stdout, everything else to stderr with the prefix "callvault:".
#pragma once

#include <string>
#include <string_view>

#include "callvault/error.h"
#include "callvault/result.h"
#include "cli/json.h"

namespace callvault::cli {

class Output {
 public:
  void configure(bool json, bool quiet);
  // Audio goes to stdout: JSON goes to stderr from here on.
  void give_stdout_to_audio();

  bool json() const { return json_; }
  bool quiet() const { return quiet_; }
  bool colour() const { return colour_; }
  // Bold or coloured by `sgr` ("1", "33") where the reader can see it; escaped either way.
  std::string styled(std::string_view text, std::string_view sgr) const;

  // One line of result for people; may hold styled text, so data in it must be printable() already.
  void line(std::string_view text);
  // One line of result for programs.
  void object(const JsonObject& object);
  // A remark on stderr, unless --quiet. Escaped here.
  void note(std::string_view text);
  // As note, said even with --quiet.
  void warn(std::string_view text);
  // JSON mode: one line on stdout. Else one or two lines on stderr.
  void error(const Error& error, std::string_view hint);
  // Everything printed so far has reached stdout; the first error of any write since the start.
  Result<void> flush();
  bool broken() const { return broken_ != 0; }

 private:
  void put(int fd, std::string_view text);

  std::string buffer_;
  int broken_ = 0;  // errno of a failed write to stdout
  bool json_ = false, quiet_ = false, colour_ = false, audio_on_stdout_ = false;
};

}  // namespace callvault::cli
