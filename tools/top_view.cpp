#include "tools/top_view.h"

#include <algorithm>
#include <cstdio>
#include <string_view>
#include <vector>

#include "core/matching_engine.h"
#include "ipc/logon.h"
#include "ipc/memory_layout.h"
#include "ipc/server.h"
#include "tools/digest_text.h"
#include "tools/json_object.h"
#include "tools/text_table.h"

namespace shmatch::tools {

namespace {

using ipc::SessionCounters;
using Session = ipc::CountersLook::Session;

constexpr double kNsPerSecond = 1e9;
constexpr std::size_t kSessionsAtLeast = 3;  // shown on however small a screen

std::string number(double value, int decimals) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

std::string duration_text(std::uint64_t ns) {
  const auto value = static_cast<double>(ns);
  if (value < 1e3) return std::to_string(ns) + " ns";
  if (value < 1e6) return number(value / 1e3, 1) + " us";
  if (value < 1e9) return number(value / 1e6, 1) + " ms";
  return number(value / 1e9, 1) + " s";
}

std::string uptime_text(std::uint64_t seconds) {
  char text[64];
  const std::uint64_t days = seconds / 86'400;
  std::snprintf(text, sizeof text, "%02d:%02d:%02d", static_cast<int>(seconds / 3600 % 24),
                static_cast<int>(seconds / 60 % 60), static_cast<int>(seconds % 60));
  return (days == 0 ? "" : with_commas(days) + (days == 1 ? " day " : " days ")) + text;
}

std::string_view durability_name(std::uint32_t durability) {
  switch (static_cast<ipc::Durability>(durability)) {
    case ipc::Durability::kAsync:
      return "async";
    case ipc::Durability::kSync:
      return "sync";
    default:
      return "none";
  }
}

std::string_view idle_name(std::uint32_t idle) {
  switch (static_cast<ipc::IdleMode>(idle)) {
    case ipc::IdleMode::kYield:
      return "yield";
    case ipc::IdleMode::kSleep:
      return "sleep";
    default:
      return "spin";
  }
}

std::string_view state_name(std::uint64_t state) {
  switch (static_cast<core::SessionState>(state)) {
    case core::SessionState::kOpen:
      return "open";
    case core::SessionState::kSweeping:
      return "ending";
    case core::SessionState::kOrphaned:
      return "orphaned";
    case core::SessionState::kDetached:
      return "detached";
    default:
      return "free";
  }
}

// What both forms show, computed once.
struct Figures {
  explicit Figures(const TopView& view);

  double seconds = 0;  // between the looks, by the engine's clock
  std::size_t open = 0;
  std::size_t waiting = 0;  // for their clients
  std::uint64_t lag = 0;    // inputs behind the disk
  std::uint64_t gap_ns = 0;
  double idle_share = 0;
  std::uint64_t uptime_s = 0;

  double rate(std::uint64_t before, std::uint64_t now) const {
    return seconds > 0 && now > before ? static_cast<double>(now - before) / seconds : 0;
  }
};

std::uint64_t largest_gap(const ipc::EngineCounters& engine, std::uint64_t from) {
  const std::uint64_t newest = engine.gap_window;
  const std::uint64_t oldest = newest < ipc::kGapWindows ? 0 : newest - ipc::kGapWindows + 1;
  std::uint64_t largest = 0;
  for (std::uint64_t window = std::max(from, oldest); window <= newest; ++window) {
    largest = std::max(largest, engine.window_gaps_ns[window % ipc::kGapWindows]);
  }
  return largest;
}

Figures::Figures(const TopView& view) {
  const ipc::EngineCounters& engine = view.now.engine;
  const ipc::EngineCounters& before = view.before.engine;
  if (engine.updated_ns > before.updated_ns) {
    seconds = static_cast<double>(engine.updated_ns - before.updated_ns) / kNsPerSecond;
  }
  for (const Session& session : view.now.sessions) {
    const auto state = static_cast<core::SessionState>(session.counters.state);
    open += state == core::SessionState::kOpen ? 1 : 0;
    waiting +=
        state == core::SessionState::kOrphaned || state == core::SessionState::kDetached ? 1 : 0;
  }
  lag = engine.sequence > engine.durable ? engine.sequence - engine.durable : 0;
  gap_ns = largest_gap(engine, view.gaps_from);
  // In one look alone the whole life of the engine counts.
  const bool two = engine.passes > before.passes;
  const std::uint64_t passes = two ? engine.passes - before.passes : engine.passes;
  const std::uint64_t idle = two ? engine.idle_passes - before.idle_passes : engine.idle_passes;
  if (passes != 0) idle_share = static_cast<double>(idle) / static_cast<double>(passes);
  if (engine.updated_ns > view.header.started_ns) {
    uptime_s = (engine.updated_ns - view.header.started_ns) / static_cast<std::uint64_t>(1e9);
  }
}

// The counters of the same session at the earlier look; nothing counted, when it is new.
SessionCounters earlier(const TopView& view, const Session& session) {
  for (const Session& other : view.before.sessions) {
    if (other.slot == session.slot && other.counters.serial == session.counters.serial &&
        other.counters.reports <= session.counters.reports) {
      return other.counters;
    }
  }
  return session.counters;
}

bool has_journal(const TopView& view) { return view.header.durability != 0; }

std::string user_text(const TopView& view, const SessionCounters& session) {
  const auto id = static_cast<core::UserId>(session.user_id);
  const std::string_view name = view.reference.user_name(id);
  return name.empty() ? std::to_string(id) : std::string(name);
}

// Names come from clients, and a terminal obeys what it is sent.
std::string printable_name(const SessionCounters& session) {
  std::string name(ipc::get_text(session.name));
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c < 0x20 || c > 0x7E; }, '?');
  return name;
}

std::string fill_text(std::uint64_t used, std::uint64_t slots) {
  return slots == 0 ? "-" : with_commas(used) + "/" + with_commas(slots);
}

std::string rate_text(double rate) { return with_commas(static_cast<std::uint64_t>(rate + 0.5)); }

std::string head_text(const TopView& view, const Figures& figures) {
  const ipc::EngineCounters& engine = view.now.engine;
  const ipc::EngineCounters& before = view.before.engine;
  const bool stopped = engine.status == static_cast<std::uint64_t>(ipc::EngineStatus::kStopped);
  std::string text = "shmatchd " + std::string(ipc::get_text(view.header.engine_version)) +
                     (stopped ? ", stopped" : ", serving") + ", up " +
                     uptime_text(figures.uptime_s) + ", process " +
                     std::to_string(view.header.process) + ", idle mode " +
                     std::string(idle_name(view.header.idle_mode)) + "\n";
  text += "requests  " + rate_text(figures.rate(before.requests, engine.requests)) + " a second, " +
          with_commas(engine.requests) + " in all\n";
  text += "reports   " + rate_text(figures.rate(before.reports, engine.reports)) + " a second, " +
          with_commas(engine.reports) + " in all\n";
  text += "orders    " + with_commas(engine.working_orders) + " of " +
          with_commas(view.header.working_orders_max) + " working, " +
          with_commas(engine.finished_orders) + " of " +
          with_commas(view.header.finished_orders_max) + " ended and known, " +
          with_commas(engine.trades) + " executions\n";
  text += "levels    " + with_commas(engine.price_levels) + " of " +
          with_commas(view.header.price_levels_max) + " prices with orders\n";
  text += "sessions  " + with_commas(figures.open) + " open, " + with_commas(figures.waiting) +
          " waiting for their clients, of " + with_commas(view.header.session_slots) + "\n";
  text += "journal   ";
  if (!has_journal(view)) {
    text += "none: nothing outlives the engine; newest input " + with_commas(engine.sequence);
  } else {
    text += std::string(durability_name(view.header.durability)) + ", " + with_commas(figures.lag) +
            " inputs behind the disk, newest input " + with_commas(engine.sequence);
  }
  if (engine.journal_error != 0) text += "; IT HAS FAILED, and the state stands still";
  text += "\nloop      largest gap " + duration_text(figures.gap_ns) + " lately, " +
          duration_text(engine.largest_gap_ns) + " ever; " + number(100 * figures.idle_share, 1) +
          " % of the passes found nothing\n";
  return text;
}

}  // namespace

std::string top_text(const TopView& view, std::size_t rows) {
  const Figures figures(view);
  struct Row {
    double requests;
    double reports;
    const Session* session;
  };
  std::vector<Row> sessions;
  for (const Session& session : view.now.sessions) {
    const SessionCounters before = earlier(view, session);
    sessions.push_back({figures.rate(before.requests, session.counters.requests),
                        figures.rate(before.reports, session.counters.reports), &session});
  }
  std::stable_sort(sessions.begin(), sessions.end(), [](const Row& a, const Row& b) {
    return a.requests + a.reports > b.requests + b.reports;
  });
  std::string text = head_text(view, figures) + "\n";
  const auto used = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 2;
  const std::size_t room = std::max(kSessionsAtLeast, rows > used ? rows - used : 0);
  TextTable table({{"serial"},
                   {"user", false},
                   {"session", false},
                   {"state", false},
                   {"requests/s"},
                   {"reports/s"},
                   {"requests"},
                   {"reports"},
                   {"report ring"},
                   {"backlog"}});
  for (std::size_t i = 0; i < std::min(room, sessions.size()); ++i) {
    const SessionCounters& counters = sessions[i].session->counters;
    table.add({std::to_string(counters.serial), user_text(view, counters), printable_name(counters),
               std::string(state_name(counters.state)), rate_text(sessions[i].requests),
               rate_text(sessions[i].reports), with_commas(counters.requests),
               with_commas(counters.reports), fill_text(counters.ring_used, counters.ring_slots),
               fill_text(counters.backlog_used, counters.backlog_slots)});
  }
  if (sessions.empty()) return text + "no sessions\n";
  text += table.text();
  if (sessions.size() > room) {
    text += "and " + with_commas(sessions.size() - room) + " more\n";
  }
  return text;
}

namespace {

std::string session_json(const TopView& view, const Figures& figures, const Session& session) {
  const SessionCounters& counters = session.counters;
  const SessionCounters before = earlier(view, session);
  JsonObject json;
  json.add("slot", session.slot);
  json.add("serial", counters.serial);
  json.add("user_id", counters.user_id);
  json.add_text("user", user_text(view, counters));
  json.add_text("name", printable_name(counters));
  json.add_text("state", state_name(counters.state));
  json.add_flag("resumable", (counters.flags & ipc::kSessionResumable) != 0);
  json.add_flag("cancel_on_disconnect", (counters.flags & ipc::kSessionCancelOnDisconnect) != 0);
  json.add("requests", counters.requests);
  json.add("reports", counters.reports);
  json.add_decimal("requests_per_second", figures.rate(before.requests, counters.requests), 1);
  json.add_decimal("reports_per_second", figures.rate(before.reports, counters.reports), 1);
  json.add("report_ring_used", counters.ring_used);
  json.add("report_ring_slots", counters.ring_slots);
  json.add("backlog_used", counters.backlog_used);
  json.add("backlog_slots", counters.backlog_slots);
  return json.text();
}

std::string engine_json(const TopView& view, const Figures& figures) {
  const ipc::EngineCounters& engine = view.now.engine;
  const ipc::EngineCounters& before = view.before.engine;
  const bool stopped = engine.status == static_cast<std::uint64_t>(ipc::EngineStatus::kStopped);
  JsonObject json;
  json.add_text("version", ipc::get_text(view.header.engine_version));
  json.add("process", view.header.process);
  json.add_text("status", stopped ? "stopped" : "serving");
  json.add("uptime_s", figures.uptime_s);
  json.add_text("durability", durability_name(view.header.durability));
  json.add_text("idle_mode", idle_name(view.header.idle_mode));
  json.add("time_ns", engine.updated_ns);
  json.add("sequence", engine.sequence);
  json.add("requests", engine.requests);
  json.add("reports", engine.reports);
  json.add_decimal("requests_per_second", figures.rate(before.requests, engine.requests), 1);
  json.add_decimal("reports_per_second", figures.rate(before.reports, engine.reports), 1);
  json.add("executions", engine.trades);
  json.add("working_orders", engine.working_orders);
  json.add("working_orders_max", view.header.working_orders_max);
  json.add("finished_orders", engine.finished_orders);
  json.add("finished_orders_max", view.header.finished_orders_max);
  json.add("price_levels", engine.price_levels);
  json.add("price_levels_max", view.header.price_levels_max);
  json.add("sessions_open", figures.open);
  json.add("sessions_waiting", figures.waiting);
  json.add("sessions_max", view.header.session_slots);
  return json.text();
}

}  // namespace

std::string top_json(const TopView& view) {
  const Figures figures(view);
  const ipc::EngineCounters& engine = view.now.engine;
  std::string journal = "null";
  if (has_journal(view)) {
    JsonObject object;
    object.add("durable", engine.durable);
    object.add("lag", figures.lag);
    object.add("error", engine.journal_error);
    journal = object.text();
  }
  JsonObject loop;
  loop.add("passes", engine.passes);
  loop.add_decimal("idle_share", figures.idle_share, 4);
  loop.add("largest_gap_ns", figures.gap_ns);
  loop.add("largest_gap_ever_ns", engine.largest_gap_ns);
  std::string sessions;
  for (const Session& session : view.now.sessions) {
    sessions += (sessions.empty() ? "" : ",") + session_json(view, figures, session);
  }
  JsonObject json;
  json.add("engine", engine_json(view, figures));
  json.add("journal", journal);
  json.add("loop", loop);
  json.add("sessions", "[" + sessions + "]");
  return json.text();
}

}  // namespace shmatch::tools
