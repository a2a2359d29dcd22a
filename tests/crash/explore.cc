// Replays what a power cut may leave of recorded runs, and asks each state whether the promises hold.
//   crash_explorer RECORDING WORKFOLDER [--effort N] [--every N] [--jobs N] [--from EVENT] [--stop] [--only PROFILE]
//   crash_explorer RECORDING WORKFOLDER --judge FOLDER    one state, that somebody else has made: killed, not cut off
// Prints figures, and what it found. A state is judged in a process of its own: one that dies is a finding, too.
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <exception>
#include <iterator>
#include <regex>
#include <set>

#include "callvault/process.h"
#include "oracle.h"

namespace callvault::crash {
namespace {

namespace fs = std::filesystem;

constexpr unsigned kSecondsPerState = 60;
constexpr unsigned kRecordNothing = 3;  // a variant: no recorder comes before recovery

struct Options {
  fs::path recording, work;
  unsigned effort = 4, every = 1, jobs = 2;
  std::size_t from = 0;
  bool stop = false;
  std::string only;
  fs::path judge;
};

// Processes that answer with one line; nothing means that all is well.
class Pool {
 public:
  using Done = std::function<void(const std::string&)>;
  explicit Pool(const Options& options) : work_(options.work), slots_(options.jobs) {}

  template <typename Job>
  void run(const Job& job, Done done) {
    Slot& slot = free_slot();
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
    const fs::path folder = work_ / ("slot-" + std::to_string(&slot - slots_.data()));
    const pid_t pid = ::fork();
    if (pid < 0) throw std::runtime_error("no process");
    if (pid == 0) {
      ::alarm(kSecondsPerState);
      std::string answer;
      try {
        answer = job(folder);
      } catch (const std::exception& e) {
        answer = std::string("exception: ") + e.what();
      }
      (void)!::write(ends[1], answer.data(), std::min<std::size_t>(answer.size(), 4000));
      ::_exit(0);
    }
    ::close(ends[1]);
    slot = Slot{pid, ends[0], std::move(done)};
  }

  void wait_all() {
    for (Slot& slot : slots_)
      if (slot.pid != 0) finish(slot);
  }

 private:
  struct Slot {
    pid_t pid = 0;
    int answer = -1;
    Done done;
  };

  Slot& free_slot() {
    std::vector<pollfd> waiting;
    for (Slot& slot : slots_) {
      if (slot.pid == 0) return slot;
      waiting.push_back({slot.answer, POLLIN, 0});
    }
    (void)::poll(waiting.data(), waiting.size(), -1);
    for (std::size_t i = 0; i < slots_.size(); ++i)
      if (waiting[i].revents != 0) {
        finish(slots_[i]);
        return slots_[i];
      }
    return free_slot();
  }

  static void finish(Slot& slot) {
    std::string answer;
    char buffer[4096];
    for (ssize_t n = 0; (n = ::read(slot.answer, buffer, sizeof buffer)) > 0;)
      answer.append(buffer, static_cast<std::size_t>(n));
    ::close(slot.answer);
    int status = 0;
    ::waitpid(slot.pid, &status, 0);
    if (WIFSIGNALED(status)) answer = "died of signal " + std::to_string(WTERMSIG(status));
    slot.pid = 0;
    const Done done = std::move(slot.done);
    done(answer);
  }

  fs::path work_;
  std::vector<Slot> slots_;
};

std::string without_names(const std::string& text) {
  static const std::regex ids("[a-z2-7]{26}"), paths("/[^ :]*"), numbers("[0-9]+");
  return std::regex_replace(std::regex_replace(std::regex_replace(text, ids, "ID"), paths, "PATH"), numbers, "#");
}

class Exploration {
 public:
  explicit Exploration(Options options)
      : options_(std::move(options)), recording_(Recording::load(options_.recording)), pool_(options_) {}

  int judge_one() {
    if (!recording_.folders.empty()) learn_sounds();
    const std::size_t end = recording_.events.size();
    const auto promises = Promises::at(recording_, end);
    const auto wrong = judge(options_.judge, promises, sounds_, {}, kRecordNothing);
    if (wrong) std::printf("FINDING %s\n", wrong->c_str());
    return wrong ? 1 : 0;
  }

  int run() {
    learn_sounds();
    for (int profile = 0; profile < 3 && !stopped(); ++profile) {
      if (!options_.only.empty() && options_.only != kProfileNames[profile]) continue;
      explore(static_cast<Profile>(profile));
      pool_.wait_all();
    }
    for (const auto& [what, found] : findings_)
      std::printf("FINDING %llu x %s\n        first: %s\n", found.first, what.c_str(), found.second.c_str());
    std::printf("events %zu unique %zu states %zu ordered %zu ext4 %zu worst %zu attacks %zu findings %zu\n",
                recording_.events.size(), seen_.size(), counts_[0] + counts_[1] + counts_[2], counts_[0], counts_[1],
                counts_[2], attacks_.size(), findings_.size());
    return findings_.empty() ? 0 : 1;
  }

 private:
  bool stopped() const { return options_.stop && !findings_.empty(); }

  // The undisturbed run is what others are compared with.
  void learn_sounds() {
    for (std::size_t i = 0; i < recording_.events.size(); ++i) {
      const auto& words = recording_.events[i].fact;
      if (words.empty() || words[0] != "made") continue;
      const auto promises = Promises::at(recording_, i + 1);
      const Tree tree = build(recording_, everything(recording_, i + 1));
      pool_.run(
          [&](const fs::path& folder) {
            write_tree(tree, folder);
            return hear(folder, promises, words[1]);
          },
          [this, id = words[1]](const std::string& heard) {
            if (heard.size() == 64)
              sounds_[id] = heard;
            else if (options_.judge.empty())
              throw std::runtime_error("the undisturbed run: " + id + ": " + heard);
          });
    }
    pool_.wait_all();
  }

  void explore(Profile profile) {
    for (std::size_t cut = options_.from; cut <= recording_.events.size() && !stopped(); ++cut) {
      if (!is_cut(recording_, cut)) continue;
      const auto promises = Promises::at(recording_, cut);
      const auto journal = journal_at(promises.journal_at);
      for (const auto& selection : selections(recording_, cut, profile, options_.effort, random_)) {
        if (stopped()) break;
        consider(profile, cut, promises, journal, build(recording_, selection));
      }
    }
  }

  void consider(Profile profile, std::size_t cut, const Promises& promises, const Content& journal, const Tree& tree) {
    const auto digest = fingerprint(tree);
    if (!seen_.emplace(digest, promises.count).second) return;
    if (static_cast<unsigned>(digest[1]) % options_.every != 0) return;
    ++counts_[static_cast<std::size_t>(profile)];
    const auto variant = static_cast<unsigned>(digest[0]);
    const std::string where = std::string(kProfileNames[static_cast<int>(profile)]) + ", cut " + std::to_string(cut);
    const auto note = [this, where](const std::string& answer) {
      if (answer.empty()) return;
      auto& [count, first] = findings_[without_names(answer)];
      if (count++ == 0) first = where + ": " + answer;
    };
    pool_.run(
        [&](const fs::path& folder) {
          write_tree(tree, folder);
          return judge(folder, promises, sounds_, journal ? base::ByteView(*journal) : base::ByteView(), variant)
              .value_or("");
        },
        note);
    for (const char* keeper : {"vault.keeper/root", "vault.mirror/root", "vault.mirror.away/root"})
      if (const auto it = tree.find(keeper); it != tree.end() && it->second) attack_with(it->second, promises, note);
  }

  // The whole vault from before each shred, opened by this keeper alone.
  template <typename Note>
  void attack_with(const Content& keeper, const Promises& promises, const Note& note) {
    for (const auto& [began, victims] : promises.shreds) {
      if (!attacks_.emplace(crypto::blake2b(*keeper), began).second) continue;
      Tree old = build(recording_, everything(recording_, began));
      old.erase("vault.mirror/root");
      old.erase("vault.mirror.away/root");
      old["vault.keeper/root"] = keeper;
      const std::set<std::string>& ids = victims;
      pool_.run(
          [&](const fs::path& folder) {
            write_tree(old, folder);
            return attack(folder, promises, ids).value_or("");
          },
          note);
    }
  }

  // The journal's file as it was told about.
  Content journal_at(std::size_t event) {
    const auto it = journals_.find(event);
    if (it != journals_.end()) return it->second;
    const Tree tree = build(recording_, everything(recording_, event));
    const auto entries = tree.find("vault/journal/entries");
    return journals_[event] = entries == tree.end() || event == 0 ? nullptr : entries->second;
  }

  Options options_;
  Recording recording_;
  Pool pool_;
  std::mt19937 random_{1};
  Sounds sounds_;
  std::set<std::pair<crypto::Digest, std::size_t>> seen_, attacks_;
  std::map<std::size_t, Content> journals_;
  std::size_t counts_[3] = {0, 0, 0};
  std::map<std::string, std::pair<unsigned long long, std::string>> findings_;
};

Options parse(int argc, char** argv) {
  Options out;
  if (argc < 3) throw std::runtime_error("crash_explorer RECORDING WORKFOLDER [options]");
  out.recording = argv[1];
  out.work = argv[2];
  for (int i = 3; i < argc; ++i) {
    const std::string word = argv[i];
    const auto value = [&]() -> std::string {
      if (i + 1 >= argc) throw std::runtime_error(word + " needs a value");
      return argv[++i];
    };
    if (word == "--stop")
      out.stop = true;
    else if (word == "--effort")
      out.effort = static_cast<unsigned>(std::stoul(value()));
    else if (word == "--every")
      out.every = static_cast<unsigned>(std::stoul(value()));
    else if (word == "--jobs")
      out.jobs = static_cast<unsigned>(std::stoul(value()));
    else if (word == "--from")
      out.from = std::stoul(value());
    else if (word == "--only")
      out.only = value();
    else if (word == "--judge")
      out.judge = value();
    else
      throw std::runtime_error("unknown option " + word);
  }
  return out;
}

}  // namespace
}  // namespace callvault::crash

int main(int argc, char** argv) {
  try {
    if (!callvault::harden_process()) return 70;
    const auto options = callvault::crash::parse(argc, argv);
    callvault::crash::Exploration exploration(options);
    return options.judge.empty() ? exploration.run() : exploration.judge_one();
  } catch (const std::exception& e) {
    std::fprintf(stderr, "crash_explorer: %s\n", e.what());
    return 70;
  }
}
