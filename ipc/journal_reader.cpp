#include "ipc/journal_reader.h"

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "ipc/group_scan.h"

namespace shmatch::ipc {
namespace {

// Bytes read at once. A short journal is read in one small piece; a long one soon in large ones.
constexpr std::size_t kWindowBytesMin = std::size_t{1} << 16;
constexpr std::size_t kWindowBytesMax = 2 * std::size_t{kGroupBytesMax};

std::string records_text(core::Sequence first, core::Sequence end) {
  if (first == end) return "no record";
  if (end - first == 1) return "record " + std::to_string(first);
  return "records " + std::to_string(first) + " to " + std::to_string(end - 1);
}

std::string place_text(std::uint64_t offset) { return "at byte " + std::to_string(offset); }

// What lies behind a group that is not whole.
struct Rest {
  std::string seen;  // one clause for the first few groups
  std::uint64_t groups = 0;
  std::uint64_t marked_at = 0;  // the first group that calls the broken one durable; 0: none
  std::uint64_t used_end = 0;
};

FileFault examine_rest(const File& file, std::uint32_t segment_checksum, std::uint64_t broken,
                       Rest& rest) {
  const auto note = [&](const ScannedGroup& group) {
    if (group.offset > broken && group.header.durable_bytes() > broken &&
        group.header.durable_bytes() <= group.offset && rest.marked_at == 0) {
      rest.marked_at = group.offset;
    }
    if (++rest.groups > 1) return;
    rest.seen = (group.whole_records ? "a whole group of " : "the header of a group of ") +
                records_text(group.header.first_sequence, group.header.end_sequence()) + " " +
                place_text(group.offset);
  };
  return scan_groups(file, segment_checksum, broken, note, rest.used_end);
}

}  // namespace

JournalReader::JournalReader(FileLayer& layer, std::string folder, ReadMode mode)
    : folder_(std::move(folder)), mode_(mode), ahead_(layer, folder_, mode == ReadMode::kFollow) {}

FileFault JournalReader::open(core::Sequence from, std::optional<std::uint64_t> chain) {
  SHMATCH_CHECK(!file_ && !fault_);
  if (FileFault fault = ahead_.start(from)) return fault_ = fault;
  if (ahead_.next() == nullptr) {
    next_sequence_ = std::max<core::Sequence>(from, 1);
    chain_after_ = chain.value_or(0);
    return {};
  }
  if (!enter_segment()) return fault_;
  return from == 0 || skip_to(from, chain) ? FileFault{} : fault_;
}

// Stands before `from` afterwards, which may be in the middle of a group.
bool JournalReader::skip_to(core::Sequence from, std::optional<std::uint64_t> chain) {
  while (next_sequence_ < from) {
    if (const JournalNext found = load_group(); found != JournalNext::kGiven) {
      if (found == JournalNext::kFault) return false;
      if (found == JournalNext::kTornEnd) {
        damage(torn_end_.seen + ", and record " + std::to_string(from - 1) + " should follow");
        return false;
      }
      fail(file_fault("the journal ends with record " + std::to_string(last_sequence()) +
                      " at byte " + std::to_string(offset_) + " of " + file_.path() +
                      ", before record " + std::to_string(from - 1)));
      return false;
    }
    while (!left_.empty() && next_sequence_ < from) {
      left_ = left_.subspan(core::input_words(left_.front()));
      ++next_sequence_;
    }
  }
  if (chain && *chain != input_chain()) {
    fail(file_fault("the journal in " + folder_ + " does not lead to record " +
                    std::to_string(from - 1) + " by the inputs that the snapshot of it had"));
    return false;
  }
  return true;
}

std::uint64_t JournalReader::input_chain() const noexcept {
  if (left_.empty()) return chain_after_;
  std::uint64_t chain = chain_before_;
  std::uint32_t count = 0;
  chain_records(group_.records.first(group_.records.size() - left_.size()), chain, count);
  return chain;
}

JournalNext JournalReader::next_group(JournalGroup& group) {
  if (const JournalNext found = load_group(); found != JournalNext::kGiven) return found;
  next_sequence_ = group_.header.end_sequence();
  left_ = {};
  group = group_;
  return JournalNext::kGiven;
}

// Needs that nothing is left of the group before. Then either group_ is the next one and left_ its
// records, or nothing has changed but the reason.
JournalNext JournalReader::load_group() {
  if (fault_) return JournalNext::kFault;
  while (true) {
    Look found = look(false);
    // What was read some time ago may be older than what is in the file by now.
    if (found == Look::kNothing || found == Look::kNotWhole) found = look(true);
    if (found == Look::kFault) return JournalNext::kFault;
    if (found == Look::kWhole) return take_group();
    if (const std::optional<JournalNext> end = at_end()) return *end;
  }
}

JournalNext JournalReader::take_group() {
  offset_ += group_.header.bytes;
  chain_before_ = chain_after_;
  chain_after_ = group_.header.input_chain;
  durable_sequence_ = std::max(durable_sequence_, group_.header.durable_sequence);
  durable_bytes_ = std::max(durable_bytes_, group_.header.durable_bytes());
  files_.back().used_bytes = offset_;
  left_ = group_.records;
  return JournalNext::kGiven;
}

// Judges the group at offset_. `fresh` reads it from the file again.
JournalReader::Look JournalReader::look(bool fresh) {
  if (!file_) return Look::kNothing;
  if (!see(sizeof(GroupHeader), fresh)) return Look::kFault;
  std::span<const std::uint64_t> words = in_window();
  why_ = "zeros are where a group should be";
  const bool at_file_end = offset_ == window_offset_ + window_bytes_;
  if (at_file_end || (!words.empty() && words.front() == 0)) return Look::kNothing;
  why_ = "the group is cut off by the file's end";
  if (words.size() < kGroupHeaderWords) return Look::kNotWhole;
  const GroupHeader header = group_header(words);
  if (!header_whole(header, segment_.header.prefix.checksum)) {
    why_ =
        header.magic == kGroupMagic ? "the group's header fails its checksum" : "this is no group";
    return Look::kNotWhole;
  }
  if (!see(header.bytes, false)) return Look::kFault;
  words = in_window();
  if (words.size() < header.bytes / 8) return Look::kNotWhole;
  return judge(header, words.first(header.bytes / 8));
}

JournalReader::Look JournalReader::judge(const GroupHeader& header,
                                         std::span<const std::uint64_t> group) {
  const auto records = group.subspan(kGroupHeaderWords);
  std::uint64_t chain = chain_after_;
  std::uint32_t count = 0;
  const char* wrong = nullptr;
  if (!records_whole(header, records)) {
    wrong = " fails its checksum";
  } else if (header.first_sequence != next_sequence_) {
    wrong = " does not go on where the one before it ends";
  } else if (!chain_records(records, chain, count) || count != header.record_count) {
    wrong = " does not hold that many records";
  } else if (chain != header.input_chain) {
    wrong = " has another input chain than its records";
  } else if (header.durable_sequence >= header.first_sequence || header.durable_bytes() > offset_ ||
             header.digest.sequence >= header.end_sequence()) {
    wrong = " says something of records behind it";
  }
  if (wrong != nullptr) {
    why_ = "the group of " + records_text(header.first_sequence, header.end_sequence()) + wrong;
    return Look::kNotWhole;
  }
  group_ = {offset_, header, records};
  return Look::kWhole;
}

// Whole words from offset_ to the window's end.
std::span<const std::uint64_t> JournalReader::in_window() const noexcept {
  const std::size_t first = (offset_ - window_offset_) / 8;
  return std::span(window_.get(), window_bytes_ / 8).subspan(first);
}

// Makes `bytes` from offset_ on visible in the window, or as many as the file has.
bool JournalReader::see(std::size_t bytes, bool fresh) {
  if (!fresh && offset_ >= window_offset_ && offset_ + bytes <= window_offset_ + window_bytes_) {
    return true;
  }
  // A second look where nothing was is often repeated, and finds little.
  std::size_t wanted = std::max(bytes, kWindowBytesMin);
  if (!fresh) wanted = std::max(wanted, std::min(2 * window_bytes_, kWindowBytesMax));
  if (!fresh && mode_ == ReadMode::kFollow) {
    if (FileFault fault = ahead_.look()) {
      fail(std::move(fault));
      return false;
    }
  }
  if (wanted > window_room_) {
    window_ = std::make_unique_for_overwrite<std::uint64_t[]>(wanted / 8);
    window_room_ = wanted;
  }
  window_offset_ = offset_;
  window_bytes_ = 0;
  const auto window = std::as_writable_bytes(std::span(window_.get(), wanted / 8));
  if (FileFault fault = file_.read(window, offset_, window_bytes_)) {
    fail(std::move(fault));
    return false;
  }
  return true;
}

// There is no whole group at offset_. Nothing is returned when there is something else to look at.
std::optional<JournalNext> JournalReader::at_end() {
  if (FileFault fault = ahead_.look()) return fail(std::move(fault));
  const bool later = ahead_.next() != nullptr;
  if (!later && (mode_ == ReadMode::kFollow || !file_)) return JournalNext::kEnd;
  if (!later) return judge_rest();
  if (file_) {
    const JournalFile next = *ahead_.next();
    // A live engine may have finished this segment since it was looked at.
    const Look again = look(true);
    if (again == Look::kWhole) return {};
    if (again == Look::kNothing && overtaken(next)) return JournalNext::kEnd;
    if (again == Look::kFault || !segment_ends(again, next)) return JournalNext::kFault;
  }
  return enter_segment() ? std::optional<JournalNext>{} : JournalNext::kFault;
}

// Whether records before `next` are missing because retention removed them before their segment was
// seen.
bool JournalReader::overtaken(const JournalFile& next) const {
  return next.sequence > next_sequence_ && ahead_.overtaken(segment_.name, next.sequence);
}

// Whether the segment rightly ends at offset_, before `next`; a fault is noted if not.
bool JournalReader::segment_ends(Look found, const JournalFile& next) {
  Rest rest;
  if (FileFault fault = examine_rest(file_, segment_.header.prefix.checksum, offset_, rest)) {
    fail(std::move(fault));
  } else if (found == Look::kNotWhole) {
    damage(why_ + ", and a later segment exists");
  } else if (next.sequence > next_sequence_) {
    damage(records_text(next_sequence_, next.sequence) +
           " should follow and are missing: the next segment is " + next.name);
  } else if (rest.used_end > offset_) {
    damage(why_);
  }
  return !fault_;
}

// The last segment's end: clean, torn, or damaged.
JournalNext JournalReader::judge_rest() {
  Rest rest;
  if (FileFault fault = examine_rest(file_, segment_.header.prefix.checksum, offset_, rest)) {
    return fail(std::move(fault));
  }
  if (rest.used_end == offset_) return JournalNext::kEnd;
  if (rest.marked_at != 0) {
    return damage(why_ + ", and the group " + place_text(rest.marked_at) +
                  " says that it was on disk");
  }
  torn_end_.path = file_.path();
  torn_end_.offset = offset_;
  torn_end_.bytes = rest.used_end - offset_;
  torn_end_.seen = why_;
  if (rest.groups > 0) {
    torn_end_.seen += "; there is " + rest.seen;
    if (rest.groups > 1) {
      torn_end_.seen += ", and " + std::to_string(rest.groups - 1) + " more";
    }
  }
  return JournalNext::kTornEnd;
}

// The next segment, which must be there.
bool JournalReader::enter_segment() {
  const bool first = files_.empty();
  const JournalFile file = *ahead_.next();
  File opened;
  JournalSegment segment;
  segment.name = file.name;
  FileFault fault = ahead_.open(opened);
  if (!fault) {
    fault = read_header(opened, "journal segment", kSegmentMagic, kJournalVersion,
                        header_bytes_of(segment.header), segment.configuration);
  }
  const SegmentHeader& header = segment.header;
  const std::string& path = opened.path();
  if (!fault && (header.first_sequence != file.sequence || header.first_sequence == 0)) {
    fault = damage_fault(path, 0,
                         "the header is that of a segment whose first record is " +
                             std::to_string(header.first_sequence));
  }
  if (!fault && !first && header.first_sequence != next_sequence_) {
    fault = damage_fault(
        path, 0,
        "the segment before it already ends with record " + std::to_string(last_sequence()));
  }
  if (!fault && !first && header.input_chain != chain_after_) {
    fault = damage_fault(path, 0,
                         "it does not go on where the segment before it ends: the input "
                         "chains differ");
  }
  file_ = std::move(opened);
  segment_ = std::move(segment);
  offset_ = 0;
  if (fault) {
    fail(std::move(fault));
    return false;
  }
  window_bytes_ = 0;
  offset_ = segment_.header.prefix.header_bytes;
  next_sequence_ = segment_.header.first_sequence;
  chain_after_ = segment_.header.input_chain;
  durable_sequence_ = std::max(durable_sequence_, next_sequence_ - 1);
  durable_bytes_ = offset_;
  files_.push_back({file.name, offset_});
  return true;
}

JournalNext JournalReader::damage(const std::string& what) {
  return fail(damage_fault(file_.path(), offset_, what));
}

JournalNext JournalReader::fail(FileFault fault) {
  fault_ = std::move(fault);
  return JournalNext::kFault;
}

}  // namespace shmatch::ipc
