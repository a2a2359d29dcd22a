#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/record_view.h"

namespace callvault::cli {
namespace {

class Show final : public Command {
 public:
  void declare(Arguments& arguments) override {
    arguments.positional(id_, "ID", "the recording, or a unique prefix of 6 or more characters");
  }

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CALLVAULT_TRY_ASSIGN(const RecordingId id, vault.resolve(id_));
    CALLVAULT_TRY_ASSIGN(const Person person, session.unlock(vault));
    const auto record = vault.show(person, id);
    if (!record && record.error().code == Errc::gone) return show_gone(vault, id, record.error(), out);
    if (!record) return record.error();
    if (out.json())
      out.object(record_details_json(*record, vault));
    else
      print_record(*record, vault, out);
    return Exit::done;
  }

 private:
  // Expired and not purged yet: gone without a tombstone, an error like any other.
  static Result<Exit> show_gone(Vault& vault, const RecordingId& id, const Error& gone, Output& out) {
    const auto tombstone = vault.tombstone(id);
    if (!tombstone && tombstone.error().code != Errc::not_found) return tombstone.error();
    if (!tombstone) return gone;
    if (out.json())
      out.object(tombstone_json(*tombstone, vault));
    else
      print_tombstone(*tombstone, vault, out);
    return Exit::gone;
  }

  std::string id_;
};

}  // namespace

std::unique_ptr<Command> make_show() { return std::make_unique<Show>(); }

}  // namespace callvault::cli
