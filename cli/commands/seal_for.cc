#include "cli/commands/seal_for.h"

namespace callvault::cli {

void SealForOptions::declare(Arguments& arguments) {
  arguments.option(recipient_, "--recipient", "KEY", "the age public key it is sealed to (age1...)");
  arguments.option(passphrase_file_, "--recipient-passphrase-file", "FILE",
                   "seal it to the passphrase in FILE (without either, the terminal is asked)");
  arguments.required(output_, "-o,--output", "FILE", "the sealed file; must not exist");
}

Result<void> SealForOptions::check() const {
  if (recipient_ && passphrase_file_)
    return fail(Errc::usage, "give --recipient or --recipient-passphrase-file, not both");
  if (output_.empty() || output_ == "-") return fail(Errc::usage, "-o names no file");
  return {};
}

Result<SealFor> SealForOptions::resolve(Session& session) {
  if (recipient_) return SealFor{*recipient_, nullptr};
  PassphraseSources sources;
  sources.file = passphrase_file_;
  sources.file_option = "--recipient-passphrase-file";
  sources.command_option = "--recipient";
  sources.remarks = &session.out();
  auto passphrase = passphrase_file_ ? resolve_passphrase(sources, "passphrase of the recipient")
                                     : resolve_new_passphrase(sources, "passphrase of the recipient");
  if (!passphrase) return std::move(passphrase).error();
  passphrase_ = std::move(*passphrase);
  return SealFor{{}, &*passphrase_};
}

}  // namespace callvault::cli
