#include "tests/reference/twin_engine.h"

#include <algorithm>

#include "core/input_record.h"
#include "tests/reference/report_text.h"

namespace shmatch::reference {

using namespace core;

namespace {

constexpr std::uint64_t kTwinSalt = 0x7717'0000;
// Inputs between two comparisons of the digests, with and without a digest kept by the twin.
constexpr std::uint32_t kDigestEvery = 8;
constexpr std::uint32_t kWalkedDigestEvery = 500;
constexpr std::uint32_t kTwinCheckEvery = 16;
constexpr std::int64_t kAddedId = 7'000;

}  // namespace

bool WordBuffer::put(std::span<const std::uint64_t> words) noexcept {
  words_.insert(words_.end(), words.begin(), words.end());
  return true;
}

bool WordBuffer::get(std::span<std::uint64_t> words) noexcept {
  if (words.size() > words_left()) return false;
  std::copy_n(words_.begin() + static_cast<std::ptrdiff_t>(taken_), words.size(), words.begin());
  taken_ += words.size();
  return true;
}

WordBuffer exported(const MatchingEngine& engine) {
  WordBuffer buffer;
  export_state(engine, buffer);
  return buffer;
}

Configuration enlarged(Configuration configuration) {
  configuration.instruments.push_back({kAddedId, "ADDED", {1, 0}, {1, 0}});
  configuration.users.push_back({kAddedId, "added", kPermissionTrading, {kAddedId}});
  configuration.accounts.push_back(kAddedId);
  configuration.capacities.sessions += 70;
  std::reverse(configuration.instruments.begin(), configuration.instruments.end());
  std::reverse(configuration.users.begin(), configuration.users.end());
  return configuration;
}

// A move costs as much as the capacities are large.
TwinEngine::TwinEngine(const Configuration& configuration, std::uint64_t hash_salt)
    : configuration_(configuration),
      move_every_(300 + configuration.capacities.working_orders / 16),
      digest_every_(kDigestEvery),
      one_(configuration, hash_salt) {
  two_.emplace(configuration, kTwinSalt);
}

void TwinEngine::collect(Received received) {
  for (auto& [slot, reports] : received) {
    std::vector<Report>& all = received_[slot];
    all.insert(all.end(), reports.begin(), reports.end());
  }
}

template <class Encode>
void TwinEngine::mirror(Encode encode) {
  Received one = one_.take_received();
  std::uint64_t words[kInputRecordWordsMax];
  const std::uint32_t count = encode(words);
  if (!difference_.empty()) return collect(std::move(one));
  if (const char* fault = find_fault(**two_, words, count)) {
    difference_ = "the twin cannot take the record of this input: " + std::string(fault);
    return collect(std::move(one));
  }
  apply(**two_, words);
  compare_inputs(one);
  collect(std::move(one));
}

void TwinEngine::compare_inputs(const Received& one) {
  compare(one, two_->take_received());
  ++inputs_;
  if (one_->last_sequence() != (*two_)->last_sequence()) {
    difference_ = "the twin's sequence number differs";
  }
  if (inputs_ % digest_every_ == 0 && one_->digest() != (*two_)->digest()) {
    difference_ = "the twin's digest differs";
  }
  if (inputs_ % move_every_ == 0 && difference_.empty()) move();
}

void TwinEngine::compare(const Received& one, const Received& two) {
  const bool same =
      std::equal(one.begin(), one.end(), two.begin(), two.end(), [](const auto& a, const auto& b) {
        return a.first == b.first && std::equal(a.second.begin(), a.second.end(), b.second.begin(),
                                                b.second.end(), same_words);
      });
  if (same) return;
  difference_ = "the twin's reports differ:";
  for (const auto& [name, received] : {std::pair("engine", &one), std::pair("twin", &two)}) {
    for (const auto& [slot, reports] : *received) {
      for (const Report& report : reports) {
        difference_ += std::string("\n  ") + name + " to slot " + std::to_string(slot) + ": " +
                       to_text(report);
      }
    }
  }
}

void TwinEngine::move() {
  ++moves_;
  const bool larger = moves_ % 2 == 0;
  const bool keep_digest = moves_ % 3 != 0;
  digest_every_ = keep_digest ? kDigestEvery : kWalkedDigestEvery;
  WordBuffer state = exported(*one_);
  two_.emplace(larger ? enlarged(configuration_) : configuration_, kTwinSalt + moves_, keep_digest);
  if (const char* fault = import_state(**two_, state)) {
    difference_ = "the twin cannot take the exported state: " + std::string(fault);
  } else if (state.words_left() != 0) {
    difference_ = "an import leaves words of the export unread";
  } else if ((*two_)->digest() != one_->digest()) {
    difference_ = "the twin's digest differs after an import";
  } else if (!larger && exported(**two_).words() != state.words()) {
    difference_ = "an export of an import is another one";
  }
}

void TwinEngine::check_invariants() const {
  one_->check_invariants();
  // Both are built by the same code: the second look is for what imports do.
  if (one_->last_sequence() % kTwinCheckEvery == 0) (*two_)->check_invariants();
}

SessionSerial TwinEngine::logon(SessionSlot slot, const Logon& logon, TimeNs now) {
  const SessionSerial serial = one_->logon(slot, logon, now);
  mirror([&](std::uint64_t* words) { return encode_logon(words, slot, logon, now); });
  return serial;
}

void TwinEngine::request(SessionSlot slot, Sequence request_sequence, const Request& request,
                         TimeNs now) {
  one_->request(slot, request_sequence, request, now);
  if (!is_input(request)) return collect(one_.take_received());
  mirror([&](std::uint64_t* words) {
    return encode_request(words, slot, request_sequence, request, now);
  });
}

void TwinEngine::cancel_replace(SessionSlot slot, Sequence request_sequence,
                                const CancelOrder& cancel, const NewOrder& order, TimeNs now) {
  one_->cancel_replace(slot, request_sequence, cancel, order, now);
  Received one = one_.take_received();
  if (difference_.empty()) {
    (*two_)->cancel_replace(slot, request_sequence, cancel, order, now);
    compare_inputs(one);
  }
  collect(std::move(one));
}

void TwinEngine::end_session(SessionSlot slot, TimeNs now) {
  one_->end_session(slot, now);
  mirror([&](std::uint64_t* words) { return encode_end_session(words, slot, now); });
}

bool TwinEngine::sweep(TimeNs now) {
  if (!one_->sweep(now)) return false;
  mirror([&](std::uint64_t* words) { return encode_sweep(words, now); });
  return true;
}

void TwinEngine::stop_accepting(Detail why, TimeNs now) {
  one_->stop_accepting(why, now);
  mirror([&](std::uint64_t* words) { return encode_stop_accepting(words, why, now); });
}

void TwinEngine::restart(TimeNs now) {
  one_->restart(now);
  mirror([&](std::uint64_t* words) { return encode_restart(words, now); });
}

void TwinEngine::resume(SessionSlot slot, const Logon& logon, TimeNs now) {
  one_->resume(slot, logon, now);
  mirror([&](std::uint64_t* words) { return encode_resume(words, slot, logon, now); });
}

void TwinEngine::forget_session(SessionSlot slot, TimeNs now) {
  one_->forget_session(slot, now);
  mirror([&](std::uint64_t* words) { return encode_forget_session(words, slot, now); });
}

}  // namespace shmatch::reference
