#include "disk.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <iterator>
#include <span>
#include <sstream>
#include <stdexcept>

namespace callvault::crash {
namespace {

Content read_content(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path.string());
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  const auto bytes = base::as_bytes(text);
  return std::make_shared<const base::Bytes>(bytes.begin(), bytes.end());
}

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream in(line.substr(0, line.find(" # ")));
  return {std::istream_iterator<std::string>(in), {}};
}

Event parse(const std::vector<std::string>& w, base::ByteView blob) {
  Event e;
  using Kind = Event::Kind;
  const auto number = [&](std::size_t i) { return std::stoull(w.at(i)); };
  const auto node = [&](std::size_t i) { return std::stoi(w.at(i)); };
  if (w[0] == "fact") {
    e.fact.assign(w.begin() + 1, w.end());
    return e;
  }
  e.node = node(1);
  if (w[0] == "name") {
    e.kind = Kind::name;
    e.name = w.at(2);
    e.child = node(3);
  } else if (w[0] == "move") {
    e.kind = Kind::move;
    e.name = w.at(2);
    e.other = node(3);
    e.new_name = w.at(4);
  } else if (w[0] == "remove") {
    e.kind = Kind::remove;
    e.name = w.at(2);
  } else if (w[0] == "write") {
    e.kind = Kind::write;
    e.offset = number(2);
    e.data = blob.subspan(number(4), number(3));
    e.durable = w.at(5) == "1";
  } else if (w[0] == "cut" || w[0] == "grow") {
    e.kind = w[0] == "cut" ? Kind::cut : Kind::grow;
    e.offset = number(2);
  } else if (w[0] == "sync") {
    e.kind = Kind::sync;
  } else {
    throw std::runtime_error("unknown event " + w[0]);
  }
  return e;
}

void mark_resizing(Recording& recording) {
  std::map<int, std::uint64_t> sizes;
  for (const auto& [node, content] : recording.contents) sizes[node] = content->size();
  for (Event& e : recording.events) {
    if (!e.is_data()) continue;
    auto& size = sizes[e.node];
    const std::uint64_t end = e.kind == Event::Kind::write ? e.offset + e.data.size() : e.offset;
    e.resizes = e.kind == Event::Kind::cut || end > size;
    size = e.kind == Event::Kind::cut ? end : std::max(size, end);
  }
}

struct Image {
  std::map<int, Names> folders;
  std::map<int, Content> contents;
  std::map<int, std::shared_ptr<base::Bytes>> changed;

  base::Bytes& bytes_of(int node) {
    auto& out = changed[node];
    if (out) return *out;
    const auto it = contents.find(node);
    out = it == contents.end() ? std::make_shared<base::Bytes>() : std::make_shared<base::Bytes>(*it->second);
    return *out;
  }

  void apply(const Event& e, const Part& part) {
    switch (e.kind) {
      case Event::Kind::name:
        folders[e.node][e.name] = e.child;
        return;
      case Event::Kind::remove:
        folders[e.node].erase(e.name);
        return;
      case Event::Kind::move: {
        const auto moved = folders[e.node].extract(e.name);
        if (!moved.empty()) folders[e.other][e.new_name] = moved.mapped();
        return;
      }
      case Event::Kind::cut:
        bytes_of(e.node).resize(e.offset);
        return;
      case Event::Kind::grow: {
        auto& bytes = bytes_of(e.node);
        if (bytes.size() < e.offset) bytes.resize(e.offset);
        return;
      }
      case Event::Kind::write: {
        auto& bytes = bytes_of(e.node);
        const std::uint64_t to = std::min<std::uint64_t>(part.to, e.data.size());
        const std::uint64_t end = e.offset + (part.zeros ? e.data.size() : to);
        if (bytes.size() < end) bytes.resize(end);
        const auto out = base::MutableBytes(bytes).subspan(e.offset + part.from, to - part.from);
        std::copy_n(e.data.begin() + static_cast<std::ptrdiff_t>(part.from), out.size(), out.begin());
        return;
      }
      default:
        return;
    }
  }
};

}  // namespace

Recording Recording::load(const std::filesystem::path& path) {
  Recording out;
  out.blob = read_content(path.string() + ".bytes");
  std::ifstream in(path);
  if (!in) throw std::runtime_error("cannot read " + path.string());
  for (std::string line; std::getline(in, line);) {
    const auto w = words_of(line);
    if (w.empty()) continue;
    if (w[0] == "node") {
      out.is_folder[std::stoi(w.at(1))] = w.at(2) == "d";
    } else if (w[0] == "content") {
      out.contents[std::stoi(w.at(1))] = read_content(w.at(2));
    } else if (w[0] == "entry") {
      out.folders[std::stoi(w.at(1))][w.at(2)] = std::stoi(w.at(3));
    } else {
      if (w[0] == "name") out.is_folder[std::stoi(w.at(3))] = w.at(4) == "d";
      out.events.push_back(parse(w, *out.blob));
    }
  }
  mark_resizing(out);
  return out;
}

Tree build(const Recording& recording, const Selection& selection) {
  Image image{recording.folders, recording.contents, {}};
  for (const Part& part : selection) image.apply(recording.events[part.event], part);
  static const Content empty = std::make_shared<const base::Bytes>();
  Tree out;
  const auto walk = [&](const auto& self, int folder, const std::string& path) -> void {
    for (const auto& [name, node] : image.folders[folder]) {
      const std::string below = path.empty() ? name : path + "/" + name;
      if (recording.is_folder.at(node)) {
        out.emplace(below, nullptr);
        self(self, node, below);
        continue;
      }
      const auto changed = image.changed.find(node);
      const auto before = image.contents.find(node);
      out.emplace(below, changed != image.changed.end()   ? Content(changed->second)
                         : before != image.contents.end() ? before->second
                                                          : empty);
    }
  };
  walk(walk, 0, "");
  return out;
}

namespace {

// Those that hold anything but zeros: of the catalogue's file, one in sixty.
template <typename Visit>
void for_each_page(base::ByteView content, const Visit& visit) {
  static constexpr std::array<std::byte, 4096> kZeros{};
  for (std::size_t at = 0; at < content.size(); at += kZeros.size()) {
    const auto page = content.subspan(at, std::min(kZeros.size(), content.size() - at));
    if (std::memcmp(page.data(), kZeros.data(), page.size()) != 0) visit(at, page);
  }
}

crypto::Digest digest_of(base::ByteView content) {
  crypto::Hasher hash;
  const auto add_number = [&](std::uint64_t n) { hash.add(std::as_bytes(std::span(&n, 1))); };
  add_number(content.size());
  for_each_page(content, [&](std::size_t at, base::ByteView page) {
    add_number(at);
    hash.add(page);
  });
  return hash.finish();
}

}  // namespace

void write_tree(const Tree& tree, const std::filesystem::path& folder) {
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  for (const auto& [path, content] : tree) {
    if (content == nullptr) {
      std::filesystem::create_directories(folder / path);
      continue;
    }
    std::ofstream out(folder / path, std::ios::binary);
    for_each_page(*content, [&](std::size_t at, base::ByteView page) {
      out.seekp(static_cast<std::streamoff>(at));
      out.write(reinterpret_cast<const char*>(page.data()), static_cast<std::streamsize>(page.size()));
    });
    out.close();
    if (!out) throw std::runtime_error("cannot write " + path);
    std::filesystem::resize_file(folder / path, content->size());
  }
}

crypto::Digest fingerprint(const Tree& tree) {
  static std::map<const base::Bytes*, std::pair<std::weak_ptr<const base::Bytes>, crypto::Digest>> known;
  if (known.size() > 4096) known.clear();
  crypto::Hasher all;
  for (const auto& [path, content] : tree) {
    all.add(base::as_bytes(path + (content == nullptr ? "/\n" : "\n")));
    if (content == nullptr) continue;
    auto& [alive, digest] = known[content.get()];
    if (alive.lock() != content) {
      alive = content;
      digest = digest_of(*content);
    }
    all.add(digest);
  }
  return all.finish();
}

}  // namespace callvault::crash
