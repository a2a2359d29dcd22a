#include "cli/siprec.h"

#include <algorithm>
#include <cstdint>
#include <pugixml.hpp>
#include <vector>

namespace callvault::cli {
namespace {

using Given = std::map<std::string, std::optional<std::string>>;

constexpr std::string_view kNamespace = "urn:ietf:params:xml:ns:recording:1";
constexpr int kMostDepth = 32;
constexpr std::size_t kMostNodes = 8192, kMostAttributes = 64;
constexpr std::size_t kShortestNumber = 7;  // digits, of a SIP user that does not say that it is one

Error bad(std::string_view what) { return fail(Errc::usage, "SIPREC metadata: " + std::string(what)); }

// Everything that could make the work on a small document large.
class Bounds final : public pugi::xml_tree_walker {
 public:
  bool for_each(pugi::xml_node& node) override {
    if (node.type() == pugi::node_doctype) why_ = "a document type has no place in it";
    if (depth() >= kMostDepth) why_ = "its elements are nested too deeply";
    if (++nodes_ > kMostNodes) why_ = "it has too many elements";
    const auto attributes = node.attributes();
    if (static_cast<std::size_t>(std::distance(attributes.begin(), attributes.end())) > kMostAttributes)
      why_ = "an element has too many attributes";
    return why_.empty();
  }
  const std::string& why() const { return why_; }

 private:
  std::size_t nodes_ = 0;
  std::string why_;
};

// The library knows names, not namespaces.
bool is_element(pugi::xml_node node, std::string_view local_name) {
  if (node.type() != pugi::node_element) return false;
  const std::string_view name = node.name();
  const auto colon = name.find(':');
  const std::string_view prefix = colon == std::string_view::npos ? std::string_view() : name.substr(0, colon);
  if (name.substr(colon == std::string_view::npos ? 0 : colon + 1) != local_name) return false;
  const std::string attribute = prefix.empty() ? "xmlns" : "xmlns:" + std::string(prefix);
  for (auto at = node; at; at = at.parent())
    if (const auto declared = at.attribute(attribute.c_str())) return declared.value() == kNamespace;
  return false;
}

std::vector<pugi::xml_node> elements(pugi::xml_node parent, std::string_view local_name) {
  std::vector<pugi::xml_node> out;
  for (const auto child : parent.children())
    if (is_element(child, local_name)) out.push_back(child);
  return out;
}

std::string text_of(pugi::xml_node parent, std::string_view local_name) {
  const auto found = elements(parent, local_name);
  return found.empty() ? std::string() : found.front().child_value();
}

enum class Kind : std::uint8_t { number, name, withheld };
struct Address {
  Kind kind = Kind::name;
  std::string text;
};

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

// The digits of a telephone number, with its + when it is a global one; empty when it is none (RFC 3966).
std::string digits_of(std::string_view text) {
  constexpr std::string_view kSeparators = "-.() ";
  std::string out;
  for (const char c : text) {
    if (kSeparators.find(c) != std::string_view::npos) continue;
    if ((c < '0' || c > '9') && !(c == '+' && out.empty())) return {};
    out += c;
  }
  return out == "+" ? std::string() : out;
}

std::optional<std::string> decode_percent(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const std::string two = lower(text.substr(i + 1, 2));
    const auto high = two.size() == 2 ? kDigits.find(two[0]) : std::string_view::npos;
    const auto low = two.size() == 2 ? kDigits.find(two[1]) : std::string_view::npos;
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

Result<Address> tel_address(std::string_view rest, const std::string& where) {
  const std::string number = digits_of(rest.substr(0, rest.find(';')));
  if (number.empty()) return bad("the aor of " + where + " is not a telephone number");
  if (!number.starts_with('+') && lower(rest).find(";phone-context=") != std::string::npos)
    return bad("the aor of " + where + " is a local number with a phone-context: it must be a global one, with +");
  return Address{Kind::number, number};
}

Result<Address> sip_address(std::string_view rest, const std::string& where) {
  const auto at = rest.find('@');
  if (at == std::string_view::npos) return bad("the aor of " + where + " names no user before its host");
  const auto user = decode_percent(rest.substr(0, std::min(rest.find_first_of(";:"), at)));
  if (!user || user->empty()) return bad("the aor of " + where + " names no user before its host");
  const std::string host = lower(rest.substr(at + 1));
  if (lower(*user) == "anonymous" || host.starts_with("anonymous.invalid")) return Address{Kind::withheld, {}};
  const std::string number = digits_of(*user);
  const bool said = (host + ";").find(";user=phone;") != std::string::npos;
  if (!number.empty() && (said || number.starts_with('+') || number.size() >= kShortestNumber))
    return Address{Kind::number, number};
  return Address{Kind::name, *user};
}

// The first telephone number among a participant's addresses, else the first other one.
Result<Address> address_of(pugi::xml_node participant, const std::string& where) {
  std::optional<Address> out;
  for (const auto name : elements(participant, "nameID")) {
    const std::string_view aor = name.attribute("aor").value();
    if (aor.empty()) continue;
    const auto colon = aor.find(':');
    const std::string scheme = lower(aor.substr(0, colon));
    if (colon == std::string_view::npos || (scheme != "tel" && scheme != "sip" && scheme != "sips"))
      return bad("the aor of " + where + " is no sip:, sips: or tel: URI");
    const auto rest = aor.substr(colon + 1);
    CALLVAULT_TRY_ASSIGN(auto address, scheme == "tel" ? tel_address(rest, where) : sip_address(rest, where));
    if (!out || (out->kind != Kind::number && address.kind == Kind::number)) out = std::move(address);
  }
  if (!out) return bad(where + " has no <nameID> with an aor");
  return *out;
}

// Those of the session; all, where none is associated with it.
std::vector<pugi::xml_node> participants_of(pugi::xml_node root, std::string_view session) {
  const auto all = elements(root, "participant");
  std::vector<pugi::xml_node> out;
  for (const auto participant : all) {
    const std::string_view id = participant.attribute("participant_id").value();
    for (const auto link : elements(root, "participantsessionassoc"))
      if (link.attribute("participant_id").value() == id && link.attribute("session_id").value() == session) {
        out.push_back(participant);
        break;
      }
  }
  return out.empty() ? all : out;
}

std::string given_text(const Given& given, const std::string& name) {
  const auto it = given.find(name);
  return it == given.end() ? std::string() : it->second.value_or("");
}

// Whether two spellings may be one number: a national one ends a global one.
bool same_number(std::string_view a, std::string_view b) {
  if (a == b) return true;
  if (a.starts_with('0')) std::swap(a, b);
  return a.starts_with('+') && b.starts_with('0') && b.size() > 4 && a.ends_with(b.substr(1));
}

// Which of two is the other party; the remaining one is the organisation's.
Result<std::size_t> find_other(const std::vector<Address>& two, const std::string& other, const std::string& own) {
  const auto only = [&](Kind kind) -> std::optional<std::size_t> {
    if ((two[0].kind == kind) == (two[1].kind == kind)) return std::nullopt;
    return two[0].kind == kind ? 0 : 1;
  };
  if (const auto withheld = only(Kind::withheld)) return *withheld;
  if (const auto number = only(Kind::number)) return *number;
  if (two[0].kind == Kind::withheld) return bad("both <participant> elements are anonymous");
  if (two[0].kind == Kind::name)
    return bad("no <participant> has a telephone number: name both with --caller and --called");
  const auto matching = [&](const std::string& number) -> std::optional<std::size_t> {
    const std::string digits = digits_of(number);
    if (digits.empty() || same_number(two[0].text, digits) == same_number(two[1].text, digits)) return std::nullopt;
    return same_number(two[0].text, digits) ? 0 : 1;
  };
  if (const auto match = matching(other)) return *match;
  if (const auto match = matching(own)) return 1 - *match;
  return bad("both <participant> elements have a telephone number: name one with --caller or --called");
}

Result<void> take_participants(pugi::xml_node root, std::string_view session, const Given& given,
                               std::map<std::string, std::string>& out) {
  if (!given_text(given, "caller").empty() && !given_text(given, "called").empty()) return {};
  const bool inbound = given_text(given, "direction") == "in";
  const std::string other = inbound ? "caller" : "called", own = inbound ? "called" : "caller";
  const auto participants = participants_of(root, session);
  if (participants.size() != 2)
    return bad("it has " + std::to_string(participants.size()) +
               " <participant> elements for the session, not two: name both parties with --caller and --called");
  std::vector<Address> two;
  for (std::size_t i = 0; i < 2; ++i) {
    CALLVAULT_TRY_ASSIGN(auto address, address_of(participants[i], "<participant> " + std::to_string(i + 1)));
    two.push_back(std::move(address));
  }
  CALLVAULT_TRY_ASSIGN(const std::size_t index, find_other(two, given_text(given, other), given_text(given, own)));
  if (two[index].kind == Kind::number) out[other] = two[index].text;
  const Address& organisation = two[1 - index];
  if (organisation.kind == Kind::number) out[own] = organisation.text;
  if (organisation.kind == Kind::name) out["agent"] = organisation.text;
  return {};
}

// The session's own, else when its recording or its streams began.
Result<std::string> start_of(pugi::xml_node root, pugi::xml_node session, std::string_view id) {
  std::string found = text_of(session, "start-time");
  for (const auto link : elements(root, "sessionrecordingassoc"))
    if (found.empty() && link.attribute("session_id").value() == id) found = text_of(link, "associate-time");
  if (found.empty()) {
    for (const auto link : elements(root, "participantstreamassoc")) {
      const std::string time = text_of(link, "associate-time");
      if (!found.empty() && !time.empty() && time != found)
        return bad("its <participantstreamassoc> elements have different times: name the start with --started-at");
      if (!time.empty()) found = time;
    }
  }
  if (found.empty()) return bad("<session> has no <start-time>, nor <sessionrecordingassoc> a time: add --started-at");
  const auto after_date = found.find('T');
  const auto zone = after_date == std::string::npos ? after_date : found.find_first_of("Zz+-", after_date);
  if (zone == std::string::npos) return bad("the start of the <session> is no time with its zone");
  return found;
}

}  // namespace

Result<std::map<std::string, std::string>> read_siprec(std::string_view text, const Given& given) {
  if (text.size() > kMostSiprecBytes) return bad("it is longer than 256 KiB");
  pugi::xml_document document;
  const auto parsed =
      document.load_buffer(text.data(), text.size(),
                           pugi::parse_default | pugi::parse_doctype | pugi::parse_trim_pcdata, pugi::encoding_utf8);
  if (!parsed) return bad("it is no well-formed XML");
  Bounds bounds;
  document.traverse(bounds);
  if (!bounds.why().empty()) return bad(bounds.why());
  const auto root = document.document_element();
  const auto roots = document.children();
  if (std::count_if(roots.begin(), roots.end(), [](const auto& n) { return n.type() == pugi::node_element; }) != 1 ||
      !is_element(root, "recording"))
    return bad("its root is not <recording> of " + std::string(kNamespace));
  const std::string direction = given_text(given, "direction");
  if (direction != "in" && direction != "out")
    return bad("it does not tell who called: --direction in or out is required");
  const auto sessions = elements(root, "session");
  if (sessions.size() != 1)
    return bad("it has " + std::to_string(sessions.size()) + " <session> elements: a recording holds one call");
  const std::string id = sessions.front().attribute("session_id").value();
  if (id.empty()) return bad("<session> has no session_id");

  std::map<std::string, std::string> out{{"call_id", id}};
  CALLVAULT_TRY(take_participants(root, id, given, out));
  if (given_text(given, "started_at").empty()) {
    CALLVAULT_TRY_ASSIGN(out["started_at"], start_of(root, sessions.front(), id));
  }
  return out;
}

}  // namespace callvault::cli
