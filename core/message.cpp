#include "core/message.h"

#include <cstddef>

namespace shmatch::core {

namespace {

// Every reply names its request in the word behind the header.
constexpr std::size_t kReplyWord = sizeof(ReportHeader) / sizeof(std::uint64_t);
static_assert(offsetof(Receipt, request_sequence) == kReplyWord * 8);
static_assert(offsetof(OrderAccepted, request_sequence) == kReplyWord * 8);
static_assert(offsetof(OrderStatusReply, request_sequence) == kReplyWord * 8);
static_assert(offsetof(OpenOrderRow, request_sequence) == kReplyWord * 8);
static_assert(offsetof(L2Rows, request_sequence) == kReplyWord * 8);
static_assert(offsetof(PageEnd, request_sequence) == kReplyWord * 8);
static_assert(offsetof(Pong, request_sequence) == kReplyWord * 8);

}  // namespace

Sequence replied_request(const Report& report) noexcept {
  switch (static_cast<ReportType>(report.type())) {
    case ReportType::kReceipt:
    case ReportType::kOrderAccepted:
    case ReportType::kOrderStatus:
    case ReportType::kOpenOrder:
    case ReportType::kL2Rows:
    case ReportType::kPageEnd:
    case ReportType::kPong:
      return report.words[kReplyWord];
    default:
      return 0;
  }
}

}  // namespace shmatch::core
