#include "hostile/vector_file.h"

#include <charconv>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <sstream>

#include "base/text.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "journal/note.h"

namespace callvault::hostile {
namespace {

using base::Bytes;
using Words = std::vector<std::string>;

struct Nonsense {
  std::string why;
};

std::string slurp(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Nonsense{"no such base: " + path.string()};
  return {std::istreambuf_iterator<char>(in), {}};
}

// Lines that begin with # are remarks.
std::string without_remarks(const std::string& text) {
  std::istringstream in(text);
  std::string line, out;
  while (std::getline(in, line))
    if (!line.starts_with('#')) out += line;
  return out;
}

Bytes hex(std::string text) {
  std::erase_if(text, [](char c) { return c == ' ' || c == '\n' || c == '\r'; });
  auto out = base::from_hex(text);
  if (!out) throw Nonsense{"no hex: " + text.substr(0, 40)};
  return *out;
}

// \n \r \t \\ \xHH
std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const char c = text[++i];
    if (c == 'x') {
      const auto byte = hex(std::string(text.substr(i + 1, 2)));
      if (byte.size() != 1) throw Nonsense{"\\x without two digits"};
      out += static_cast<char>(byte[0]);
      i += 2;
    } else {
      out += c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c;
    }
  }
  return out;
}

// Decimal, 0x..., or negative.
std::int64_t number(std::string_view text) {
  const bool minus = text.starts_with('-');
  if (minus) text.remove_prefix(1);
  const bool sixteen = text.starts_with("0x");
  if (sixteen) text.remove_prefix(2);
  std::uint64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, sixteen ? 16 : 10);
  if (error != std::errc() || end != text.data() + text.size()) throw Nonsense{"no number: " + std::string(text)};
  return minus ? -static_cast<std::int64_t>(out) : static_cast<std::int64_t>(out);
}

Words words_of(const std::string& text) {
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}

class Input {
 public:
  explicit Input(std::filesystem::path root) : root_(std::move(root)) {}

  // False when there is no such operation.
  bool apply(const std::string& what, const std::string& value) {
    const Words words = words_of(value);
    const auto word = [&](std::size_t i) {
      if (i >= words.size()) throw Nonsense{what + " lacks a word"};
      return words[i];
    };
    if (what == "text")
      add(unescape(value));
    else if (what == "line")
      add(unescape(value) + "\n");
    else if (what == "hex")
      insert(bytes.size(), hex(value));
    else if (what == "le16" || what == "le32" || what == "le64")
      little(words, what == "le16" ? 2 : what == "le32" ? 4 : 8);
    else if (what == "zeros")
      bytes.resize(bytes.size() + static_cast<std::size_t>(number(word(0))));
    else if (what == "times")
      add_times(number(word(0)), unescape(value.substr(value.find(' ') + 1)));
    else if (what == "base")
      add_base(word(0));
    else if (what == "wav")
      add_wav(words);
    else if (what == "samples")
      for (std::int64_t i = 0; i < number(word(0)); ++i) little({std::to_string(i * 37 % 8000)}, 2);
    else if (what == "set")
      overwrite(place(word(0)), hex(value.substr(value.find(' '))));
    else if (what == "flip")
      flip(place(word(0)), number(word(1)));
    else if (what == "insert")
      insert(place(word(0)), hex(value.substr(value.find(' '))));
    else if (what == "cut")  // keeps the first N; negative: all but the last N
      bytes.resize(place(word(0)));
    else if (what == "drop")
      drop(place(word(0)), static_cast<std::size_t>(number(word(1))));
    else if (what == "copy")  // FROM COUNT TO: the bytes again elsewhere
      insert(place(word(2)), part(place(word(0)), static_cast<std::size_t>(number(word(1)))));
    else if (what == "swap")
      swap(place(word(0)), place(word(1)), static_cast<std::size_t>(number(word(2))));
    else if (what == "replace" || what == "replace_all")
      replace(value, what == "replace_all");
    else if (what == "blake2b")
      add_hash();
    else if (what == "recheck")  // the last N bytes become the first N of BLAKE2b-256 of what stands before them
      recheck(static_cast<std::size_t>(number(word(0))));
    else if (what == "signed")
      add_signed(unescape(value));
    else
      return false;
    return true;
  }

  Bytes bytes;

 private:
  void add(std::string_view text) { insert(bytes.size(), base::to_bytes(base::as_bytes(text))); }
  void add_times(std::int64_t count, const std::string& text) {
    std::string all;
    for (; count > 0; --count) all += text;
    add(all);
  }
  void little(const Words& values, std::size_t width) {
    for (const auto& value : values) {
      const auto n = static_cast<std::uint64_t>(number(value));
      for (std::size_t i = 0; i < width; ++i) bytes.push_back(static_cast<std::byte>(n >> (8 * i)));
    }
  }
  std::size_t place(const std::string& text) const {
    const auto at = number(text);
    const auto out = at < 0 ? static_cast<std::int64_t>(bytes.size()) + at : at;
    if (out < 0 || static_cast<std::size_t>(out) > bytes.size()) throw Nonsense{"no place " + text};
    return static_cast<std::size_t>(out);
  }
  Bytes part(std::size_t from, std::size_t count) const {
    if (from + count > bytes.size()) throw Nonsense{"a part beyond the end"};
    return {bytes.begin() + static_cast<std::ptrdiff_t>(from),
            bytes.begin() + static_cast<std::ptrdiff_t>(from + count)};
  }
  void insert(std::size_t at, const Bytes& more) {
    bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(at), more.begin(), more.end());
  }
  void drop(std::size_t at, std::size_t count) {
    (void)part(at, count);
    const auto from = bytes.begin() + static_cast<std::ptrdiff_t>(at);
    bytes.erase(from, from + static_cast<std::ptrdiff_t>(count));
  }
  void overwrite(std::size_t at, const Bytes& with) {
    drop(at, with.size());
    insert(at, with);
  }
  void flip(std::size_t at, std::int64_t bit) {
    overwrite(at, {part(at, 1)[0] ^ static_cast<std::byte>(1U << static_cast<unsigned>(bit))});
  }
  void swap(std::size_t a, std::size_t b, std::size_t count) {
    const Bytes first = part(a, count), second = part(b, count);
    overwrite(a, second);
    overwrite(b, first);
  }
  void replace(const std::string& value, bool all) {
    const auto arrow = value.find(" => ");
    if (arrow == std::string::npos) throw Nonsense{"replace without =>"};
    const std::string old = unescape(value.substr(0, arrow)), with = unescape(value.substr(arrow + 4));
    std::string text(base::as_text(bytes));
    auto at = text.find(old);
    if (at == std::string::npos) throw Nonsense{"nothing to replace: " + old};
    while (at != std::string::npos) {
      text.replace(at, old.size(), with);
      at = all ? text.find(old, at + with.size()) : std::string::npos;
    }
    bytes = base::to_bytes(base::as_bytes(text));
  }
  void add_base(const std::string& name) {
    std::string text = slurp(root_ / name);
    if (name.ends_with(".hex")) return insert(bytes.size(), hex(without_remarks(text)));
    // The known answers of tests/vectors/sealed: the file stands in hex behind its keys.
    if (const auto at = text.find("\nfile:\n"); at != std::string::npos)
      return insert(bytes.size(), hex(text.substr(at + 7)));
    add(text);
  }
  // A RIFF header as a sound one is, but for what is named: riff= fmt= tag= channels= rate= byterate= align= bits=
  // data= magic= kind=
  void add_wav(const Words& words) {
    std::map<std::string, std::string> given;
    for (const auto& word : words) {
      const auto at = word.find('=');
      if (at == std::string::npos) throw Nonsense{"wav: " + word};
      given[word.substr(0, at)] = word.substr(at + 1);
    }
    const auto field = [&](const char* name, std::int64_t usual) {
      const auto it = given.find(name);
      return it == given.end() ? usual : number(it->second);
    };
    const auto channels = field("channels", 1), bits = field("bits", 16), rate = field("rate", 8000);
    const auto data = field("data", 640), align = field("align", channels * bits / 8);
    const auto put = [&](std::int64_t value, std::size_t width) { little({std::to_string(value)}, width); };
    add(given.contains("magic") ? given["magic"] : "RIFF");
    put(field("riff", 36 + data), 4);
    add(given.contains("kind") ? given["kind"] : "WAVE");
    add("fmt ");
    put(field("fmt", 16), 4);
    put(field("tag", 1), 2);
    put(channels, 2);
    put(rate, 4);
    put(field("byterate", rate * align), 4);
    put(align, 2);
    put(bits, 2);
    if (given.contains("nodata")) return;
    add("data");
    put(data, 4);
  }
  void add_hash() {
    const auto hash = crypto::blake2b(bytes);
    bytes.insert(bytes.end(), hash.begin(), hash.end());
  }
  void recheck(std::size_t count) {
    (void)part(0, count);
    bytes.resize(bytes.size() - count);
    const auto hash = crypto::blake2b(bytes);
    bytes.insert(bytes.end(), hash.begin(), hash.begin() + static_cast<std::ptrdiff_t>(count));
  }
  // A note under the key of zeros, named by its own first line.
  void add_signed(const std::string& body) {
    const auto seed = crypto::Key::copy_of(base::ByteView(Bytes(crypto::Key::kBytes)));
    if (!seed) throw Nonsense{"no memory for a key"};
    const auto end = body.find('\n');
    add(journal::sign_note(body, body.substr(0, end), *seed));
  }

  std::filesystem::path root_;
};

}  // namespace

std::vector<Vector> read_vectors(const std::filesystem::path& file, const std::filesystem::path& root) {
  std::vector<Vector> out;
  std::ifstream in(file);
  std::string line, parser;
  std::optional<Input> input;
  const auto finish = [&] {
    if (input && !out.empty()) out.back().input = std::move(input->bytes);
    input.reset();
  };
  while (std::getline(in, line)) {
    if (line.empty() || line[0] == '#') continue;
    const auto colon = line.find(':');
    const std::string what = line.substr(0, colon);
    const std::string value = colon == std::string::npos || colon + 2 > line.size() ? "" : line.substr(colon + 2);
    if (what == "parser") {
      finish();
      parser = value;
    } else if (what == "vector") {
      finish();
      out.push_back({file.filename().string(), parser, value, {}, {}, {}, {}});
      input.emplace(root);
    } else if (out.empty() || !input) {
      out.push_back({file.filename().string(), parser, line, {}, {}, {}, "it stands in no vector"});
    } else if (what == "expect") {
      out.back().expect = value;
    } else if (what == "gives") {
      out.back().gives = unescape(value);
    } else {
      try {
        if (!input->apply(what, value)) out.back().bad = "unknown line: " + line;
      } catch (const Nonsense& nonsense) {
        out.back().bad = nonsense.why;
      }
    }
  }
  finish();
  return out;
}

}  // namespace callvault::hostile
