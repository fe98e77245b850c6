#include "tools/latency_report.h"

#include <array>
#include <cstdio>
#include <set>
#include <string_view>

#include "tools/digest_text.h"
#include "tools/json_object.h"
#include "tools/text_table.h"

namespace shmatch::tools {

namespace {

struct Percentile {
  const char* key;   // in JSON
  const char* text;  // for people
  double fraction;
};
constexpr std::array<Percentile, 4> kPercentiles{{{"p50_ns", "p50", 0.5},
                                                  {"p90_ns", "p90", 0.9},
                                                  {"p99_ns", "p99", 0.99},
                                                  {"p999_ns", "p99.9", 0.999}}};

std::string number(double value, int decimals) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

std::string plain(std::int64_t value) { return with_commas(static_cast<std::uint64_t>(value)); }

std::string microseconds(double ns) { return number(ns / 1e3, 1) + " us"; }

void add_row(TextTable& table, const std::string& name, const HdrHistogram& histogram) {
  std::vector<std::string> cells{name};
  for (const Percentile& each : kPercentiles)
    cells.push_back(plain(histogram.value_at(each.fraction)));
  cells.push_back(plain(histogram.max()));
  cells.push_back(plain(histogram.count()));
  table.add(std::move(cells));
}

JsonObject metric_json(const HdrHistogram& histogram) {
  JsonObject json;
  json.add("count", histogram.count());
  for (const Percentile& each : kPercentiles) {
    json.add(each.key, histogram.value_at(each.fraction));
  }
  json.add("max_ns", histogram.max());
  return json;
}

// Whether the run has this metric at all; one that it has may still be empty.
bool shown(Metric metric, bool open_loop) {
  return metric <= Metric::kCancelOutcome || (open_loop && metric != Metric::kJitter);
}

}  // namespace

std::string latency_text(const LatencyReport& report) {
  const bool open_loop = report.rate > 0;
  std::string text = with_commas(report.round_trips) + " round trips in " +
                     number(report.seconds, 2) + " s as " + report.user + ", ";
  text += open_loop ? "open loop at " + with_commas(static_cast<std::uint64_t>(report.rate)) +
                          " requests a second: times count from when a request was due"
                    : "closed loop: one request at a time";
  text += report.interrupted ? "; interrupted\n\n" : "\n\n";
  TextTable table({{"ns", false}, {"p50"}, {"p90"}, {"p99"}, {"p99.9"}, {"max"}, {"count"}});
  if (report.floor != nullptr) add_row(table, "floor", *report.floor);
  for (std::size_t i = 0; i < kMetrics; ++i) {
    if (shown(static_cast<Metric>(i), open_loop)) {
      add_row(table, kMetricNames[i].text, report.metrics.at(i));
    }
  }
  text += table.text() + "\n";
  if (!report.no_floor.empty()) text += "no floor: " + report.no_floor + "\n";
  const JitterRecorder& jitter = report.jitter;
  text += "own gaps above " + microseconds(JitterRecorder::kThresholdNs) + ": " +
          number(jitter.gaps_per_second(), 1) + " a second, " +
          number(100 * jitter.lost_share(), 3) + " % of the time, largest " +
          microseconds(jitter.largest_ns()) + "\n";
  return text;
}

std::string latency_json(const LatencyReport& report) {
  const bool open_loop = report.rate > 0;
  JsonObject json;
  json.add_text("loop", open_loop ? "open" : "closed");
  if (open_loop) json.add_decimal("requests_per_second", report.rate, 1);
  json.add("round_trips", report.round_trips);
  json.add_decimal("seconds", report.seconds, 6);
  json.add_flag("interrupted", report.interrupted);
  json.add_text("user", report.user);
  for (std::size_t i = 0; i < kMetrics; ++i) {
    if (shown(static_cast<Metric>(i), open_loop)) {
      json.add(kMetricNames[i].tag, metric_json(report.metrics.at(i)));
    }
  }
  json.add("floor", report.floor == nullptr ? "null" : metric_json(*report.floor).text());
  JsonObject jitter;
  jitter.add_decimal("threshold_ns", JitterRecorder::kThresholdNs, 0);
  jitter.add_decimal("gaps_per_second", report.jitter.gaps_per_second(), 3);
  jitter.add_decimal("lost_share", report.jitter.lost_share(), 6);
  jitter.add_decimal("largest_ns", report.jitter.largest_ns(), 0);
  json.add("jitter", jitter);
  return json.text();
}

namespace {

std::set<std::string> tags_of(const HdrLog& a, const HdrLog& b) {
  std::set<std::string> tags;
  for (const HdrLog* log : {&a, &b}) {
    for (const auto& [tag, histogram] : *log) tags.insert(tag);
  }
  return tags;
}

const HdrHistogram* find(const HdrLog& log, const std::string& tag) {
  const auto found = log.find(tag);
  return found == log.end() ? nullptr : &found->second;
}

std::string shown_tag(const std::string& tag) { return tag.empty() ? "(no tag)" : tag; }

std::string signed_text(std::int64_t value) {
  return (value < 0 ? "-" : "+") + plain(value < 0 ? -value : value);
}

double ratio(std::int64_t a, std::int64_t b) {
  return static_cast<double>(b) / static_cast<double>(a);
}

void compare(TextTable& table, const std::string& name, const char* what, std::int64_t a,
             std::int64_t b) {
  table.add(
      {name, what, plain(a), plain(b), signed_text(b - a), a == 0 ? "-" : number(ratio(a, b), 3)});
}

}  // namespace

std::string comparison_text(const HdrLog& a, const HdrLog& b, const std::string& name_a,
                            const std::string& name_b) {
  std::string text = "A  " + name_a + "\nB  " + name_b + "\n\n";
  TextTable table({{"ns", false}, {"", false}, {"A"}, {"B"}, {"B - A"}, {"B / A"}});
  std::string missing;
  for (const std::string& tag : tags_of(a, b)) {
    const HdrHistogram* first = find(a, tag);
    const HdrHistogram* second = find(b, tag);
    if (first == nullptr || second == nullptr) {
      missing +=
          "only in " + std::string(second == nullptr ? "A" : "B") + ": " + shown_tag(tag) + "\n";
      continue;
    }
    std::string name = shown_tag(tag);
    for (const Percentile& each : kPercentiles) {
      compare(table, name, each.text, first->value_at(each.fraction),
              second->value_at(each.fraction));
      name.clear();
    }
    compare(table, "", "max", first->max(), second->max());
    compare(table, "", "count", first->count(), second->count());
  }
  text += table.text();
  return missing.empty() ? text : text + "\n" + missing;
}

std::string comparison_json(const HdrLog& a, const HdrLog& b, const std::string& name_a,
                            const std::string& name_b) {
  JsonObject metrics;
  for (const std::string& tag : tags_of(a, b)) {
    const HdrHistogram* first = find(a, tag);
    const HdrHistogram* second = find(b, tag);
    JsonObject metric;
    metric.add("a", first == nullptr ? "null" : metric_json(*first).text());
    metric.add("b", second == nullptr ? "null" : metric_json(*second).text());
    if (first != nullptr && second != nullptr) {
      JsonObject difference;
      JsonObject times;
      const auto put = [&](const char* key, std::int64_t x, std::int64_t y) {
        difference.add(key, y - x);
        times.add_decimal(key, ratio(x, y), 4);
      };
      for (const Percentile& each : kPercentiles) {
        put(each.key, first->value_at(each.fraction), second->value_at(each.fraction));
      }
      put("max_ns", first->max(), second->max());
      metric.add("difference", difference).add("ratio", times);
    }
    metrics.add(tag, metric);
  }
  JsonObject json;
  json.add_text("a", name_a).add_text("b", name_b).add("metrics", metrics);
  return json.text();
}

}  // namespace shmatch::tools
