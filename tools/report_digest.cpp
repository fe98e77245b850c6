#include "tools/report_digest.h"

#if defined(__x86_64__)
// Chooses the widest vectors that the processor has.
#include <xxh_x86dispatch.h>
#else
#include <xxhash.h>
#endif

#include <new>

namespace shmatch::tools {

void ReportDigest::Free::operator()(XXH3_state_s* state) const noexcept { XXH3_freeState(state); }

ReportDigest::ReportDigest() : state_(XXH3_createState()) {
  if (state_ == nullptr) throw std::bad_alloc();
  XXH3_64bits_reset(state_.get());
}

std::uint64_t ReportDigest::value() noexcept {
  flush();
  return XXH3_64bits_digest(state_.get());
}

void ReportDigest::flush() noexcept {
  const auto words = static_cast<std::size_t>(room_ - gathered_) - 1;
  XXH3_64bits_update(state_.get(), gathered_, words * sizeof gathered_[0]);
  room_ = gathered_ + 1;
}

}  // namespace shmatch::tools
