#include "ipc/capture.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace shmatch::ipc {
namespace {

constexpr std::size_t kQueueWords = 1U << 20;
constexpr std::chrono::milliseconds kLook{1};
constexpr std::uint32_t kHeadWords = 3;  // as a request's record, with the user where its number is

}  // namespace

Capture::Capture(Tell tell) : tell_(std::move(tell)), queue_(kQueueWords) {}

void Capture::start() {
  thread_ = std::thread([this] {
    ::pthread_setname_np(::pthread_self(), "shmatch-capture");
    run();
  });
}

void Capture::stop() {
  stopping_.store(true, std::memory_order_release);
  if (thread_.joinable()) thread_.join();
}

void Capture::take(core::UserId user, const core::Request& request, core::TimeNs time) noexcept {
  std::uint64_t* const words = queue_.place();
  const std::uint32_t count = request.slots() * core::kSlotWords;
  words[0] = core::input_first_word(core::InputKind::kRequest, kHeadWords + count, 0);
  words[1] = static_cast<std::uint64_t>(time);
  words[2] = static_cast<std::uint64_t>(user);
  std::copy_n(request.words, count, words + kHeadWords);
  queue_.put(kHeadWords + count);
  queue_.publish();
}

void Capture::run() {
  while (true) {
    const bool stopping = stopping_.load(std::memory_order_acquire);
    const bool told = tell_waiting();
    if (told) continue;
    tell_(nullptr);
    if (stopping) return;
    std::this_thread::sleep_for(kLook);
  }
}

bool Capture::tell_waiting() {
  const std::span<const std::uint64_t> waiting = queue_.take();
  CapturedRequest captured;
  for (std::size_t at = 0; at < waiting.size();) {
    const std::uint32_t words = core::input_words(waiting[at]);
    captured.time = static_cast<core::TimeNs>(waiting[at + 1]);
    captured.user_id = static_cast<core::UserId>(waiting[at + 2]);
    std::copy_n(waiting.begin() + static_cast<std::ptrdiff_t>(at) + kHeadWords, words - kHeadWords,
                captured.request.words);
    tell_(&captured);
    at += words;
  }
  if (!waiting.empty()) queue_.give_back(waiting.size());
  return !waiting.empty();
}

}  // namespace shmatch::ipc
