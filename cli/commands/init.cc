#include <fmt/format.h>

#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/text.h"

namespace callvault::cli {
namespace {

class Init final : public Command {
 public:
  void declare(Arguments& arguments) override {
    arguments.positional(dir_, "DIR", "the folder to make the vault in (default: --vault)");
    arguments.option(organisation_, "--organisation", "N", "who answers for the recordings");
    arguments.option(time_zone_, "--time-zone", "ZONE", "IANA name (default Europe/Bucharest)");
    arguments.option(country_code_, "--country-code", "+N", "completes national numbers (default +40)");
    arguments.option(retention_, "--retention", "PERIOD", "how long recordings are kept: 6mo, 30d, 1y (default 6mo)");
    arguments.flag(unsafe_keeper_, "--unsafe-keeper", "accept a keeper's place that may not forget");
    arguments.option(user_, "--user", "NAME", "the first person (default officer)");
    arguments.option(recorder_group_, "--recorder-group", "GROUP",
                     "Unix group whose accounts may record (default none)");
    arguments.hidden_flag(unsafe_fast_passphrase_, "--unsafe-fast-passphrase", "tests only: a cheap passphrase step");
  }

  Result<Exit> run(Session& session) override {
    InitOptions options;
    const auto dir = dir_ ? std::optional<std::filesystem::path>(*dir_) : session.named_vault_dir();
    if (!dir || dir->empty()) return fail(Errc::usage, "init needs the folder to make the vault in");
    options.dir = *dir;
    options.organisation = organisation_.value_or("");
    options.time_zone = time_zone_.value_or(options.time_zone);
    options.country_code = country_code_.value_or(options.country_code);
    options.retention = retention_.value_or(options.retention);
    options.keeper = session.keeper();
    options.unsafe_keeper = unsafe_keeper_;
    options.unsafe_fast_passphrase = unsafe_fast_passphrase_;
    options.user = user_.value_or(options.user);
    if (recorder_group_ && recorder_group_->empty()) return fail(Errc::usage, "--recorder-group needs a group's name");
    options.recorder_group = recorder_group_.value_or("");
    CALLVAULT_TRY(about("--retention", Period::parse(options.retention)));
    CALLVAULT_TRY_ASSIGN(const Passphrase passphrase,
                         resolve_new_passphrase(session.sources(), "New passphrase of " + options.user));
    CALLVAULT_TRY(make(options, passphrase));
    report(options, session.out());
    return Exit::done;
  }

 private:
  // A folder that cannot be made is no recording that was not found.
  static Result<void> make(const InitOptions& options, const Passphrase& passphrase) {
    auto made = Vault::create(options, passphrase);
    if (made) return made;
    Error error = std::move(made).error();
    if (error.code == Errc::not_found) error.code = Errc::io;
    return about("--time-zone", "no time zone", std::move(error));
  }

  static void report(const InitOptions& options, Output& out) {
    if (options.unsafe_keeper)
      out.warn("warning: this keeper's place may keep old keys; 'callvault doctor' tells more");
    std::string plain = options.dir.string();
    while (plain.size() > 1 && plain.back() == '/') plain.pop_back();
    const std::string keeper = options.keeper ? options.keeper->string() : plain + ".keeper";
    if (out.json()) {
      out.object(JsonObject()
                     .put("vault", plain)
                     .put("keeper", keeper)
                     .put("user", options.user)
                     .put("time_zone", options.time_zone)
                     .put("retention", options.retention));
      return;
    }
    out.line(fmt::format("made the vault {}", printable(plain)));
    out.line(fmt::format("keeper: {} (never put it in a backup)", printable(keeper)));
    out.line(fmt::format("first person: {} (officer and reviewer)", printable(options.user)));
  }

  std::optional<std::string> dir_, organisation_, time_zone_, country_code_, retention_, user_, recorder_group_;
  bool unsafe_keeper_ = false, unsafe_fast_passphrase_ = false;
};

}  // namespace

std::unique_ptr<Command> make_init() { return std::make_unique<Init>(); }

}  // namespace callvault::cli
