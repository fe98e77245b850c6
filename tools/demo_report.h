// What the demo prints: short headed sections, aligned tables, numbers with separators.
//
// Thread: one. Everything goes to standard output.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/demo_latency.h"
#include "tools/demo_log.h"
#include "tools/demo_replay.h"

namespace shmatch::tools {

// 1234567 as "1,234,567".
std::string with_separators(std::uint64_t number);

void print_log(const std::string& path, const RequestLog& log);

void print_engine(const DemoEngine& engine, std::size_t clients);

// On a terminal one line that is drawn again and again, elsewhere a line for each tenth.
class Progress {
 public:
  Progress(std::uint64_t total, bool terminal) : total_(total), terminal_(terminal) {}
  // Ends the terminal's line, however the replay ended.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void show(std::uint64_t answered);

 private:
  std::uint64_t total_;
  bool terminal_;
  bool drawn_ = false;
  std::uint64_t tenths_ = 0;
};

void print_results(const RequestLog& log, const std::vector<ClientResult>& results, double seconds);

// With the first refusal of each reason as an example; `reference` names the users in it.
void print_refusals(const RequestLog& log, const std::vector<ClientResult>& results,
                    const ReferenceData& reference);

void print_books(const std::vector<BookSummary>& books);

void print_latency(const Latency& latency);

// Says why there is no latency to show.
void print_no_latency(const std::string& reason);

}  // namespace shmatch::tools
