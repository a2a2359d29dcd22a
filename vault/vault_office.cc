// The reports of the office: what is processed, where it lies, what is due, who opened what, what people asked for.
#include "callvault/office.h"

#include <algorithm>
#include <map>
#include <set>

#include "os/tree.h"
#include "over_socket.h"
#include "rights/requests.h"
#include "session.h"

namespace callvault {
namespace {

using Rows = std::vector<std::vector<ReportCell>>;

constexpr Purpose kAllPurposes[] = {Purpose::service_quality, Purpose::customer_needs, Purpose::evaluation,
                                    Purpose::complaint,       Purpose::legal_claims,   Purpose::proof_of_interaction};
// What counts as somebody's access to recordings or to the records about people.
constexpr std::string_view kAccesses[] = {
    "opened",       "exported",      "open_refused",    "listed",  "shown",         "copied",      "disclosed",
    "journal_read", "request_shown", "requests_listed", "refused", "unlock_failed", "report_made", "breach_scoped"};

std::string or_not_said(const std::string& text) { return text.empty() ? "(not said in vault.toml)" : text; }

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

// Art. 30(1), letter by letter.
Result<OfficeReport> processing(context::Context& context) {
  const auto& config = context.config;
  std::vector<std::string> purposes, periods;
  for (const Purpose purpose : kAllPurposes) purposes.emplace_back(to_word(purpose));
  for (const auto& c : config.classes) periods.push_back(c.name + " " + c.period.text());
  std::uint64_t disclosed = 0, copied = 0;
  CALLVAULT_TRY(context.log.journal().for_each(0, [&](std::uint64_t, const journal::Entry& entry) -> Result<bool> {
    if (entry.event == "disclosed") ++disclosed;
    if (entry.event == "copied") ++copied;
    return true;
  }));
  const auto& location = config.location;
  const auto places = location.allowed.empty() ? "(not said in vault.toml)"
                                               : "vault in " + location.vault + ", keeper in " + location.keeper +
                                                     "; allowed: " + joined(location.allowed);
  OfficeReport out{{"item", "law", "value"}, {}};
  const auto add = [&](const char* item, const char* law, std::string value) {
    out.rows.push_back({std::string(item), std::string(law), std::move(value)});
  };
  add("controller", "30(1)(a)", config.organisation + ", " + or_not_said(config.controller_contact));
  add("data protection officer", "30(1)(a)", or_not_said(config.dpo_contact));
  add("supervisory authority", "13(2)(d)", or_not_said(config.authority_contact));
  add("purposes", "30(1)(b)", joined(purposes));
  add("legal bases", "6(1)", "consent, contract, legal_obligation, legitimate_interest: one for each recording");
  add("data subjects", "30(1)(c)", "callers and called persons, agents");
  add("data", "30(1)(c)", "voice and what is said; telephone numbers, agent, times, consent and its evidence");
  add("recipients", "30(1)(d)",
      "authorised persons of the vault; authorities (" + std::to_string(disclosed) +
          " disclosures); persons concerned (" + std::to_string(copied) + " copies)");
  add("transfers", "30(1)(e)", "none by callvault; stores: " + places);
  add("erasure", "30(1)(f)", "calendar periods from the call's start, destroyed nightly: " + joined(periods));
  add("records of requests", "30(1)(f)", config.request_retention.text() + " after they are closed");
  add("records of breaches", "30(1)(f)", config.breach_retention.text() + " after they are closed");
  add("security", "30(1)(g)",
      "sealed from the first byte under a key a recording; review needs the keeper and a person's key; signed journal; "
      "forgetting by rotation of the keeper's root key");
  return out;
}

struct Store {
  std::string holds, people, sealed_by, ends;
};

Result<OfficeReport> data_map(context::Context& context, const os::Path& keeper) {
  const auto& layout = context.layout;
  const std::pair<os::Path, Store> stores[] = {
      {layout.incoming(), {"calls in progress or not settled", "voice, numbers", "their own keys", "with settling"}},
      {layout.recordings(), {"settled calls", "voice, numbers, names", "their own keys", "with the retention period"}},
      {layout.buckets(),
       {"keys, times, consent, holds of recordings", "consent, matters", "node keys",
        "with the recording, at the next rotation"}},
      {layout.registers(),
       {"opt-outs, requests, breaches and other records of the office", "names, numbers, texts", "register keys",
        "with their own periods, at the next rotation"}},
      {layout.people(), {"identities of persons who work here", "names", "their passphrases", "by the officer"}},
      {layout.catalog(), {"index, derived", "numbers, names", "the recordings' keys", "with the recording"}},
      {layout.journal(),
       {"what happened: ids and codes", "actors, notes", "monthly staff keys, the recordings' keys",
        "ids and codes stay; notes go with the recording"}},
  };
  OfficeReport out{{"store", "holds", "personal_data", "sealed_under", "ends", "files", "bytes"}, {}};
  for (const auto& [folder, store] : stores) {
    CALLVAULT_TRY_ASSIGN(const auto size, os::size_of_tree(folder));
    out.rows.push_back({folder.lexically_relative(layout.root).string(), store.holds, store.people, store.sealed_by,
                        store.ends, size.files, size.bytes});
  }
  CALLVAULT_TRY_ASSIGN(const auto size, os::size_of_tree(keeper));
  out.rows.push_back({std::string("the keeper"), std::string("the present root key"), std::string("none"),
                      std::string("nothing: it is what forgets"), std::string("at each rotation"), size.files,
                      size.bytes});
  return out;
}

Result<OfficeReport> retention_report(context::Context& context) {
  struct Counts {
    std::uint64_t stored = 0, due_30_days = 0, overdue = 0, held = 0, restricted = 0, in_progress = 0;
    std::optional<Time> next;
  };
  std::map<std::string, Counts> classes;
  for (const auto& c : context.config.classes) classes.emplace(c.name, Counts{});
  CALLVAULT_TRY(survey(context, [&](const keys::Bucket& bucket, const keys::NodeRow& row) -> Result<void> {
    Counts& counts = classes[bucket.retention_class];
    ++counts.stored;
    const bool held = is_held(row, context.now);
    if (held) ++counts.held;
    if (row.restricted) ++counts.restricted;
    if (row.in_progress) ++counts.in_progress;
    const bool over = row.expires_at <= context.now;
    if (over && !held && !row.restricted) ++counts.overdue;
    if (!over && row.expires_at - context.now <= std::chrono::days(30)) ++counts.due_30_days;
    if (!over && (!counts.next || row.expires_at < *counts.next)) counts.next = row.expires_at;
    return {};
  }));
  OfficeReport out{
      {"class", "period", "stored", "due_in_30_days", "overdue", "held", "restricted", "in_progress", "next_expiry"},
      {}};
  for (const auto& [name, c] : classes) {
    const auto period = context.config.period_of(name);
    out.rows.push_back({name, period ? period->text() : std::string("(no longer in vault.toml)"), c.stored,
                        c.due_30_days, c.overdue, c.held, c.restricted, c.in_progress,
                        c.next ? context.zone.rfc3339(*c.next) : std::string()});
  }
  return out;
}

Result<OfficeReport> accesses(context::Context& context, const ReportOptions& options) {
  struct Counts {
    std::uint64_t times = 0;
    std::set<std::string> recordings;
    Time first{}, last{};
  };
  std::map<std::array<std::string, 3>, Counts> table;
  const auto fact = [](const journal::Entry& entry, const char* key) {
    const auto it = entry.facts.find(key);
    return it == entry.facts.end() ? std::string() : it->second;
  };
  CALLVAULT_TRY(context.log.journal().for_each(0, [&](std::uint64_t, const journal::Entry& entry) -> Result<bool> {
    if ((options.from && entry.at < *options.from) || (options.to && entry.at >= *options.to)) return true;
    if (std::find(std::begin(kAccesses), std::end(kAccesses), entry.event) == std::end(kAccesses)) return true;
    std::string person = "(the system)";
    if (!entry.actor.empty()) {
      const auto actor = context::open_actor(entry, context.state.directory());
      person = actor ? *actor : "(gone)";
    }
    Counts& counts = table[{person, entry.event, fact(entry, "purpose")}];
    if (counts.times++ == 0) counts.first = entry.at;
    counts.last = entry.at;
    if (auto id = fact(entry, "id"); !id.empty()) counts.recordings.insert(std::move(id));
    return true;
  }));
  OfficeReport out{{"person", "event", "purpose", "times", "recordings", "first", "last"}, {}};
  for (const auto& [key, c] : table)
    out.rows.push_back({key[0], key[1], key[2], c.times, c.recordings.size(), context.zone.rfc3339(c.first),
                        context.zone.rfc3339(c.last)});
  return out;
}

Result<OfficeReport> requests_report(context::Context& context) {
  struct Counts {
    std::uint64_t count = 0, overdue = 0, extended = 0, refused = 0;
    std::optional<Time> next_due;
  };
  std::map<std::pair<std::string, std::string>, Counts> table;
  CALLVAULT_TRY_ASSIGN(const auto requests, rights::Requests::load(context));
  for (const auto& r : requests.all()) {
    Counts& c = table[{std::string(to_word(r.kind)), std::string(to_word(r.state))}];
    ++c.count;
    if (r.overdue) ++c.overdue;
    if (r.extended) ++c.extended;
    if (r.decision == RequestDecision::refused) ++c.refused;
    if (r.state != RequestState::closed && (!c.next_due || r.due < *c.next_due)) c.next_due = r.due;
  }
  OfficeReport out{{"kind", "state", "count", "overdue", "extended", "refused", "next_due"}, {}};
  for (const auto& [key, c] : table)
    out.rows.push_back({key.first, key.second, c.count, c.overdue, c.extended, c.refused,
                        c.next_due ? context.zone.rfc3339(*c.next_due) : std::string()});
  return out;
}

Result<OfficeReport> report_of(context::Context& context, const os::Path& keeper, const ReportOptions& options) {
  switch (options.kind) {
    case ReportKind::processing:
      return processing(context);
    case ReportKind::data_map:
      return data_map(context, keeper);
    case ReportKind::retention:
      return retention_report(context);
    case ReportKind::accesses:
      return accesses(context, options);
    case ReportKind::requests:
      return requests_report(context);
  }
  return fail(Errc::usage, "no such report");
}

}  // namespace

Result<OfficeReport> make_report(Vault& vault, const Person& person, const ReportOptions& options) {
  if (vault.impl().remote) return signed_call<OfficeReport>(vault.impl(), "report", person, options);
  if (options.from && options.to && *options.from >= *options.to)
    return fail(Errc::usage, "the time to report on would end before it began");
  if (options.kind == ReportKind::retention) CALLVAULT_TRY(settle_if_free(vault.impl()));
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(vault.impl(), Access::look, person.name()));
  CALLVAULT_TRY(session->require(person, {Role::officer, Role::auditor}, "report"));
  auto& context = session->context();
  CALLVAULT_TRY_ASSIGN(auto report, report_of(context, vault.impl().keeper_folder, options));
  CALLVAULT_TRY(context.log.append("report_made", {{"report", std::string(to_word(options.kind))}}));
  return report;
}

}  // namespace callvault
