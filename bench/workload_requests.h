// A workload as the requests of one engine, ready to be given to it again and again without any
// work beside it.
//
// Cancels name orders by the ids that the engine gave them, so an engine of the same kind and
// configuration executes the workload once beforehand, and tells a digest of all its reports on the
// way. Engines are given requests by the same code, whatever their type.
//
// Thread: one at a time.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "bench/order_numbers.h"
#include "bench/workload.h"
#include "core/look_ahead.h"
#include "core/matching_engine.h"
#include "tools/report_digest.h"

namespace shmatch::bench {

// One message, as in a slot of a ring, but a line whole. A modification is a cancel and, in the
// next line, a new order.
struct alignas(64) RequestLine {
  std::uint64_t words[core::LookAhead::kMessageWords];

  bool replaces() const noexcept { return words[0] >> 63 != 0; }
  // The cancel belongs together with the next line.
  void mark_replacing() noexcept { words[0] |= std::uint64_t{1} << 63; }
};

// What an order's later messages call it by.
enum class WorkloadKey : std::uint8_t { kOrderId, kClientId };

// The message's order; that of number n has the client order id n + 1.
core::NewOrder entry_of(const WorkloadMessage& message) noexcept;
// Its cancel; `order_id` is used with kOrderId.
core::CancelOrder cancel_of(const WorkloadMessage& message, WorkloadKey key,
                            core::OrderId order_id) noexcept;

struct WorkloadRequests {
  std::vector<RequestLine> lines;
  std::uint64_t messages = 0;
  std::uint64_t reports = 0;
  std::uint64_t digest = 0;  // of the reports, equal for engines that do the same
};

// Gives the message that starts at `line` to the engine's session 0; returns where the next one
// starts.
template <class Engine>
const RequestLine* give_line(Engine& engine, const RequestLine* line, core::Sequence number) {
  const auto now = static_cast<core::TimeNs>(number);
  if (!line->replaces()) [[likely]] {
    engine.request(0, number, line->words, now);
    return line + 1;
  }
  engine.cancel_replace(0, number, core::message_of<core::CancelOrder>(line->words),
                        core::message_of<core::NewOrder>(line[1].words), now);
  return line + 2;
}

// Hears an engine execute a workload for the first time.
class FirstHearing final : public core::ReportSink {
 public:
  void deliver(core::SessionSlot to, const core::Report& report) noexcept override {
    digest.add(to, numbers.numbered(report));
    ++reports;
    if (report.is<core::OrderAccepted>()) accepted = report.as<core::OrderAccepted>().order_id;
  }

  OrderNumbers numbers;
  tools::ReportDigest digest;
  std::uint64_t reports = 0;
  core::OrderId accepted = 0;  // since this was set to 0 last
};

// `engine` is new, its session 0 is open and `heard` is its sink. Calls after(message) behind each.
template <class Engine, class After>
WorkloadRequests prepare_requests(Engine& engine, FirstHearing& heard,
                                  std::span<const WorkloadMessage> messages,
                                  std::uint32_t new_orders, WorkloadKey key, After after) {
  using Kind = WorkloadMessage::Kind;
  WorkloadRequests result;
  result.lines.reserve(messages.size() * 11 / 10);
  std::vector<core::OrderId> ids(new_orders);
  core::Request request;
  const auto put = [&](const auto& message) {
    request.assign(message);
    RequestLine& line = result.lines.emplace_back();
    for (std::size_t i = 0; i < sizeof message / 8; ++i) line.words[i] = request.words[i];
  };
  for (const WorkloadMessage& message : messages) {
    const std::size_t begin = result.lines.size();
    if (message.kind != Kind::kNew) put(cancel_of(message, key, ids[message.order]));
    if (message.kind == Kind::kModify) result.lines.back().mark_replacing();
    if (message.kind != Kind::kCancel) put(entry_of(message));
    heard.accepted = 0;
    give_line(engine, &result.lines[begin], ++result.messages);
    if (heard.accepted != 0) ids[message.order] = heard.accepted;
    after(message);
  }
  result.reports = heard.reports;
  result.digest = heard.digest.value();
  return result;
}

}  // namespace shmatch::bench
