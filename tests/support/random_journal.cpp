#include "tests/support/random_journal.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "core/check.h"
#include "core/configuration_bytes.h"
#include "core/input_record.h"
#include "ipc/recovery.h"
#include "tests/reference/twin_engine.h"

namespace shmatch::tests {

using reference::Command;

namespace {

constexpr std::uint32_t kGroupMax = 40;

reference::Profile busy_profile() {
  for (reference::Profile& profile : reference::all_profiles()) {
    if (std::string_view(profile.name) != "dying_engine") continue;
    profile.configuration.rate_per_second = 0;
    // Restarts come where segments begin.
    profile.restart_permyriad = 0;
    profile.stop_permyriad = 0;
    return std::move(profile);
  }
  core::check_failed("there is a profile of this name", __FILE__, __LINE__);
}

}  // namespace

void Listener::apply(std::span<const std::uint64_t> records) {
  while (!records.empty()) {
    const std::uint32_t words = core::input_words(records.front());
    const ipc::Fault fault = replica_.apply(records.first(words));
    SHMATCH_CHECK(!fault);
    records = records.subspan(words);
  }
}

void Listener::deliver(core::SessionSlot to, const core::Report& report) noexcept {
  replica_.windows().keep(to, report);
  received_[to].push_back(report);
  if (report.is<core::OrderAccepted>()) accepted_ = report.as<core::OrderAccepted>().order_id;
}

RandomJournal::RandomJournal(ipc::FileLayer& layer, std::string folder, std::uint64_t seed)
    : layer_(layer),
      folder_(std::move(folder)),
      profile_(busy_profile()),
      stream_(profile_, seed),
      random_(seed + 1),
      state_({.hash_salt = seed, .window_slots = kWindowSlots, .keep_digest = true}),
      listener_(state_) {
  observer_ = profile_.configuration.capacities.sessions - 1;
}

void RandomJournal::start(const core::Configuration& configuration) {
  const bool first = inputs_ == 0;
  const ipc::Fault fault =
      first ? state_.create(configuration) : state_.change_configuration(configuration);
  SHMATCH_CHECK(!fault);
  listener_.listen();
  const std::string bytes = core::encode_configuration(configuration);
  ipc::SegmentStart start;
  start.first_sequence = state_.engine().last_sequence() + 1;
  start.input_chain = writer_ ? writer_->input_chain() : 0;
  start.build_digest = ipc::build_digest();
  start.created = now_;
  start.configuration = std::as_bytes(std::span(bytes));
  writer_.emplace(layer_, folder_, ipc::kSegmentBytesMin);
  const ipc::FileFault no_file = writer_->open(start);
  SHMATCH_CHECK(!no_file);
  if (first) {
    const core::Logon observer = profile_.observer();
    add([&](std::uint64_t* to) { return core::encode_logon(to, observer_, observer, now_); });
    return;
  }
  add([&](std::uint64_t* to) { return core::encode_restart(to, now_); });
  add([&](std::uint64_t* to) {
    return core::encode_resume(to, observer_, profile_.observer(), now_);
  });
  Command restart;
  restart.kind = Command::Kind::kRestart;
  stream_.applied(restart);
}

void RandomJournal::run(std::uint32_t inputs) {
  const std::uint32_t enough = inputs_ + inputs;
  while (inputs_ < enough) {
    const std::uint32_t group =
        std::min(enough, inputs_ + 1 + static_cast<std::uint32_t>(random_.below(kGroupMax)));
    while (inputs_ < group) add_command();
    write();
  }
}

void RandomJournal::write() {
  const ipc::DigestMark mark{state_.engine().last_sequence(), state_.engine().digest()};
  const core::Sequence first = writer_->last_sequence() + 1;
  const ipc::FileFault failed =
      writer_->append(waiting_, first, random_.percent(50) ? mark : ipc::DigestMark{});
  SHMATCH_CHECK(!failed);
  const ipc::FileFault not_synced = writer_->sync();
  SHMATCH_CHECK(!not_synced);
  waiting_.clear();
}

void RandomJournal::stop() {
  if (!waiting_.empty()) write();
  const ipc::FileFault failed = writer_->close();
  SHMATCH_CHECK(!failed);
}

std::vector<std::uint64_t> RandomJournal::imagine(std::uint32_t inputs) {
  const std::uint32_t enough = inputs_ + inputs;
  while (inputs_ < enough) add_command();
  return std::exchange(waiting_, {});
}

bool RandomJournal::applicable(const Command& command) const {
  const core::SessionView session = state_.engine().session(command.slot);
  switch (command.kind) {
    case Command::Kind::kLogon:
      return session.state == core::SessionState::kFree;
    case Command::Kind::kRequest:
      return session.state == core::SessionState::kOpen;
    case Command::Kind::kEndSession:
      return session.state == core::SessionState::kOpen ||
             session.state == core::SessionState::kOrphaned;
    case Command::Kind::kResume:
      return session.logon.resumable && (session.state == core::SessionState::kOrphaned ||
                                         session.state == core::SessionState::kDetached);
    case Command::Kind::kForgetSession:
      return session.state == core::SessionState::kDetached;
    default:
      return state_.engine().sweeping();
  }
}

void RandomJournal::add_command() {
  const Command command = stream_.next();
  if (!applicable(command)) return;
  now_ = command.now;
  const core::SessionSlot slot = command.slot;
  switch (command.kind) {
    case Command::Kind::kLogon:
      add([&](std::uint64_t* to) { return core::encode_logon(to, slot, command.logon, now_); });
      break;
    case Command::Kind::kRequest:
      add_request(command);
      break;
    case Command::Kind::kEndSession:
      add([&](std::uint64_t* to) { return core::encode_end_session(to, slot, now_); });
      break;
    case Command::Kind::kResume:
      add([&](std::uint64_t* to) { return core::encode_resume(to, slot, command.logon, now_); });
      break;
    case Command::Kind::kForgetSession:
      add([&](std::uint64_t* to) { return core::encode_forget_session(to, slot, now_); });
      break;
    default:
      add([&](std::uint64_t* to) { return core::encode_sweep(to, now_); });
      break;
  }
  stream_.applied(command);
}

void RandomJournal::add_request(const Command& command) {
  core::Request request = command.request;
  if (!core::is_input(request)) return;
  if (const auto known = orders_.find(command.order_of); known != orders_.end()) {
    auto cancel = request.as<core::CancelOrder>();
    cancel.order_id = known->second;
    request.assign(cancel);
  }
  listener_.take_accepted();
  const core::Sequence number = ++request_number_;
  add([&](std::uint64_t* to) {
    return core::encode_request(to, command.slot, number, request, command.now);
  });
  if (const core::OrderId order = listener_.take_accepted(); order != 0) {
    orders_[command.id] = order;
    stream_.accepted();
  }
}

template <class Encode>
void RandomJournal::add(Encode encode) {
  std::uint64_t words[core::kInputRecordWordsMax];
  const std::uint32_t count = encode(words);
  listener_.apply({words, count});
  waiting_.insert(waiting_.end(), words, words + count);
  ++inputs_;
}

std::vector<std::uint64_t> words_of(ipc::Replica& replica) {
  reference::WordBuffer words;
  core::export_state(replica.engine(), words);
  replica.windows().export_words(replica.engine(), words);
  return words.words();
}

bool same_received(const reference::Received& a, const reference::Received& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& one, const auto& two) {
    return one.first == two.first &&
           std::equal(one.second.begin(), one.second.end(), two.second.begin(), two.second.end(),
                      reference::same_words);
  });
}

}  // namespace shmatch::tests
