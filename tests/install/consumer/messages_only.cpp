// Reads and writes messages without the client library.
#include <shmatch/core/message.h>

#include <cstdio>

int main() {
  shmatch::core::Request request;
  request.assign(shmatch::core::CancelOrder{.oms_id = 1, .order_id = 42});
  if (!request.is<shmatch::core::CancelOrder>()) return 1;
  std::printf("%s\n", shmatch::core::error_text(shmatch::core::ErrorCode::kNotFound).data());
  return request.as<shmatch::core::CancelOrder>().order_id == 42 ? 0 : 1;
}
