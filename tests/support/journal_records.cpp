#include "tests/support/journal_records.h"

#include <algorithm>
#include <array>

#include "core/input_record.h"
#include "tests/unit/random.h"

namespace shmatch::tests {
namespace {

constexpr core::TimeNs kTime = 1'700'000'000'000'000'000;

}  // namespace

Words record_of(core::Sequence sequence) {
  Random random(sequence);
  constexpr std::uint64_t kKinds = core::kInputRecordWordsMax - core::kInputHeaderWords + 1;
  const auto words = static_cast<std::uint32_t>(core::kInputHeaderWords + random.below(kKinds));
  Words record(words);
  std::ranges::generate(record, [&] { return random.next(); });
  record[0] = core::input_first_word(core::InputKind::kRequest, words,
                                     static_cast<core::SessionSlot>(random.below(256)));
  record[1] = static_cast<std::uint64_t>(kTime) + sequence;
  return record;
}

Words records_of(core::Sequence first, core::Sequence last) {
  Words words;
  for (core::Sequence sequence = first; sequence <= last; ++sequence) {
    const Words record = record_of(sequence);
    words.insert(words.end(), record.begin(), record.end());
  }
  return words;
}

std::uint64_t chain_after(core::Sequence last) {
  std::uint64_t chain = 0;
  std::uint32_t count = 0;
  ipc::chain_records(records_of(1, last), chain, count);
  return chain;
}

std::span<const std::byte> some_configuration() {
  static constexpr std::array<std::byte, 100> kBytes = [] {
    std::array<std::byte, 100> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i + 1);
    return bytes;
  }();
  return kBytes;
}

ipc::FileFault append_up_to(ipc::JournalWriter& writer, core::Sequence last) {
  const core::Sequence first = writer.last_sequence() + 1;
  return writer.append(records_of(first, last), first);
}

ipc::FileFault open_after(ipc::JournalWriter& writer, core::Sequence last) {
  ipc::SegmentStart start;
  start.first_sequence = last + 1;
  start.input_chain = chain_after(last);
  start.configuration = some_configuration();
  start.build_digest = 77;
  start.created = kTime;
  return writer.open(start);
}

ReadBack read_back(ipc::FileLayer& files, const std::string& folder, ipc::ReadMode mode) {
  ReadBack result;
  ipc::JournalReader reader(files, folder, mode);
  ipc::JournalGroup group;
  if (reader.open()) {
    result.end = ipc::JournalNext::kFault;
  } else {
    result.last = reader.last_sequence();
    while ((result.end = reader.next_group(group)) == ipc::JournalNext::kGiven) {
      result.marks += static_cast<std::uint64_t>(group.header.record_count == 0);
      core::Sequence sequence = group.header.first_sequence;
      for (auto left = group.records; !left.empty(); ++sequence) {
        const auto record = left.first(core::input_words(left.front()));
        result.right = result.right && std::ranges::equal(record, record_of(sequence)) &&
                       sequence == result.last + 1;
        result.last = sequence;
        left = left.subspan(record.size());
      }
    }
  }
  result.durable = reader.durable_sequence();
  result.files = reader.files();
  result.torn = reader.torn_end();
  result.fault = reader.fault().text;
  return result;
}

}  // namespace shmatch::tests
