#include "tests/process/raw_session.h"

#include <sys/mman.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace shmatch::process_test {

using ipc::FileDescriptor;
using ipc::Received;

namespace {

std::span<std::byte> map_shared(int handle, std::size_t size, int protection) {
  void* memory = ::mmap(nullptr, size, protection, MAP_SHARED, handle, 0);
  if (memory == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
  return {static_cast<std::byte*>(memory), size};
}

}  // namespace

RawSession::RawSession(const std::string& socket_path) : socket_(ipc::make_socket()) {
  const int error = ipc::connect_socket(socket_.get(), socket_path);
  if (error != 0) throw std::system_error(error, std::generic_category(), "connect");
}

RawSession::~RawSession() {
  if (!requests_.empty()) ::munmap(requests_.data(), requests_.size());
  if (!reports_.empty()) ::munmap(reports_.data(), reports_.size());
}

ipc::LogonRequest RawSession::request(std::string_view user) const {
  ipc::LogonRequest request;
  request.request_slots = 1024;
  request.report_slots = 4096;
  ipc::set_text(request.user, user);
  ipc::set_text(request.session_name, "raw");
  return request;
}

bool RawSession::send_bytes(std::span<const std::byte> bytes) const {
  return ipc::send_bytes(socket_.get(), bytes);
}

std::optional<RawSession::Packet> RawSession::receive(std::span<FileDescriptor> handles) const {
  Packet packet;
  if (!ipc::wait_readable(socket_.get(), Clock::now() + kPatience)) return std::nullopt;
  const Received received = ipc::receive_packet(socket_.get(), packet.bytes, handles);
  if (received.outcome != Received::Outcome::kPacket) return std::nullopt;
  packet.size = received.size;
  return packet;
}

void RawSession::receive_offer() {
  const auto packet = receive(handles_);
  if (!packet) throw std::runtime_error("no offer: the engine closed");
  const std::span<const std::byte> bytes(packet->bytes, packet->size);
  ipc::Farewell farewell;
  if (ipc::read_packet(bytes, farewell)) {
    throw std::runtime_error(std::string(ipc::get_text(farewell.sentence)));
  }
  if (!ipc::read_packet(bytes, offer_)) throw std::runtime_error("a packet that is no offer");
  if (!handles_[2]) throw std::runtime_error("an offer without three descriptors");
}

void RawSession::map() {
  requests_ = map_shared(requests_handle(), offer_.requests_size, PROT_READ | PROT_WRITE);
  reports_ = map_shared(reports_handle(), offer_.reports_size, PROT_READ);
  const auto* header = reinterpret_cast<const ipc::ReportsHeader*>(reports_.data());
  const auto* first = reports_.data() + offer_.first_slot_offset;
  writer_.emplace(request_slots(), offer_.request_slots, &header->requests_consumed);
  reader_.emplace(reinterpret_cast<const ipc::Slot*>(first), offer_.report_slots,
                  &reports_consumed());
}

void RawSession::confirm() {
  auto* header = reinterpret_cast<ipc::RequestsHeader*>(requests_.data());
  header->version = ipc::kLayoutVersion;
  header->slots = offer_.request_slots;
  ipc::store_word(header->magic, ipc::kRequestsMagic, std::memory_order_release);
  send(ipc::Confirm{});
  const auto packet = receive();
  ipc::Serving serving;
  if (!packet ||
      !ipc::read_packet(std::span<const std::byte>(packet->bytes, packet->size), serving)) {
    throw std::runtime_error("the engine does not serve this session");
  }
}

void RawSession::logon(std::string_view user, std::uint32_t flags) {
  ipc::LogonRequest packet = request(user);
  packet.flags = flags;
  send(packet);
  receive_offer();
  map();
  confirm();
}

std::optional<ipc::Farewell> RawSession::farewell() const {
  const auto packet = receive();
  ipc::Farewell farewell;
  if (!packet ||
      !ipc::read_packet(std::span<const std::byte>(packet->bytes, packet->size), farewell)) {
    return std::nullopt;
  }
  return farewell;
}

bool RawSession::closed() const {
  while (receive()) {
  }
  Packet packet;
  return ipc::receive_packet(socket_.get(), packet.bytes).outcome == Received::Outcome::kClosed;
}

ipc::Slot* RawSession::request_slots() const noexcept {
  return reinterpret_cast<ipc::Slot*>(requests_.data() + offer_.first_slot_offset);
}

std::uint64_t& RawSession::reports_consumed() const noexcept {
  return reinterpret_cast<ipc::RequestsHeader*>(requests_.data())->reports_consumed;
}

std::optional<core::Report> RawSession::report(Milliseconds limit) {
  core::Report report;
  ipc::RingResult result = ipc::RingResult::kEmpty;
  eventually(
      [&] {
        result = reader_->read(report.words);
        return result != ipc::RingResult::kEmpty;
      },
      limit);
  if (result != ipc::RingResult::kDone) return std::nullopt;
  return report;
}

bool RawSession::served() {
  if (!submit(core::Ping{})) return false;
  while (const auto next = report()) {
    if (next->is<core::Pong>()) return true;
  }
  return false;
}

}  // namespace shmatch::process_test
