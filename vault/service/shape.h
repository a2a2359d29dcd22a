// The members of an aggregate, without naming them: what crosses the socket is whatever the public structs hold, so a
// member that is added to one of them crosses as well.
#pragma once

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

namespace callvault::service {

// Stands for any member when members are counted; never made.
struct AnyMember {
  template <typename T>
  operator T() const;  // NOLINT: implicit by design
};

template <typename T, typename... Members>
constexpr std::size_t count_members() {
  if constexpr (requires { T{std::declval<Members>()..., std::declval<AnyMember>()}; })
    return count_members<T, Members..., AnyMember>();
  else
    return sizeof...(Members);
}

inline constexpr std::size_t kMaxMembers = 24;

// The members in order, as references.
template <typename T>
constexpr auto members_of(T& v) {
  constexpr std::size_t n = count_members<std::remove_const_t<T>>();
  static_assert(std::is_aggregate_v<T> && n > 0 && n <= kMaxMembers, "members_of: not a struct of 1 to 24 members");
#define CALLVAULT_MEMBERS(count, ...) \
  if constexpr (n == count) {         \
    auto& [__VA_ARGS__] = v;          \
    return std::tie(__VA_ARGS__);     \
  }
  CALLVAULT_MEMBERS(1, a)
  CALLVAULT_MEMBERS(2, a, b)
  CALLVAULT_MEMBERS(3, a, b, c)
  CALLVAULT_MEMBERS(4, a, b, c, d)
  CALLVAULT_MEMBERS(5, a, b, c, d, e)
  CALLVAULT_MEMBERS(6, a, b, c, d, e, f)
  CALLVAULT_MEMBERS(7, a, b, c, d, e, f, g)
  CALLVAULT_MEMBERS(8, a, b, c, d, e, f, g, h)
  CALLVAULT_MEMBERS(9, a, b, c, d, e, f, g, h, i)
  CALLVAULT_MEMBERS(10, a, b, c, d, e, f, g, h, i, j)
  CALLVAULT_MEMBERS(11, a, b, c, d, e, f, g, h, i, j, k)
  CALLVAULT_MEMBERS(12, a, b, c, d, e, f, g, h, i, j, k, l)
  CALLVAULT_MEMBERS(13, a, b, c, d, e, f, g, h, i, j, k, l, m)
  CALLVAULT_MEMBERS(14, a, b, c, d, e, f, g, h, i, j, k, l, m, o)
  CALLVAULT_MEMBERS(15, a, b, c, d, e, f, g, h, i, j, k, l, m, o, p)
  CALLVAULT_MEMBERS(16, a, b, c, d, e, f, g, h, i, j, k, l, m, o, p, q)
  CALLVAULT_MEMBERS(17, a, b, c, d, e, f, g, h, i, j, k, l, m, o, p, q, r)
  CALLVAULT_MEMBERS(18, a, b, c, d, e, f, g, h, i, j, k, l, m, o, p, q, r, s)
  CALLVAULT_MEMBERS(19, a, b, c, d, e, f, g, h, i, j, k, l, m, o, p, q, r, s, t)
  CALLVAULT_MEMBERS(20, a, b, c, d, e, f, g, h, i, j, k, l, m, o, p, q, r, s, t, u)
  CALLVAULT_MEMBERS(21, a, b, c, d, e, f, g, h, i, j, k, l, m, o, p, q, r, s, t, u, w)
  CALLVAULT_MEMBERS(22, a, b, c, d, e, f, g, h, i, j, k, l, m, o, p, q, r, s, t, u, w, x)
  CALLVAULT_MEMBERS(23, a, b, c, d, e, f, g, h, i, j, k, l, m, o, p, q, r, s, t, u, w, x, y)
  CALLVAULT_MEMBERS(24, a, b, c, d, e, f, g, h, i, j, k, l, m, o, p, q, r, s, t, u, w, x, y, z)
#undef CALLVAULT_MEMBERS
}

}  // namespace callvault::service
