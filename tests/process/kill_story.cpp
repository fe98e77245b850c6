#include "tests/process/kill_story.h"

#include <algorithm>
#include <utility>

#include "core/input_record.h"

namespace shmatch::process_test {
namespace {

void note_request(const Ledger::Entry& entry, SessionStory& story) {
  SessionStory::Sent sent;
  sent.number = entry.number;
  std::ranges::copy(entry.words, sent.request.words);
  (core::is_input(sent.request) ? story.inputs : story.questions).push_back(sent);
}

void note_report(const Ledger::Entry& entry, SessionStory& story) {
  SessionStory::Heard& heard = story.heard.emplace_back();
  std::ranges::copy(entry.words, heard.report.words);
  heard.resumptions = story.resumptions;
  const RequestId number = core::replied_request(heard.report);
  // Numbers of questions are used again by the next connection.
  const auto first = story.questions.begin() + static_cast<std::ptrdiff_t>(story.connection);
  const auto asked = std::lower_bound(
      first, story.questions.end(), number,
      [](const SessionStory::Sent& sent, RequestId wanted) { return sent.number < wanted; });
  if (number != 0 && asked != story.questions.end() && asked->number == number) {
    heard.question = static_cast<std::size_t>(asked - story.questions.begin());
  }
}

// The engine has said that the session goes on behind the request `last`.
void go_on(RequestId last, core::Sequence lost_from, SessionStory& story,
           std::vector<std::string>& faults) {
  std::erase_if(story.inputs,
                [last](const SessionStory::Sent& sent) { return sent.number > last; });
  ++story.resumptions;
  story.connection = story.questions.size();
  if (const core::Sequence lost = std::exchange(story.lost_from, 0);
      lost != 0 && (lost_from == 0 || lost_from > lost)) {
    faults.push_back("session " + std::to_string(story.serial) + " was told that inputs from " +
                     std::to_string(lost_from) + " on are lost, and has lost them from " +
                     std::to_string(lost) + " on");
  }
}

}  // namespace

void read_ledger(const Ledger& ledger, LedgerPlace& place, std::vector<SessionStory>& stories,
                 std::vector<std::string>& faults) {
  auto story = std::ranges::find(stories, place.serial, &SessionStory::serial);
  for (Ledger::Entry entry; ledger.read(place.at, entry);) {
    if (entry.kind == Ledger::Kind::kSession) {
      place.serial = static_cast<core::SessionSerial>(entry.number);
      story = std::ranges::find(stories, place.serial, &SessionStory::serial);
      const bool goes_on = entry.words.size() > 2;
      if (story != stories.end() && goes_on) {
        go_on(entry.words[2], entry.words[3], *story, faults);
      } else if (story != stories.end()) {
        faults.push_back("session " + std::to_string(place.serial) + " began a second time");
      } else {
        // It may go on nevertheless: a client may have given up before it heard of its first logon.
        story = stories.insert(stories.end(), SessionStory{});
        story->serial = place.serial;
      }
    } else if (story == stories.end()) {
      faults.push_back("a client goes on with the session " + std::to_string(place.serial) +
                       ", which is lost");
      return;
    } else if (entry.kind == Ledger::Kind::kRequest) {
      note_request(entry, *story);
    } else {
      note_report(entry, *story);
    }
  }
}

}  // namespace shmatch::process_test
