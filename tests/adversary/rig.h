// A vault in use, watched by someone who keeps every byte it ever wrote.
#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "callvault/vault.h"
#include "session.h"

namespace adversary {

using callvault::RecordingId;
using callvault::Time;
using callvault::base::Bytes;

// Every different content that a file of the vault ever had, by what kind of file it was.
struct Blob {
  std::string path;  // relative to the vault
  Bytes bytes;
};

class TestClock final : public callvault::Clock {
 public:
  Time now() const override { return now_; }
  Time now_ = callvault::system_clock().now();
};

struct Call {
  std::string caller = "+40722000001";
  std::string agent = "ana";
  std::string call_id{};
  bool stereo = false;
  callvault::Consent consent = callvault::Consent::granted;
  std::string retention_class = "default";
};

class Rig {
 public:
  // `parent`: where the vault and its keeper are made; else in the folder for temporary files.
  explicit Rig(const std::filesystem::path& parent = {}, bool unsafe_keeper = true);
  ~Rig();
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;

  // Records a second of sound; not settled yet.
  RecordingId record(const Call& call);
  void settle();
  void snapshot();
  void erase(const std::vector<RecordingId>& ids);

  callvault::Vault& vault() { return *vault_; }
  const callvault::Person& officer() const { return *officer_; }
  void reopen();
  // A second opening of the same vault with another keeper object, for stopping inside a rotation.
  callvault::Vault::Impl parts(std::unique_ptr<callvault::keys::Keeper> keeper) const;

  std::filesystem::path folder() const { return root_ / "vault"; }
  std::filesystem::path keeper_file() const { return root_ / "vault.keeper" / "root"; }
  const std::vector<Blob>& blobs() const { return blobs_; }
  const std::vector<Bytes>& keeper_history() const { return keepers_; }
  TestClock& clock() { return clock_; }
  // What was said last, as it was given to `ingest`.
  const std::vector<std::int16_t>& last_sound() const { return last_sound_; }

 private:
  std::filesystem::path root_, input_;
  std::vector<std::int16_t> last_sound_;
  TestClock clock_;
  std::optional<callvault::Vault> vault_;
  std::optional<callvault::Person> officer_;
  std::set<std::array<std::byte, 32>> seen_;
  std::vector<Blob> blobs_;
  std::vector<Bytes> keepers_;
  unsigned seed_ = 1;
};

// Fails the running test with the error's text.
template <typename T>
T must(callvault::Result<T> result, const char* what);
void must(callvault::Result<void> result, const char* what);

[[noreturn]] void give_up(const char* what, const callvault::Error& error);

template <typename T>
T must(callvault::Result<T> result, const char* what) {
  if (!result) give_up(what, result.error());
  return std::move(*result);
}

}  // namespace adversary
