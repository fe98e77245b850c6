#include "tools/replay_summary.h"

#include <cstdio>

#include "tools/digest_text.h"
#include "tools/request_text.h"
#include "tools/text_table.h"

namespace shmatch::tools {

namespace {

std::string plural(std::uint64_t count, const std::string& one, const std::string& many) {
  return with_commas(count) + " " + (count == 1 ? one : many);
}

std::string seconds_text(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f s", seconds);
  return text;
}

std::string seconds_json(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6f", seconds);
  return text;
}

std::string rate_text(std::uint64_t count, double seconds) {
  if (seconds <= 0) return "";
  const double rate = static_cast<double>(count) / seconds;
  char text[64];
  if (rate >= 1e6) {
    std::snprintf(text, sizeof text, ", %.2f million a second", rate / 1e6);
    return text;
  }
  return ", " + with_commas(static_cast<std::uint64_t>(rate)) + " a second";
}

std::string counts_json(const std::map<std::string, std::uint64_t>& counts) {
  std::string json = "{";
  for (const auto& [name, count] : counts) {
    json += (json.size() > 1 ? "," : "") + json_string(name) + ":" + std::to_string(count);
  }
  return json + "}";
}

void add_counts(std::string& text, const std::string& heading,
                const std::map<std::string, std::uint64_t>& counts) {
  if (counts.empty()) return;
  text += heading + "\n";
  for (const auto& [name, count] : counts) {
    std::string number = with_commas(count);
    if (number.size() < 12) number.insert(0, 12 - number.size(), ' ');
    text += number + "  " + name + "\n";
  }
}

SourceCounts counts_of(const ReplayOrigin& origin) {
  return origin.counted ? origin.source->counts() : SourceCounts{};
}

std::string source_text(const ReplayOrigin& origin) {
  const RequestSource& source = *origin.source;
  const SourceCounts counts = counts_of(origin);
  std::string text = origin.path + ": " + source.format_name() + ", read " +
                     with_commas(counts.read) + ", converted " + with_commas(counts.converted);
  if (counts.requests != counts.converted)
    text += " into " + plural(counts.requests, "request", "requests");
  text += "\n";
  if (source.derived()) {
    text += "Derived: the log holds book events, no requests; its requests were made from them.\n";
  }
  add_counts(text, "Skipped:", counts.skipped);
  for (const std::string& example : counts.examples) text += "              " + example + "\n";
  add_counts(text, "Unknown types:", counts.unknown_types);
  add_counts(text, "Of the converted:", counts.remarks);
  if (counts.unknown_ids > 0) {
    text += plural(counts.unknown_ids, "record names an order", "records name orders") +
            " that the log does not hold\n";
  }
  return text;
}

std::string journal_text(const JournalInput& journal) {
  std::string text = "Journal " + journal.folder();
  if (journal.start_sequence() > 0) {
    text += ", from the snapshot of input " + std::to_string(journal.start_sequence());
  }
  if (journal.configuration_changes() > 0) {
    text += ", " + plural(journal.configuration_changes(), "change", "changes") +
            " of the configuration";
  }
  text += journal.owned() ? ", in use: what was there when it was read\n" : "\n";
  for (const std::string& skipped : journal.skipped_snapshots()) {
    text += "Passed over: " + skipped + "\n";
  }
  if (const ipc::TornEnd* torn = journal.torn_end()) {
    text += "Torn end: " + torn->path + " at byte " + std::to_string(torn->offset) + ", " +
            plural(torn->bytes, "byte", "bytes") + " that recovery would cut (" + torn->seen +
            ")\n";
  }
  return text;
}

// Names with commas: the first eight, and how many more there are.
std::string list_text(const std::vector<std::string>& names) {
  constexpr std::size_t kNamed = 8;
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < kNamed; ++i) {
    text += (i == 0 ? "" : ", ") + names[i];
  }
  if (names.size() > kNamed) text += " and " + std::to_string(names.size() - kNamed) + " more";
  return text;
}

// As a configuration needs them.
std::string instruments_text(const std::vector<core::Instrument>& instruments) {
  std::vector<std::string> names;
  for (const core::Instrument& instrument : instruments) {
    names.push_back(std::to_string(instrument.id) + " " + instrument.symbol + " (tick " +
                    format_increments(1, instrument.tick) + ", lot " +
                    format_increments(1, instrument.lot) + ")");
  }
  return (names.size() == 1 ? "the instrument " : "the instruments ") + list_text(names);
}

}  // namespace

std::string origin_text(const ReplayOrigin& origin) {
  return origin.source != nullptr ? source_text(origin) : journal_text(*origin.journal);
}

std::string origin_json(const ReplayOrigin& origin) {
  if (origin.source != nullptr) {
    const SourceCounts counts = counts_of(origin);
    std::string json = R"(,"format":")" + std::string(origin.source->format_name()) + "\"";
    json += R"(,"derived":)" + std::string(origin.source->derived() ? "true" : "false");
    json += R"(,"read":)" + std::to_string(counts.read);
    json += R"(,"converted":)" + std::to_string(counts.converted);
    json += R"(,"requests":)" + std::to_string(counts.requests);
    json += R"(,"unknown_ids":)" + std::to_string(counts.unknown_ids);
    json += R"(,"skipped":)" + counts_json(counts.skipped);
    json += R"(,"unknown_types":)" + counts_json(counts.unknown_types);
    return json + R"(,"remarks":)" + counts_json(counts.remarks);
  }
  const JournalInput& journal = *origin.journal;
  std::string json = R"(,"format":"journal","in_use":)";
  json += journal.owned() ? "true" : "false";
  json += R"(,"start_sequence":)" + std::to_string(journal.start_sequence());
  if (const ipc::TornEnd* torn = journal.torn_end()) {
    json += R"(,"torn_end":{"file":)" + json_string(torn->path);
    json += R"(,"offset":)" + std::to_string(torn->offset);
    json += R"(,"bytes":)" + std::to_string(torn->bytes) + "}";
  }
  return json;
}

std::string outcome_text(const ReplayOutcome& outcome, const core::MatchingEngine& engine) {
  std::string text = "Replayed " + plural(outcome.records, "record", "records") + " in " +
                     seconds_text(outcome.seconds) + rate_text(outcome.records, outcome.seconds) +
                     "\n";
  text += "Last input " + std::to_string(outcome.last_sequence) + ", " +
          plural(engine.working_orders(), "working order", "working orders") + ", " +
          plural(engine.trade_count(), "trade", "trades") + ", " +
          plural(outcome.reports, "report", "reports") + "\n";
  text += "Digest          " + digest_text(outcome.digest) + "\n";
  text += "Reports digest  " + digest_text(outcome.reports_digest) + "\n";
  if (outcome.marks > 0) {
    text +=
        plural(outcome.marks, "digest mark", "digest marks") + " of the log compared, all equal";
    text += outcome.divergence ? " but the last\n" : "\n";
  }
  return text;
}

std::string outcome_json(const ReplayOutcome& outcome, const core::MatchingEngine& engine) {
  std::string json = R"("records":)" + std::to_string(outcome.records);
  json += R"(,"digest":")" + digest_text(outcome.digest);
  json += R"(","reports_digest":")" + digest_text(outcome.reports_digest);
  json += R"(","seconds":)" + seconds_json(outcome.seconds);
  json += R"(,"last_sequence":)" + std::to_string(outcome.last_sequence);
  json += R"(,"reports":)" + std::to_string(outcome.reports);
  json += R"(,"trades":)" + std::to_string(engine.trade_count());
  json += R"(,"working_orders":)" + std::to_string(engine.working_orders());
  json += R"(,"digest_marks":)" + std::to_string(outcome.marks);
  if (outcome.divergence) {
    const Divergence& divergence = *outcome.divergence;
    json += R"(,"divergence":{"agreed":)" + std::to_string(divergence.agreed);
    json += R"(,"sequence":)" + std::to_string(divergence.sequence);
    json += R"(,"expected":")" + digest_text(divergence.expected);
    json += R"(","got":")" + digest_text(divergence.got) + "\"}";
  }
  if (outcome.bad_record) {
    json += R"(,"bad_record":{"sequence":)" + std::to_string(outcome.bad_record->sequence);
    json += R"(,"reason":)" + json_string(outcome.bad_record->reason) + "}";
  }
  if (outcome.fault) json += R"(,"fault":)" + json_string(outcome.fault.text);
  return json;
}

std::string live_text(const LiveResult& result) {
  const std::uint64_t sent = result.orders.sent + result.cancels.sent;
  std::string text = "Sent " + plural(sent, "request", "requests") + " from " +
                     plural(result.clients, "client process", "client processes") + " in " +
                     seconds_text(result.seconds) + rate_text(sent, result.seconds) + "\n\n";
  TextTable table({{"", false}, {"sent"}, {"done"}, {"refused"}});
  const auto add = [&](const std::string& name, const LiveCounts& counts) {
    table.add(
        {name, with_commas(counts.sent), with_commas(counts.done), with_commas(counts.refused)});
  };
  add("SendOrder", result.orders);
  add("CancelOrder", result.cancels);
  text += table.text();
  std::map<std::string, std::uint64_t> reasons;
  for (const auto& [detail, refusals] : result.refusals) {
    reasons[std::to_string(static_cast<int>(refusals.code)) + " " +
            std::string(core::error_text(refusals.code)) + ", as in: " + refusals.example] =
        refusals.count;
  }
  add_counts(text, "\nRefused:", reasons);
  text += "\n" + plural(result.trades, "trade", "trades") + ", " +
          plural(result.events, "event", "events") + " received\n";
  for (const auto& [user, why] : result.no_logon) {
    text += "Not sent: the requests of " + user + ", who could not log on: " + why + "\n";
  }
  if (result.late_seconds > 0) {
    text += "The latest request was sent " + seconds_text(result.late_seconds) +
            " after its intended moment\n";
  }
  return text;
}

bool nobody_logged_on(const LiveResult& result) {
  return !result.users.empty() && result.no_logon.size() == result.users.size();
}

std::string live_shortfall(const LiveResult& result) {
  if (nobody_logged_on(result)) {
    return "nothing was sent, because no user of the log can log on (" +
           result.no_logon.begin()->second + "): this log needs an engine with the users " +
           list_text(result.users) + " and " + instruments_text(result.instruments);
  }
  std::string text;
  if (!result.no_logon.empty()) {
    std::vector<std::string> users;
    for (const auto& [user, why] : result.no_logon) users.push_back(user);
    text = plural(result.not_sent, "request was", "requests were") +
           " not sent, because the engine does not let the log's users " + list_text(users) +
           " log on";
  }
  if (!result.lacking.empty()) {
    text += (text.empty() ? "the engine lacks " : "; it lacks ") +
            instruments_text(result.lacking) + " of the log";
  }
  return text.empty() ? text : text + ": serve a configuration that has them";
}

std::string live_json(const LiveResult& result) {
  const auto counts = [](const LiveCounts& kind) {
    return R"({"sent":)" + std::to_string(kind.sent) + R"(,"done":)" + std::to_string(kind.done) +
           R"(,"refused":)" + std::to_string(kind.refused) + "}";
  };
  std::string json = R"("clients":)" + std::to_string(result.clients);
  json += R"(,"sent":)" + std::to_string(result.orders.sent + result.cancels.sent);
  json += R"(,"seconds":)" + seconds_json(result.seconds);
  json += R"(,"orders":)" + counts(result.orders);
  json += R"(,"cancels":)" + counts(result.cancels);
  json += R"(,"refusals":[)";
  bool first = true;
  for (const auto& [detail, refusals] : result.refusals) {
    json += first ? "{" : ",{";
    first = false;
    json += R"("errorcode":)" + std::to_string(static_cast<int>(refusals.code));
    json += R"(,"count":)" + std::to_string(refusals.count);
    json += R"(,"example":)" + json_string(refusals.example) + "}";
  }
  json += "]";
  json += R"(,"not_sent":)" + std::to_string(result.not_sent);
  json += R"(,"trades":)" + std::to_string(result.trades);
  json += R"(,"events":)" + std::to_string(result.events);
  return json + R"(,"late_seconds":)" + seconds_json(result.late_seconds);
}

}  // namespace shmatch::tools
