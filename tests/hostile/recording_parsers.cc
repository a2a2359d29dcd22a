#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <map>

#include "base/text.h"
#include "catalog/row.h"
#include "hostile/parsers.h"
#include "sealed/reader.h"

namespace callvault::hostile {
namespace {

using base::ByteView;
using crypto::Key;

// The keys of tests/vectors/sealed/ok.txt, from which the recordings here are made.
struct Keys {
  Key intake, pepper, review;
};

const Keys& vector_keys() {
  static const Keys made = [] {
    std::ifstream in(std::string(CALLVAULT_SOURCES) + "/tests/vectors/sealed/ok.txt");
    std::map<std::string, std::string> fields;
    for (std::string line; std::getline(in, line) && line != "file:";)
      if (const auto colon = line.find(": "); colon != std::string::npos)
        fields[line.substr(0, colon)] = line.substr(colon + 2);
    const auto key = [&](const char* name) {
      return Key::copy_of(ByteView(base::from_hex(fields.at(name)).value())).value();
    };
    return Keys{key("intake_secret"), key("pepper"), key("review_secret")};
  }();
  return made;
}

// As settling and then opening does it. The word is that of the command's answer; `gives` says how much can be heard.
Answer open_recording(ByteView in) {
  const int fd = ::memfd_create("recording", MFD_CLOEXEC);
  os::File file(fd, "/proc/self/fd/" + std::to_string(fd));
  if (!file.write_at(in, 0)) std::abort();
  auto reader = sealed::Reader::from(std::move(file));
  if (!reader) return refusal(reader.error());
  const auto secrets = sealed::open_intake_box(reader->header(), vector_keys().intake, vector_keys().pepper);
  if (!secrets) return refusal(secrets.error());
  const auto metadata = sealed::open_metadata(reader->header(), secrets->recording);
  if (!metadata) return refusal(metadata.error());
  const auto key = sealed::audio_key(reader->header(), vector_keys().review, secrets->track);
  if (!key) return refusal(key.error());
  const auto trailer = reader->read_trailer(secrets->recording);
  const auto prefix = reader->authenticated_prefix(*key);
  if (!prefix) return refusal(prefix.error());
  const std::string heard = std::to_string(*prefix) + " of " + std::to_string(reader->chunk_count());
  base::Bytes out(reader->chunk_count() * sealed::kChunkBytes);
  const bool all = reader->read_chunks(*key, 0, reader->chunk_count(), out).has_value();
  if (all != (*prefix == reader->chunk_count())) return {"unexpected", heard, "reads what does not authenticate"};
  if (!all) return {"corrupt", heard, {}};
  if (!trailer) return {trailer.error().code == Errc::not_found ? "interrupted" : "corrupt", heard, {}};
  const auto hash = reader->hash_chunks();
  if (!hash || trailer->chunk_hash != *hash) return {"corrupt", heard, {}};
  return accepted(heard);
}

}  // namespace

void add_recording_parsers(Parsers& to) {
  to["recording"] = open_recording;
  to["header"] = [](ByteView in) {
    const auto header = sealed::parse_header(in);
    return header ? accepted(header->id.text() + "." + std::string(to_word(header->track))) : refusal(header.error());
  };
  to["metadata"] = [](ByteView in) {
    const auto metadata = sealed::decode_metadata(base::as_text(in));
    return metadata ? accepted(metadata->caller) : refusal(metadata.error());
  };
  to["row"] = [](ByteView in) {
    const auto row = catalog::decode_row(in);
    return row ? accepted(row->caller) : refusal(row.error());
  };
}

}  // namespace callvault::hostile
