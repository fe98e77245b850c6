#include "core/message.h"

namespace shmatch::core {

namespace {

template <class Message>
bool framed_as(const Request& request) noexcept {
  return request.slots() == slots_of<Message>();
}

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
      return framed_as<Ping>(request);
    case RequestType::kNone:
      break;
  }
  return false;
}

}  // namespace shmatch::core
