#include "cli/exit_codes.h"

#include <array>

namespace callvault::cli {
namespace {

constexpr std::array<ExitRow, 16> kTable{{
    {Errc::unexpected, Exit::unexpected, "unexpected failure"},
    {Errc::usage, Exit::usage, "usage"},
    {Errc::partly_done, Exit::partly_done, "partly done: some items failed"},
    {Errc::no_vault, Exit::no_vault, "no vault here"},
    {Errc::busy, Exit::busy, "busy or locked"},
    {Errc::wrong_passphrase, Exit::wrong_passphrase, "wrong passphrase"},
    {Errc::newer_version, Exit::newer_version, "vault of a newer version"},
    {Errc::not_found, Exit::not_found, "not found"},
    {Errc::gone, Exit::gone, "gone: shredded or expired"},
    {Errc::corrupt, Exit::corrupt, "corrupt or tampered"},
    {Errc::refused, Exit::refused, "refused by rule: consent, hold, restriction, role, purpose"},
    {Errc::not_gone, Exit::not_gone, "prove-gone: not gone"},
    {Errc::overdue, Exit::overdue, "status: something is overdue"},
    {Errc::io, Exit::io, "input/output error"},
    {Errc::no_space, Exit::no_space, "try later (disk full)"},
    {Errc::interrupted, Exit::interrupted, "interrupted"},
}};

}  // namespace

std::span<const ExitRow> exit_table() { return kTable; }

Exit exit_of(Errc code) {
  for (const auto& row : kTable)
    if (row.code == code) return row.exit;
  return Exit::unexpected;
}

}  // namespace callvault::cli
