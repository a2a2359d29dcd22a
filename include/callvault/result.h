// Result<T>: a value or an Error, with the member names of std::expected (C++23).
#pragma once

#include <cassert>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "callvault/error.h"

namespace callvault {

template <typename T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit by design
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  // REQUIRES: has_value().
  T& value() & {
    assert(has_value());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    assert(has_value());
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    assert(has_value());
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  // REQUIRES: !has_value().
  const Error& error() const& {
    assert(!has_value());
    return *std::get_if<1>(&state_);
  }
  Error&& error() && {
    assert(!has_value());
    return std::move(*std::get_if<1>(&state_));
  }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;

  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT: implicit by design

  bool has_value() const { return !error_.has_value(); }
  explicit operator bool() const { return has_value(); }
  void value() const { assert(has_value()); }
  const Error& error() const& {
    assert(!has_value());
    return *error_;
  }
  Error&& error() && {
    assert(!has_value());
    return std::move(*error_);
  }

 private:
  std::optional<Error> error_;
};

inline Error fail(Errc code, std::string message) { return Error{code, std::move(message)}; }

}  // namespace callvault

#define CALLVAULT_CONCAT_INNER(a, b) a##b
#define CALLVAULT_CONCAT(a, b) CALLVAULT_CONCAT_INNER(a, b)

// CALLVAULT_TRY(expr): returns the error of a Result, drops its value.
#define CALLVAULT_TRY(expr)                                                                                        \
  do {                                                                                                             \
    if (auto callvault_try_result = (expr); !callvault_try_result) return std::move(callvault_try_result).error(); \
  } while (false)

// CALLVAULT_TRY_ASSIGN(decl, expr): declares `decl` with the value, or returns the error.
#define CALLVAULT_TRY_ASSIGN(decl, expr) \
  CALLVAULT_TRY_ASSIGN_INNER(CALLVAULT_CONCAT(callvault_try_, __LINE__), decl, expr)
#define CALLVAULT_TRY_ASSIGN_INNER(tmp, decl, expr) \
  auto tmp = (expr);                                \
  if (!tmp) return std::move(tmp).error();          \
  decl = std::move(tmp).value()
