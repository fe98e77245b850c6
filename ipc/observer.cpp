#include "ipc/observer.h"

#include <array>
#include <cstring>
#include <utility>

#include "ipc/engine_socket.h"
#include "ipc/versioned_block.h"

namespace shmatch::ipc {
namespace {

const std::uint64_t* words_at(const Mapping& page, std::size_t byte) noexcept {
  return reinterpret_cast<const std::uint64_t*>(page.data() + byte);
}

}  // namespace

Failure Observer::connect(const std::string& socket, std::chrono::milliseconds timeout) {
  *this = Observer();
  const Deadline deadline = std::chrono::steady_clock::now() + timeout;
  Observer fresh;
  if (Failure failed = connect_to_engine(socket, deadline, fresh.socket_)) return failed;
  send_packet(fresh.socket_.get(), WatchRequest{});
  WatchOffer offer;
  std::array<FileDescriptor, 2> memories;
  FarewellReason refusal{};
  if (Failure failed = expect(fresh.socket_.get(), deadline, offer, refusal, memories)) {
    return failed;
  }
  if (!memories[0] || !memories[1] || offer.counters_size < kSessionCountersOffset) {
    return strange_engine();
  }
  Mapping reference;
  Fault fault = map_checked(memories[0].get(), offer.counters_size, kSharedSeals, Access::kReadOnly,
                            fresh.page_);
  if (!fault) {
    fault = map_checked(memories[1].get(), offer.reference_size, kConstantSeals, Access::kReadOnly,
                        reference);
  }
  if (fault) return {ClientError::kNoMemory, std::move(fault.text)};
  std::memcpy(&fresh.header_, fresh.page_.data(), sizeof fresh.header_);
  const CountersHeader& header = fresh.header_;
  if (header.magic != kCountersMagic || header.version != kCountersVersion ||
      offer.counters_size < counters_size(header.session_slots) ||
      !fresh.reference_.parse({reference.data(), offer.reference_size})) {
    return strange_engine();
  }
  fresh.memory_ = std::move(memories[0]);
  *this = std::move(fresh);
  return {};
}

bool Observer::look(CountersLook& look) const {
  if (!load_block(words_at(page_, kEngineCountersOffset), look.engine)) return false;
  look.sessions.clear();
  CountersLook::Session session;
  for (; session.slot < header_.session_slots; ++session.slot) {
    const std::size_t byte = kSessionCountersOffset + session.slot * sizeof(SessionCounters);
    if (!load_block(words_at(page_, byte), session.counters)) return false;
    if (session.counters.state != 0) look.sessions.push_back(session);
  }
  return true;
}

bool Observer::ended() noexcept {
  if (!ended_) ended_ = engine_closed(socket_.get(), end_reason_);
  return ended_;
}

}  // namespace shmatch::ipc
