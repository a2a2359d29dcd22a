// What may be on a disk when the power goes: which of the events, and how much of them.
#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "disk.h"

namespace callvault::crash {
namespace {

constexpr std::uint64_t kSector = 512;

// The events before `cut` that a crash cannot take back.
std::vector<bool> durable_before(const Recording& recording, std::size_t cut, Profile profile) {
  const auto& events = recording.events;
  std::vector<bool> out(cut, false);
  for (std::size_t s = 0; s < cut; ++s) {
    const Event& sync = events[s];
    if (sync.kind == Event::Kind::write && sync.durable) out[s] = true;
    if (sync.kind != Event::Kind::sync && !sync.durable) continue;
    bool commits = recording.is_folder.at(sync.node);
    for (std::size_t i = 0; i < s; ++i) {
      const Event& e = events[i];
      if (e.is_data() && e.node == sync.node) {
        commits = commits || (e.resizes && !out[i]);
        out[i] = true;
      }
      // A name that moves is safe where it has gone to.
      if (e.is_name() && (e.kind == Event::Kind::move ? e.other : e.node) == sync.node) out[i] = true;
    }
    if (profile != Profile::ext4 || !commits) continue;
    for (std::size_t i = 0; i < s; ++i)
      if (events[i].is_name()) out[i] = true;
  }
  return out;
}

class Chooser {
 public:
  Chooser(const Recording& recording, std::size_t cut, Profile profile, unsigned effort, std::mt19937& random)
      : recording_(recording),
        cut_(cut),
        effort_(effort),
        random_(random),
        durable_(durable_before(recording, cut, profile)) {
    for (std::size_t i = 0; i < cut; ++i) {
      const Event& e = recording.events[i];
      if (!e.is_name() && !e.is_data()) continue;
      changes_.push_back(i);
      if (!durable_[i]) (e.is_name() ? names_ : data_).push_back(i);
    }
  }

  void ordered() {
    keep(all());
    tear_last(all());
  }

  void ext4() {
    // The journal's prefixes: the last few, and some.
    const std::size_t count = names_.size();
    for (std::size_t j = 0; j <= count; ++j) {
      if (count - j > effort_ && j > 1 && random_() % count >= effort_) continue;
      std::set<std::size_t> kept(names_.begin(), names_.begin() + static_cast<std::ptrdiff_t>(j));
      keep(kept);
      auto more = kept;
      more.insert(data_.begin(), data_.end());
      keep(more);
      if (!data_.empty() && j == count) sample(kept, data_);
    }
  }

  void worst() {
    keep(all());
    keep({});
    keep({names_.begin(), names_.end()});
    keep({data_.begin(), data_.end()});
    tear_last(all());
    tear_last({});
    std::vector<std::size_t> loose = names_;
    loose.insert(loose.end(), data_.begin(), data_.end());
    std::sort(loose.begin(), loose.end());
    const auto alone = [&](std::size_t event) {
      auto without = all();
      without.erase(event);
      keep(without);
      keep({event});
    };
    // What was written last, and something from before.
    for (const auto& [from, count] : {std::pair(&names_, 2 * effort_), std::pair(&data_, effort_)}) {
      const std::size_t near = std::min<std::size_t>(from->size(), count);
      for (std::size_t i = from->size() - near; i < from->size(); ++i) alone((*from)[i]);
    }
    if (!loose.empty()) alone(loose[random_() % loose.size()]);
    sample({}, loose);
  }

  std::vector<Selection> take() { return std::move(out_); }

 private:
  std::set<std::size_t> all() const {
    std::set<std::size_t> out(names_.begin(), names_.end());
    out.insert(data_.begin(), data_.end());
    return out;
  }

  // `kept` of what is not durable.
  void keep(const std::set<std::size_t>& kept, std::optional<Part> changed = std::nullopt) {
    Selection out;
    for (const auto i : changes_) {
      if (!durable_[i] && !kept.contains(i)) continue;
      out.push_back(changed && changed->event == i ? *changed : Part{i});
    }
    out_.push_back(std::move(out));
  }

  // The last sectors, the first ones, or room without bytes.
  void tear(const std::set<std::size_t>& kept, std::size_t event) {
    const Event& e = recording_.events[event];
    if (e.kind != Event::Kind::write) return;
    std::vector<std::uint64_t> cuts;
    for (std::uint64_t at = kSector - e.offset % kSector; at < e.data.size(); at += kSector) cuts.push_back(at);
    if (cuts.size() > effort_) cuts = {cuts.front(), cuts[cuts.size() / 2], cuts.back()};
    for (const auto at : cuts) {
      keep(kept, Part{event, 0, at});
      keep(kept, Part{event, at});
      if (e.resizes) keep(kept, Part{event, 0, at, true});
    }
    if (e.resizes) keep(kept, Part{event, 0, 0, true});
  }

  // The power goes while it is written, O_DSYNC or not.
  void tear_last(const std::set<std::size_t>& kept) {
    if (cut_ == 0 || recording_.events[cut_ - 1].kind != Event::Kind::write) return;
    auto with = kept;
    with.insert(cut_ - 1);
    tear(with, cut_ - 1);
  }

  void sample(const std::set<std::size_t>& base, const std::vector<std::size_t>& from) {
    for (unsigned n = 0; n < effort_; ++n) {
      auto kept = base;
      for (const auto i : from)
        if (random_() % 2 == 0) kept.insert(i);
      keep(kept);
    }
    const std::size_t near = std::min<std::size_t>(data_.size(), (effort_ + 1) / 2);
    for (std::size_t i = data_.size() - near; i < data_.size(); ++i) {
      auto kept = base;
      kept.insert(from.begin(), from.end());
      tear(kept, data_[i]);
    }
  }

  const Recording& recording_;
  std::size_t cut_;
  unsigned effort_;
  std::mt19937& random_;
  std::vector<bool> durable_;
  std::vector<std::size_t> changes_, names_, data_;
  std::vector<Selection> out_;
};

}  // namespace

std::vector<Selection> selections(const Recording& recording, std::size_t cut, Profile profile, unsigned effort,
                                  std::mt19937& random) {
  Chooser chooser(recording, cut, profile, effort, random);
  if (profile == Profile::ordered) chooser.ordered();
  if (profile == Profile::ext4) chooser.ext4();
  if (profile == Profile::worst) chooser.worst();
  return chooser.take();
}

Selection everything(const Recording& recording, std::size_t cut) {
  Selection out;
  for (std::size_t i = 0; i < cut; ++i)
    if (recording.events[i].is_name() || recording.events[i].is_data()) out.push_back({i});
  return out;
}

bool is_cut(const Recording& recording, std::size_t cut) {
  if (cut == recording.events.size() || recording.events[cut].kind != Event::Kind::fact) return true;
  return cut > 0 && recording.events[cut - 1].kind == Event::Kind::write;  // which may be torn
}

}  // namespace callvault::crash
