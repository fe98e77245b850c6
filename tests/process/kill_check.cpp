#include "tests/process/kill_check.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "core/configuration_bytes.h"
#include "core/input_record.h"
#include "core/state_view.h"
#include "ipc/journal_reader.h"
#include "ipc/recovery.h"
#include "ipc/replica.h"
#include "tests/process/process.h"

namespace shmatch::process_test {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFaultsMax = 5;

bool same(const Report& a, const Report& b) {
  const std::size_t words = std::size_t{a.slots()} * core::kSlotWords;
  return a.slots() == b.slots() && std::equal(a.words, a.words + words, b.words);
}

std::string name_of(const Report& report) {
  return "type " + std::to_string(report.type()) + " (" + std::to_string(report.words[1]) + ", " +
         std::to_string(report.words[0] >> 32) + ")";
}

core::Sequence sequence_of(const Report& report) { return report.words[1]; }

// The digests that a journal's segments and groups state, by sequence number.
using Marks = std::map<core::Sequence, std::uint64_t>;

class Judge final : core::ReportSink {
 public:
  Judge(std::vector<SessionStory>& stories, Findings& findings)
      : stories_(stories), findings_(findings), replica_({}) {
    for (SessionStory& story : stories_) by_serial_[story.serial] = {.story = &story};
  }

  void run(const std::string& folder) {
    ipc::PosixFileLayer layer;
    if (!collect_marks(layer, folder)) return;
    ipc::JournalReader reader(layer, folder);
    if (ipc::FileFault fault = reader.open()) return note(fault.text);
    for (ipc::JournalRecord record; reader.next(record) == ipc::JournalNext::kGiven;) {
      if (!apply(reader.segment(), record) || findings_.faults.size() > kFaultsMax) return;
    }
    if (reader.fault()) return note(reader.fault().text);
    findings_.last_sequence = reader.last_sequence();
    if (findings_.last_sequence != 0) findings_.digest = replica_.engine().digest();
    findings_.marks = marks_seen_;
    if (marks_seen_ != marks_.size()) note("a digest mark names no record");
    count_losses();
    check_books();
  }

 private:
  // A session of the journal, and how far its client's story has come out again.
  struct Follower {
    SessionStory* story = nullptr;
    std::size_t heard = 0;
    std::size_t sent = 0;
    bool opened = false;
  };

  void note(std::string fault) { findings_.faults.push_back(std::move(fault)); }

  bool collect_marks(ipc::FileLayer& layer, const std::string& folder) {
    ipc::JournalReader reader(layer, folder);
    if (ipc::FileFault fault = reader.open()) {
      note(fault.text);
      return false;
    }
    std::string segment;
    for (ipc::JournalGroup group; reader.next_group(group) == ipc::JournalNext::kGiven;) {
      mark(group.header.digest);
      if (segment != reader.segment().name) mark(reader.segment().header.digest);
      segment = reader.segment().name;
    }
    return true;
  }

  void mark(const ipc::DigestMark& mark) {
    if (mark.sequence == 0) return;
    const auto [known, fresh] = marks_.emplace(mark.sequence, mark.digest);
    if (!fresh && known->second != mark.digest) {
      note("two digests of input " + std::to_string(mark.sequence));
    }
  }

  bool apply(const ipc::JournalSegment& segment, const ipc::JournalRecord& record) {
    if (segment.header.first_sequence != segment_ && !configure(segment)) return false;
    const std::uint64_t* const words = record.words.data();
    const core::InputKind kind = core::input_kind(words[0]);
    const core::SessionSlot slot = core::input_slot(words[0]);
    now_ = record.sequence;
    if (kind == core::InputKind::kRequest) check_request(slot, words);
    if (const ipc::Fault fault = replica_.apply(record.words)) {
      note("record " + std::to_string(record.sequence) + ": " + fault.text);
      return false;
    }
    if (kind == core::InputKind::kLogon) open(slot);
    if (const auto mark = marks_.find(now_); mark != marks_.end()) {
      ++marks_seen_;
      if (mark->second != replica_.engine().digest()) {
        note("the digest of input " + std::to_string(now_) + " is another one");
      }
    }
    last_time_ = replica_.last_time();
    answer_questions();
    return true;
  }

  bool configure(const ipc::JournalSegment& segment) {
    const bool first = segment_ == 0;
    if (first && segment.header.first_sequence != 1) {
      note("the first records are missing");
      return false;
    }
    segment_ = segment.header.first_sequence;
    core::Configuration configuration;
    std::string fault = core::decode_configuration(
        {reinterpret_cast<const char*>(segment.configuration.data()), segment.configuration.size()},
        configuration);
    if (fault.empty()) {
      fault =
          (first ? replica_.create(configuration) : replica_.change_configuration(configuration))
              .text;
    }
    if (!fault.empty()) {
      note(segment.name + ": " + fault);
      return false;
    }
    replica_.engine().set_port(*this);
    by_slot_.resize(configuration.capacities.sessions);
    return true;
  }

  void open(core::SessionSlot slot) {
    const auto found = by_serial_.find(replica_.engine().session(slot).serial);
    by_slot_[slot] = found != by_serial_.end() ? &found->second : nullptr;
    if (by_slot_[slot] != nullptr) by_slot_[slot]->opened = true;
  }

  // The next SendOrder or CancelOrder that the client of `slot` sent must be this one.
  void check_request(core::SessionSlot slot, const std::uint64_t* words) {
    Follower* const follower = by_slot_[slot];
    if (follower == nullptr) return;
    const auto& sent = follower->story->inputs;
    // A record is the message without its padding, behind the head and the number.
    const auto message =
        std::span(words, core::input_words(*words)).subspan(core::kInputRequestWords);
    const bool same =
        follower->sent < sent.size() &&
        sent[follower->sent].number == core::request_number(words) &&
        std::ranges::equal(message,
                           std::span(sent[follower->sent].request.words).first(message.size()));
    if (!same) {
      note("input " + std::to_string(now_) + " of session " +
           std::to_string(follower->story->serial) + " is not what its client sent next");
    }
    ++follower->sent;
  }

  void deliver(core::SessionSlot to, const Report& report) noexcept override {
    if (report.is<core::OrderAccepted>()) check_new(report.as<core::OrderAccepted>());
    Follower* const follower = by_slot_[to];
    if (follower == nullptr || follower->heard == follower->story->heard.size()) return;
    const SessionStory::Heard& next = follower->story->heard[follower->heard];
    // The connection ended before the rest of this answer came: answers are not sent again.
    if (answered_ != nullptr && next.resumptions != answered_->resumptions) return;
    const Report& heard = next.report;
    ++follower->heard;
    ++findings_.reports;
    if (same(heard, report)) return;
    note("session " + std::to_string(follower->story->serial) + " heard " + name_of(heard) +
         " where the journal leads to " + name_of(report));
  }

  void check_new(const core::OrderAccepted& accepted) {
    if (!orders_.insert(accepted.order_id).second) {
      note("order " + std::to_string(accepted.order_id) + " was accepted twice");
    }
    if (accepted.cl_ord_id != 0 && !client_ids_.insert(accepted.cl_ord_id).second) {
      note("the order that its client calls " + std::to_string(accepted.cl_ord_id) +
           " was accepted twice");
    }
  }

  // What clients asked when the engine stood here, they are answered again.
  void answer_questions() {
    for (core::SessionSlot slot = 0; slot < by_slot_.size(); ++slot) {
      Follower* const follower = by_slot_[slot];
      while (follower != nullptr && follower->heard < follower->story->heard.size()) {
        const SessionStory::Heard& heard = follower->story->heard[follower->heard];
        if (sequence_of(heard.report) != now_ || heard.question == SessionStory::kNone) break;
        if (!answer(slot, *follower, heard)) break;
      }
    }
  }

  bool answer(core::SessionSlot slot, const Follower& follower, const SessionStory::Heard& heard) {
    if (replica_.engine().session(slot).state != core::SessionState::kOpen) {
      note("session " + std::to_string(follower.story->serial) +
           " was answered when it was not open");
      return false;
    }
    // Only refusals carry the time of the answer.
    const core::TimeNs time =
        heard.report.is<core::Receipt>() ? heard.report.as<core::Receipt>().time_ns : last_time_;
    const SessionStory::Sent& question = follower.story->questions[heard.question];
    const std::size_t before = follower.heard;
    answered_ = &heard;
    replica_.engine().request(slot, question.number, question.request, time);
    answered_ = nullptr;
    findings_.answers += follower.heard - before;
    return follower.heard != before;
  }

  // Behind the journal's end there may only be what is lost.
  void count_losses() {
    for (auto& [serial, follower] : by_serial_) {
      auto& heard = follower.story->heard;
      for (std::size_t i = follower.heard; i < heard.size(); ++i) {
        if (sequence_of(heard[i].report) <= findings_.last_sequence) {
          note("session " + std::to_string(serial) + " heard " + name_of(heard[i].report) +
               ", which the journal does not lead to");
          break;
        }
        ++findings_.lost_reports;
        count_lost(heard[i], *follower.story);
      }
      heard.resize(follower.heard);
    }
    findings_.lost_sessions = std::erase_if(stories_, [this](const SessionStory& story) {
      return !by_serial_.at(story.serial).opened;
    });
  }

  void count_lost(const SessionStory::Heard& heard, SessionStory& story) {
    if (heard.question != SessionStory::kNone) return;
    const Report& report = heard.report;
    if (story.lost_from == 0) story.lost_from = sequence_of(report);
    if (core::replied_request(report) == 0) return;
    ++findings_.lost_inputs;
    const core::TimeNs time = report.is<core::OrderAccepted>()
                                  ? report.as<core::OrderAccepted>().time_ns
                                  : report.as<core::Receipt>().time_ns;
    if (last_time_ == 0) last_time_ = time;  // nothing at all was kept
    findings_.lost_time = std::max(findings_.lost_time, time - last_time_);
  }

  // Without the engine's help: what clients were told has ended does not rest.
  void check_books() {
    if (findings_.last_sequence == 0) return;
    const core::StateView view(replica_.engine());
    for (const SessionStory& story : stories_) {
      for (const SessionStory::Heard& heard : story.heard) {
        const Report& report = heard.report;
        if (!report.is<core::OrderChanged>()) continue;
        const auto change = report.as<core::OrderChanged>();
        core::OrderView order;
        if (core::order_state(change.header) != core::OrderState::kWorking &&
            view.find(change.order_id, order) && order.state == core::OrderState::kWorking) {
          note("order " + std::to_string(change.order_id) + " rests, and has ended");
        }
      }
    }
  }

  std::vector<SessionStory>& stories_;
  Findings& findings_;
  ipc::Replica replica_;
  Marks marks_;
  std::uint64_t marks_seen_ = 0;
  std::unordered_map<core::SessionSerial, Follower> by_serial_;
  std::vector<Follower*> by_slot_;
  std::unordered_set<core::OrderId> orders_;
  std::unordered_set<core::ClOrdId> client_ids_;
  core::Sequence segment_ = 0;
  core::Sequence now_ = 0;
  core::TimeNs last_time_ = 0;
  const SessionStory::Heard* answered_ = nullptr;  // first report of the answer that comes again
};

// The journal as it would be had nothing been removed: links to all of its segments.
void link_segments(const std::string& from, const std::string& to) {
  if (!fs::exists(from)) return;
  for (const fs::directory_entry& file : fs::directory_iterator(from)) {
    const fs::path link = fs::path(to) / file.path().filename();
    if (file.path().extension() == ".journal" && !fs::exists(link)) {
      fs::create_hard_link(file, link);
    }
  }
}

// What recovery itself makes of the folder, snapshots included, must be what the whole journal
// leads to.
void check_recovery(const std::string& folder, Findings& findings) {
  ipc::PosixFileLayer layer;
  ipc::JournalReader reader(layer, folder);
  ipc::Replica replica({});
  ipc::RecoveryReport report;
  if (const ipc::Fault fault = ipc::recover(layer, reader, {}, replica, report)) {
    findings.faults.push_back("recovery: " + fault.text);
  } else if (report.last_sequence != findings.last_sequence) {
    findings.faults.push_back("recovery comes to input " + std::to_string(report.last_sequence) +
                              ", the journal to " + std::to_string(findings.last_sequence));
  } else if (report.last_sequence != 0 && replica.engine().digest() != findings.digest) {
    findings.faults.push_back("recovery comes to another state than the whole journal");
  }
}

}  // namespace

Findings judge_journal(const std::string& folder, const std::string& removed,
                       std::vector<SessionStory>& stories) {
  Findings findings;
  const TemporaryFolder whole;
  link_segments(folder, whole.path());
  link_segments(removed, whole.path());
  Judge(stories, findings).run(whole.path());
  if (findings.faults.empty() && fs::exists(folder)) check_recovery(folder, findings);
  return findings;
}

}  // namespace shmatch::process_test
