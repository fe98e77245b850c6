#include "core/message.h"

#include <cstddef>

namespace shmatch::core {

namespace {

template <class Message>
bool framed_as(const Request& request) noexcept {
  return request.slots() == slots_of<Message>();
}

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

bool well_formed(const Request& request) noexcept {
  // The header's reserved bytes are the upper six of the first word.
  if ((request.words[0] >> 16) != 0) return false;
  switch (static_cast<RequestType>(request.type())) {
    case RequestType::kCancelOrder:
      return framed_as<CancelOrder>(request);
    case RequestType::kNewOrder:
      return framed_as<NewOrder>(request) && request.as<NewOrder>().reserved == 0;
    case RequestType::kOrderStatus:
      return framed_as<OrderStatusQuery>(request);
    case RequestType::kOpenOrders:
      return framed_as<OpenOrdersQuery>(request);
    case RequestType::kL2Snapshot:
      return framed_as<L2Query>(request);
    case RequestType::kPing:
      return framed_as<Ping>(request) && request.as<Ping>().fence <= 1;
    case RequestType::kNone:
      break;
  }
  return false;
}

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
