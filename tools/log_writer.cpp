#include "tools/log_writer.h"

#include <algorithm>

#include "core/configuration_bytes.h"
#include "ipc/journal_folder.h"
#include "ipc/journal_writer.h"
#include "tools/record_text.h"
#include "tools/replay_output.h"
#include "tools/request_text.h"

namespace shmatch::tools {

namespace {

// Splits a log into the groups of one configuration each.
class JournalFiles {
 public:
  JournalFiles(const LoadedLog& log, ipc::FileLayer& layer, const std::string& folder)
      : log_(log), writer_(layer, folder) {}

  ipc::Fault write() {
    std::size_t place = 0;
    do {
      const auto next = log_.changes.upper_bound(place);
      const std::size_t end = next == log_.changes.end() ? log_.size() : next->first;
      const auto here = log_.changes.find(place);
      const core::Configuration& configuration =
          here == log_.changes.end() ? log_.configuration : here->second;
      if (ipc::Fault fault = write_segment(configuration, place, end)) return fault;
      place = end;
    } while (place < log_.size());
    return {};
  }

 private:
  core::Sequence sequence_of(std::size_t place) const noexcept { return place + 1; }

  ipc::Fault write_segment(const core::Configuration& configuration, std::size_t place,
                           std::size_t end) {
    const std::string bytes = core::encode_configuration(configuration);
    ipc::SegmentStart start;
    start.first_sequence = sequence_of(place);
    start.input_chain = writer_.input_chain();
    start.created = place < end ? static_cast<core::TimeNs>(log_.record(place)[1]) : 0;
    start.configuration = std::as_bytes(std::span(bytes));
    if (ipc::FileFault fault = writer_.open(start)) return fault;
    while (place < end) {
      const std::size_t stop = group_end(place, end);
      const std::span<const std::uint64_t> records(log_.words.data() + log_.offsets[place],
                                                   log_.offsets[stop] - log_.offsets[place]);
      if (ipc::FileFault fault = writer_.append(records, sequence_of(place), mark_up_to(stop))) {
        return fault;
      }
      place = stop;
    }
    return writer_.close();
  }

  // A group ends where a digest mark belongs, or where it is full.
  std::size_t group_end(std::size_t place, std::size_t end) const {
    std::size_t stop = place + 1;
    while (stop < end && stop - place < kRecordsPerGroup && mark_up_to(stop).sequence != stop) {
      ++stop;
    }
    return stop;
  }

  ipc::DigestMark mark_up_to(std::size_t stop) const {
    const auto mark = std::lower_bound(
        log_.marks.begin(), log_.marks.end(), stop,
        [](const ipc::DigestMark& a, std::size_t sequence) { return a.sequence < sequence; });
    return mark != log_.marks.end() && mark->sequence == stop ? *mark : ipc::DigestMark{};
  }

  static constexpr std::size_t kRecordsPerGroup = 1024;

  const LoadedLog& log_;
  ipc::JournalWriter writer_;
};

}  // namespace

ipc::Fault write_journal(const LoadedLog& log, const std::string& folder) {
  ipc::PosixFileLayer layer;
  ipc::JournalFolder owner(layer);
  if (ipc::FileFault fault = owner.take(folder)) return fault;
  ipc::JournalListing listing;
  if (ipc::FileFault fault = ipc::list_journal(layer, folder, listing)) return fault;
  if (!listing.segments.empty()) return {folder + " holds a journal already"};
  return JournalFiles(log, layer, folder).write();
}

ipc::Fault write_frames(const LoadedLog& log, const std::string& path) {
  const ReferenceData reference(log.configuration);
  LineFile file;
  if (ipc::Fault fault = file.open(path)) return fault;
  RecordText text(log.configuration);
  std::uint64_t number = 0;
  for (std::size_t place = 0; place < log.size(); ++place) {
    const InputRecord record{place + 1, log.record(place)};
    text.see(record);
    if (record.kind() != core::InputKind::kRequest) continue;
    file.take(request_frame(core::decode_request(record.words.data()), reference, ++number,
                            record.time(), text.user_name(record.slot())));
  }
  return file.close();
}

}  // namespace shmatch::tools
