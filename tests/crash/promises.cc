// What had been promised, begun or read by the time of a cut.
#include "oracle.h"

namespace callvault::crash {

Promises Promises::at(const Recording& recording, std::size_t cut) {
  Promises out;
  std::uint64_t read = 0;
  std::string current;
  std::size_t shred_began = 0;
  std::set<std::string> victims;
  for (std::size_t i = 0; i < cut; ++i) {
    const auto& w = recording.events[i].fact;
    if (w.empty()) continue;
    ++out.count;
    const std::set<std::string> names(w.begin() + 1, w.end());
    if (w[0] == "clock") {
      out.verdict_at = std::chrono::milliseconds(std::stoll(w[1]));
      out.life_at = std::chrono::milliseconds(std::stoll(w[2]));
    } else if (w[0] == "files") {
      out.passphrase = w[1];
      out.sound = w[2];
    } else if (w[0] == "read") {
      read += std::stoull(w[1]);
      if (!current.empty()) out.live[current] = read;
    } else if (w[0] == "started") {
      current = w[1];
      out.live[current] = read;
    } else if (w[0] == "made") {
      out.made.insert(w[1]);
      read = 0;
      current.clear();
    } else if (w[0] == "expiring") {
      out.expiring = names;
    } else if (w[0] == "ended") {  // and nothing was told of it
      read = 0;
      current.clear();
    } else if (w[0] == "shred") {
      out.dying.insert(names.begin(), names.end());
      victims = names;
      shred_began = i;
    } else if (w[0] == "shredded") {
      out.dead.insert(victims.begin(), victims.end());
      out.shreds.emplace_back(shred_began, victims);
      out.journal_at = i;
    } else if (w[0] == "vault") {
      out.vault_made = true;
      out.journal_at = i;
    } else if (w[0] == "change") {  // from here on until "kept" nobody knows
      std::erase_if(out.kept, [&](const std::string& fact) { return fact.find(w[1]) != std::string::npos; });
    } else if (w[0] == "kept") {
      out.kept.insert(w[1] + " " + w[2]);
      out.journal_at = i;
    } else if (w[0] == "done") {
      out.journal_at = i;
    }
  }
  return out;
}

}  // namespace callvault::crash
