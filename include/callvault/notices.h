// The privacy notice that callers are told of, in its versions: what each says, and since when it is in force.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "callvault/call_record.h"

namespace callvault {

class Person;
class Vault;

struct NoticeOptions {
  std::string version;  // a code of 1 to 64 of A-Z, a-z, 0-9, '.', '_', '-': what `ingest --notice` names
  std::string text;     // as it is published: UTF-8, at most 64 KiB
  Time from{};
  std::optional<Time> until;  // from this instant on it is not in force any more
};

struct Notice {
  std::string version;
  std::string sha256;  // of the text, 64 hexadecimal digits
  std::string text;    // empty in a list
  Time from{};
  std::optional<Time> until;
  Time added{};
  std::string added_by;  // name of a person
};

struct NoticeAdded {
  Notice notice;         // without its text
  std::string ended;     // the version that was in force, and ends where this one begins; may be empty
  std::string ended_by;  // the later version that ends this one; may be empty
};

// Which notice a call was told of, as far as the vault knows.
struct NoticeReport {
  RecordingId id;
  Time started_at{};
  std::string version;  // as the recorder sealed it; empty: none was named
  std::optional<bool> played;
  std::optional<NoticeState> state;
  std::optional<Notice> notice;  // when the register knows the version
};

// Never replaces or removes one: a call may be pinned to it. No two are in force at a time. An officer's.
// Errors: usage; refused when the version is known, another begins at that instant, or a later one before the end
// named.
Result<NoticeAdded> notice_add(Vault& vault, const Person& person, const NoticeOptions& options);
// Ascending by when they begin. An officer's, an auditor's, a reviewer's; so are the next two.
Result<std::vector<Notice>> notice_list(Vault& vault, const Person& person);
// Errors: not_found.
Result<Notice> notice_show(Vault& vault, const Person& person, std::string_view version);
// Errors: not_found, gone.
Result<NoticeReport> notice_report(Vault& vault, const Person& person, const RecordingId& id);

}  // namespace callvault
