// A recording as programs and people see it. The field names are a contract: docs/CLI.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "callvault/vault.h"
#include "cli/json.h"
#include "cli/output.h"

namespace callvault::cli {

// An id cut for tables: long enough to be unique in practice.
std::string short_id(const RecordingId& id);

std::vector<std::string> flag_words(const Flags& flags);
// One object a track: name, codec, sample_rate, bytes; continuations of a track are added up.
std::vector<JsonObject> tracks_json(const std::vector<Track>& tracks);

// The fields `find` prints.
JsonObject record_json(const CallRecord& record, const Vault& vault);
// ... and what `show` adds: basis, notice, notice_played.
JsonObject record_details_json(const CallRecord& record, const Vault& vault);
JsonObject tombstone_json(const Tombstone& tombstone, const Vault& vault);

void print_record(const CallRecord& record, const Vault& vault, Output& out);
void print_tombstone(const Tombstone& tombstone, const Vault& vault, Output& out);

// "name:   value", with the value escaped.
void print_field(Output& out, std::string_view name, std::string_view value);

std::string_view state_colour(State state);

}  // namespace callvault::cli
