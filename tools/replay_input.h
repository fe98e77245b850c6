// What a replay applies: consecutive input records, in batches, from a captured log or from an
// engine's own journal.
//
// Thread: one. Ownership: a stream owns what it reads from; a batch is valid until the next call.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/configuration.h"
#include "core/input_record.h"
#include "core/state_export.h"
#include "ipc/fault.h"
#include "ipc/journal_format.h"
#include "tools/request_source.h"

namespace shmatch::tools {

// One input record and its place in the total order.
struct InputRecord {
  core::Sequence sequence = 0;
  std::span<const std::uint64_t> words;

  core::InputKind kind() const noexcept { return core::input_kind(words[0]); }
  core::SessionSlot slot() const noexcept { return core::input_slot(words[0]); }
  core::TimeNs time() const noexcept { return static_cast<core::TimeNs>(words[1]); }
};

struct InputBatch {
  core::Sequence first_sequence = 0;  // of the first record; the others follow without a gap
  std::uint32_t record_count = 0;     // may be 0: then only the marks count
  std::span<const std::uint64_t> words;
  // Of so many records, the first ones, it is known that they have no fault of form.
  std::uint32_t well_formed = 0;
  // Not null where the configuration changes: it holds from this batch's first record on.
  const core::Configuration* configuration = nullptr;
  // Ascending; for states after one of this batch's records, or before the first.
  std::span<const ipc::DigestMark> marks;
};

class InputStream {
 public:
  enum class Next : std::uint8_t {
    kBatch,
    kEnd,
    kFault,  // the log cannot be read further; fault() says why
  };

  virtual ~InputStream() = default;

  virtual Next next(InputBatch& batch) = 0;
  virtual const ipc::Fault& fault() const = 0;

  // What the engine has to be built with before the first batch.
  virtual const core::Configuration& configuration() const = 0;

  // The state that the engine has to be given before the first batch; null: none, it starts empty.
  // To be read once.
  virtual core::WordSource* initial_state() { return nullptr; }

  // 0 to 1.
  virtual double progress() const = 0;

  // Records that only prepare the replay and are none of the log's: the logons of a captured log's
  // users. They come first.
  virtual std::uint64_t preparing_records() const { return 0; }

 protected:
  InputStream() = default;
  InputStream(const InputStream&) = default;
  InputStream& operator=(const InputStream&) = default;
};

inline constexpr std::uint32_t kRequestsPerBatch = 512;

// The requests of a captured log as input records. Every user of the configuration is logged on
// before the first request, each in the slot of its place in the list. Times never go back: a
// request older than the one before it gets that one's time.
class SourceInput final : public InputStream {
 public:
  // `source` must outlive the stream. No batch has more requests than `per_batch`, at least 1.
  explicit SourceInput(RequestSource& source, std::uint32_t per_batch = kRequestsPerBatch);

  Next next(InputBatch& batch) override;
  const ipc::Fault& fault() const override { return source_.fault(); }
  const core::Configuration& configuration() const override { return configuration_; }
  double progress() const override { return source_.progress(); }
  std::uint64_t preparing_records() const override { return configuration_.users.size(); }

 private:
  void log_everybody_on(core::TimeNs now);
  void add(const SourcedRequest& request);
  core::SessionSlot slot_of(std::string_view user);

  RequestSource& source_;
  std::uint32_t per_batch_;
  core::Configuration configuration_;  // the source's, with a session for each user
  std::unordered_map<std::string_view, core::SessionSlot> slots_;
  std::vector<core::Sequence> requests_sent_;  // by slot
  // The user of the last request and its slot: logs are often one user's for long.
  std::string_view last_user_;
  core::SessionSlot last_slot_ = 0;
  bool logged_on_ = false;
  core::TimeNs now_ = 0;
  core::Sequence sequence_ = 0;  // of the last record handed out
  std::vector<std::uint64_t> words_;
  std::uint32_t count_ = 0;
};

}  // namespace shmatch::tools
