#include "tools/replay_input.h"

#include <algorithm>

namespace shmatch::tools {

SourceInput::SourceInput(RequestSource& source, std::uint32_t per_batch)
    : source_(source), per_batch_(per_batch), configuration_(source.configuration()) {
  const auto users = static_cast<std::uint32_t>(configuration_.users.size());
  configuration_.capacities.sessions = std::max(configuration_.capacities.sessions, users);
  requests_sent_.resize(users);
  for (core::SessionSlot slot = 0; slot < users; ++slot) {
    slots_.emplace(configuration_.users[slot].name, slot);
  }
  words_.reserve(std::size_t{per_batch_ + users} * core::kInputRecordWordsMax);
}

InputStream::Next SourceInput::next(InputBatch& batch) {
  words_.clear();
  count_ = 0;
  SourcedRequest request;
  for (std::uint32_t requests = 0; requests < per_batch_; ++requests) {
    const RequestSource::Next what = source_.next(request);
    if (what == RequestSource::Next::kFault && count_ == 0) return Next::kFault;
    if (what != RequestSource::Next::kRequest) break;
    now_ = std::max(now_, request.time);
    if (!logged_on_) log_everybody_on(now_);
    add(request);
  }
  if (count_ == 0) return Next::kEnd;
  batch = InputBatch{};
  batch.first_sequence = sequence_ + 1;
  batch.record_count = count_;
  batch.words = words_;
  sequence_ += count_;
  return Next::kBatch;
}

void SourceInput::log_everybody_on(core::TimeNs now) {
  logged_on_ = true;
  for (core::SessionSlot slot = 0; slot < configuration_.users.size(); ++slot) {
    core::Logon logon;
    logon.user_id = configuration_.users[slot].id;
    std::uint64_t record[core::kInputRecordWordsMax];
    const std::uint32_t size = core::encode_logon(record, slot, logon, now);
    words_.insert(words_.end(), record, record + size);
    ++count_;
  }
}

void SourceInput::add(const SourcedRequest& request) {
  const core::SessionSlot slot = slot_of(request.user);
  std::uint64_t record[core::kInputRecordWordsMax];
  const std::uint32_t size =
      core::encode_request(record, slot, ++requests_sent_[slot], request.request, now_);
  words_.insert(words_.end(), record, record + size);
  ++count_;
}

core::SessionSlot SourceInput::slot_of(std::string_view user) {
  if (user.data() == last_user_.data() && user.size() == last_user_.size()) return last_slot_;
  // The source promises users of its configuration.
  last_slot_ = slots_.at(user);
  last_user_ = user;
  return last_slot_;
}

}  // namespace shmatch::tools
