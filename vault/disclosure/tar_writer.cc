#include "disclosure/tar_writer.h"

#include <archive.h>
#include <archive_entry.h>

#include <optional>

#include "base/text.h"
#include "os/shared_library.h"

namespace callvault::disclosure {
namespace {

// libarchive, with the libraries that it brings in turn: only a disclosure needs it.
struct Libarchive {
  decltype(&::archive_write_new) archive_write_new = nullptr;
  decltype(&::archive_write_free) archive_write_free = nullptr;
  decltype(&::archive_write_set_format_ustar) archive_write_set_format_ustar = nullptr;
  decltype(&::archive_write_add_filter_none) archive_write_add_filter_none = nullptr;
  decltype(&::archive_write_open) archive_write_open = nullptr;
  decltype(&::archive_write_header) archive_write_header = nullptr;
  decltype(&::archive_write_data) archive_write_data = nullptr;
  decltype(&::archive_write_finish_entry) archive_write_finish_entry = nullptr;
  decltype(&::archive_write_close) archive_write_close = nullptr;
  decltype(&::archive_entry_new) archive_entry_new = nullptr;
  decltype(&::archive_entry_free) archive_entry_free = nullptr;
  decltype(&::archive_entry_set_pathname) archive_entry_set_pathname = nullptr;
  decltype(&::archive_entry_set_filetype) archive_entry_set_filetype = nullptr;
  decltype(&::archive_entry_set_perm) archive_entry_set_perm = nullptr;
  decltype(&::archive_entry_set_mtime) archive_entry_set_mtime = nullptr;
  decltype(&::archive_entry_set_size) archive_entry_set_size = nullptr;
};

Result<Libarchive> load_libarchive() {
  CALLVAULT_TRY_ASSIGN(const auto library, os::SharedLibrary::load(CALLVAULT_LIBARCHIVE));
  Libarchive out;
  CALLVAULT_TRY(library.find("archive_write_new", out.archive_write_new));
  CALLVAULT_TRY(library.find("archive_write_free", out.archive_write_free));
  CALLVAULT_TRY(library.find("archive_write_set_format_ustar", out.archive_write_set_format_ustar));
  CALLVAULT_TRY(library.find("archive_write_add_filter_none", out.archive_write_add_filter_none));
  CALLVAULT_TRY(library.find("archive_write_open", out.archive_write_open));
  CALLVAULT_TRY(library.find("archive_write_header", out.archive_write_header));
  CALLVAULT_TRY(library.find("archive_write_data", out.archive_write_data));
  CALLVAULT_TRY(library.find("archive_write_finish_entry", out.archive_write_finish_entry));
  CALLVAULT_TRY(library.find("archive_write_close", out.archive_write_close));
  CALLVAULT_TRY(library.find("archive_entry_new", out.archive_entry_new));
  CALLVAULT_TRY(library.find("archive_entry_free", out.archive_entry_free));
  CALLVAULT_TRY(library.find("archive_entry_set_pathname", out.archive_entry_set_pathname));
  CALLVAULT_TRY(library.find("archive_entry_set_filetype", out.archive_entry_set_filetype));
  CALLVAULT_TRY(library.find("archive_entry_set_perm", out.archive_entry_set_perm));
  CALLVAULT_TRY(library.find("archive_entry_set_mtime", out.archive_entry_set_mtime));
  CALLVAULT_TRY(library.find("archive_entry_set_size", out.archive_entry_set_size));
  return out;
}

const Libarchive* api = nullptr;  // set before the first archive is made

Result<void> need_libarchive() {
  static const Result<Libarchive> loaded = load_libarchive();
  if (!loaded) return loaded.error();
  api = &*loaded;
  return {};
}

}  // namespace

struct TarWriter::State {
  struct Free {
    void operator()(struct archive* a) const { api->archive_write_free(a); }
    void operator()(struct archive_entry* e) const { api->archive_entry_free(e); }
  };
  ByteSink* out = nullptr;
  std::string folder;
  std::int64_t at_s = 0;
  // Said by the sink. libarchive is not told: it leaks what it had when a write fails.
  std::optional<Error> failed{};
  bool abandoned = false;
  std::unique_ptr<struct archive, Free> archive{};
  std::string name{}, sums{};
  std::uint64_t files = 0, left = 0;
  crypto::Sha256 hash{};

  // Called by libarchive, whose frames no exception may cross.
  static la_ssize_t give(struct archive*, void* self, const void* data, std::size_t size) noexcept {
    auto& state = *static_cast<State*>(self);
    if (!state.failed && !state.abandoned) {
      auto done = state.out->write({static_cast<const std::byte*>(data), size});
      if (!done) state.failed = std::move(done).error();
    }
    return static_cast<la_ssize_t>(size);
  }

  Result<void> check(int status, const char* what) const {
    if (failed) return *failed;
    if (status == ARCHIVE_OK) return {};
    return fail(Errc::unexpected, std::string("cannot write the bundle: ") + what);
  }
};

TarWriter::TarWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
TarWriter::TarWriter(TarWriter&&) noexcept = default;
TarWriter& TarWriter::operator=(TarWriter&&) noexcept = default;
TarWriter::~TarWriter() {
  // What is freed unfinished would still be flushed.
  if (state_) state_->abandoned = true;
}

Result<TarWriter> TarWriter::open(ByteSink& out, std::string folder, Time at) {
  CALLVAULT_TRY(need_libarchive());
  auto state = std::make_unique<State>();
  state->out = &out;
  state->folder = std::move(folder);
  state->at_s = std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count();
  state->archive.reset(api->archive_write_new());
  if (!state->archive) return fail(Errc::unexpected, "cannot write the bundle: no memory");
  struct archive* a = state->archive.get();
  CALLVAULT_TRY(state->check(api->archive_write_set_format_ustar(a), "its format"));
  CALLVAULT_TRY(state->check(api->archive_write_add_filter_none(a), "its filter"));
  CALLVAULT_TRY(state->check(api->archive_write_open(a, state.get(), nullptr, State::give, nullptr), "its beginning"));
  return TarWriter(std::move(state));
}

Result<void> TarWriter::begin(const std::string& name, std::uint64_t bytes) {
  std::unique_ptr<struct archive_entry, State::Free> entry(api->archive_entry_new());
  if (!entry) return fail(Errc::unexpected, "cannot write the bundle: no memory");
  api->archive_entry_set_pathname(entry.get(), (state_->folder + "/" + name).c_str());
  api->archive_entry_set_filetype(entry.get(), AE_IFREG);
  api->archive_entry_set_perm(entry.get(), 0600);
  api->archive_entry_set_mtime(entry.get(), state_->at_s, 0);
  api->archive_entry_set_size(entry.get(), static_cast<la_int64_t>(bytes));
  state_->name = name;
  state_->left = bytes;
  state_->hash = crypto::Sha256();
  return state_->check(api->archive_write_header(state_->archive.get(), entry.get()), "a header");
}

Result<void> TarWriter::write(std::span<const std::byte> bytes) {
  if (bytes.size() > state_->left) return fail(Errc::unexpected, "a file of the bundle is longer than was said");
  state_->left -= bytes.size();
  state_->hash.add(bytes);
  const la_ssize_t written = api->archive_write_data(state_->archive.get(), bytes.data(), bytes.size());
  return state_->check(written == static_cast<la_ssize_t>(bytes.size()) ? ARCHIVE_OK : ARCHIVE_FATAL, "content");
}

Result<void> TarWriter::end() {
  if (state_->left != 0) return fail(Errc::unexpected, "a file of the bundle is shorter than was said");
  CALLVAULT_TRY(state_->check(api->archive_write_finish_entry(state_->archive.get()), "the end of a file"));
  state_->sums += base::to_hex(state_->hash.finish()) + "  " + state_->name + "\n";
  ++state_->files;
  return {};
}

Result<void> TarWriter::add(const std::string& name, base::ByteView content) {
  CALLVAULT_TRY(begin(name, content.size()));
  CALLVAULT_TRY(write(content));
  return end();
}

Result<void> TarWriter::finish() {
  CALLVAULT_TRY(state_->check(api->archive_write_close(state_->archive.get()), "its end"));
  state_->archive.reset();
  return {};
}

const std::string& TarWriter::sums() const { return state_->sums; }
std::uint64_t TarWriter::files() const { return state_->files; }

}  // namespace callvault::disclosure
