// Pairs: a reply and the event right behind it, in one message. The two have most words in common,
// so a cancel's receipt and outcome fit one slot instead of two, and an order's acceptance and
// entry two instead of three: one line less on its way to the client.
//
// Only the transport knows pairs. The engine makes two reports, the session joins them if the
// client asked for that (core::kPairedReplies), and the client library parts them again; what comes
// out is what went in, word by word.
//
// Threads: any. No call allocates, waits or throws.
#pragma once

#include "core/message.h"

namespace shmatch::ipc {

// Whether an event may come that joins with this reply: a successful cancel's receipt, or an
// order's acceptance.
bool opens_pair(const core::Report& reply) noexcept;

// Joins `reply`, for which opens_pair was true, and the report delivered next. False, with `pair`
// untouched, when that is not the event in question: send both as they are.
bool join(const core::Report& reply, const core::Report& event, core::Report& pair) noexcept;

inline bool is_pair(const core::Report& report) noexcept {
  return report.is<core::ReceiptAndOutcome>() || report.is<core::AcceptedAndEntered>();
}

// The two reports that `pair`, for which is_pair is true, was made from. All three are different
// buffers.
void part(const core::Report& pair, core::Report& reply, core::Report& event) noexcept;

}  // namespace shmatch::ipc
