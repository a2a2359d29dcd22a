// One recording in incoming/, read for its registration in a node.
#pragma once

#include <list>
#include <optional>
#include <vector>

#include "capture/incoming.h"
#include "context/context.h"

namespace callvault::capture {

// Where a recording is registered already.
struct Registered {
  std::uint32_t bucket = 0;
  std::vector<std::pair<TrackName, std::uint16_t>> tracks;
  bool in_progress = false;
};

struct Registration {
  keys::NodeRow row;  // its views point into `secrets`
  std::list<crypto::Key> secrets;
  catalog::Row details;
  std::string retention_class;
  std::string call_id;
  std::map<TrackName, crypto::Digest> audio_hash;  // of finished tracks
  std::optional<Registered> known;
  RecordingId folded_into;  // the first recording of this call, when this one repeats it
  bool incomplete = false;  // has ended, and its headers name a track that is not there
  bool recovered = false;   // its recorder had died; the files are whole now
  bool changed = true;      // says more than the node knows
};

// Through the catalogue. REQUIRES: it is up to date (context::refresh_catalog).
Result<std::optional<Registered>> find_registered(const context::Context& context, const RecordingId& id);
bool has_new_files(const IncomingCall& call, const Registered& known);
// Intake keys that a recording still needs: those that open a header of it, and every one when the disk does not give a
// header.
std::vector<std::uint32_t> intake_of(const context::Context& context, const IncomingCall& call);

// Why a recording that nobody registered yet could not be: the first of its files that cannot be opened. Changes
// nothing.
std::optional<Error> why_unreadable(const context::Context& context, const IncomingCall& call);

// Opens the headers, makes dead recorders' files whole, and drops ".part" from their names. What is registered already
// stays and is added to. Errors: corrupt (a header or its box cannot be opened), io, no_space.
Result<Registration> read_registration(context::Context& context, IncomingCall& call,
                                       const std::optional<Registered>& known);

// Errors: refused when a node cannot hold such a row (keys::encode_node).
Result<void> check_fits(const keys::NodeRow& row);

// True when `fresh` repeats a recording among `rows`: same call id, same start, same audio. With other audio both are
// flagged. REQUIRES: rows are those of `bucket`.
Result<bool> fold_repeated(context::Context& context, const keys::Bucket& bucket, std::vector<keys::NodeRow>& rows,
                           Registration& fresh);

}  // namespace callvault::capture
