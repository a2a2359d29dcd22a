// A passphrase in locked memory: never in std::string, never in argv.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "callvault/result.h"

namespace callvault {

class Passphrase {
 public:
  // Moves the characters into locked memory and wipes `text`. Errc::usage when empty or over 1,024 bytes.
  static Result<Passphrase> take(std::span<char> text);

  Passphrase(Passphrase&&) noexcept;
  Passphrase& operator=(Passphrase&&) noexcept;
  ~Passphrase();

  std::span<const std::byte> reveal() const;

 private:
  struct Memory;
  explicit Passphrase(std::unique_ptr<Memory> memory);
  std::unique_ptr<Memory> memory_;
};

}  // namespace callvault
