#include "tools/shrink_attempt.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "ipc/file_descriptor.h"
#include "tools/json.h"

namespace shmatch::tools {

namespace {

// Named by cancels whose order is not in the smaller log; the engine never gives it out.
constexpr core::OrderId kNoSuchOrder = core::kOrderIdEnd - 1;
constexpr std::size_t kReasonMax = 400;

const JsonValue* member(const JsonValue& object, std::string_view key) {
  for (const JsonMember& entry : object.members) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

// Numbers in sentences are sequence numbers and ids, which a smaller log changes.
std::string without_numbers(std::string text) {
  std::string out;
  for (const char c : text) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit) {
      out += c;
    } else if (out.empty() || out.back() != '#') {
      out += '#';
    }
  }
  return out;
}

void write_all(int handle, const void* bytes, std::size_t size) {
  const auto* next = static_cast<const char*>(bytes);
  while (size > 0) {
    const ssize_t written = ::write(handle, next, size);
    if (written <= 0) return;
    next += written;
    size -= static_cast<std::size_t>(written);
  }
}

std::string read_all(int handle) {
  std::string text;
  char part[4096];
  for (;;) {
    const ssize_t size = ::read(handle, part, sizeof part);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return text;
    text.append(part, static_cast<std::size_t>(size));
  }
}

struct Result {
  Verdict::Kind kind;
  std::size_t record;
  char text[kReasonMax];
};

}  // namespace

std::string value_at(std::string_view line, std::string_view path) {
  JsonValue root;
  std::string fault;
  if (!parse_json(line, root, fault)) return {};
  const JsonValue* value = &root;
  while (value != nullptr && !path.empty()) {
    const std::size_t dot = path.find('.');
    value = member(*value, path.substr(0, dot));
    path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
  }
  if (value == nullptr) return {};
  if (value->kind == JsonValue::Kind::kBool) return value->boolean ? "true" : "false";
  if (value->kind == JsonValue::Kind::kNull) return "null";
  return value->text;
}

ReportSign sign_of(std::string_view line) {
  ReportSign sign;
  sign.user = value_at(line, "user");
  sign.name = value_at(line, "n");
  sign.request = value_at(line, "i");
  const std::string id = value_at(line, "o.OrderId");
  if (!id.empty()) sign.order_id = std::strtoll(id.c_str(), nullptr, 10);
  return sign;
}

AttemptRunner::AttemptRunner(const LoadedLog& log) : log_(log) {}

AttemptRunner::~AttemptRunner() {
  if (notes_ != nullptr) ::munmap(notes_, memory_size_);
}

ipc::Fault AttemptRunner::prepare() {
  memory_size_ = (log_.size() + 1) * sizeof(Note);
  void* const memory =
      ::mmap(nullptr, memory_size_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return ipc::system_fault("not enough memory", errno);
  notes_ = static_cast<Note*>(memory);
  return {};
}

ipc::Fault AttemptRunner::run(const std::vector<std::size_t>& kept, const ReportSign* sign,
                              BadRecords bad_records, Verdict& verdict) {
  std::memset(static_cast<void*>(notes_), 0, memory_size_);
  int handles[2];
  if (::pipe2(handles, O_CLOEXEC) != 0) return ipc::system_fault("cannot make a pipe", errno);
  ipc::FileDescriptor output(handles[0]);
  ipc::FileDescriptor input(handles[1]);
  // What the attempt says on standard error before it dies; a pipe could fill up.
  const ipc::FileDescriptor last_words(::memfd_create("last words", MFD_CLOEXEC));
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child < 0) return ipc::system_fault("cannot start a process", errno);
  if (child == 0) {
    ::dup2(last_words.get(), STDERR_FILENO);
    const Verdict own = attempt(kept, sign, bad_records);
    Result result{own.kind, own.record, {}};
    std::strncpy(result.text, own.text.c_str(), sizeof result.text - 1);
    write_all(input.get(), &result, sizeof result);
    ::_exit(0);
  }
  input.reset();
  const std::string bytes = read_all(output.get());
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (bytes.size() == sizeof(Result)) {
    Result result;
    std::memcpy(&result, bytes.data(), sizeof result);
    verdict = {result.kind, result.record, result.text};
    return {};
  }
  ::lseek(last_words.get(), 0, SEEK_SET);
  std::string words = read_all(last_words.get());
  words.resize(std::min(words.find('\n'), std::min(words.size(), kReasonMax)));
  const std::string how = WIFSIGNALED(status)
                              ? "signal " + std::to_string(WTERMSIG(status))
                              : "exit status " + std::to_string(WEXITSTATUS(status));
  verdict = {Verdict::Kind::kCrash, notes_[log_.size()].applied,
             words.empty() ? how : how + ": " + words};
  return {};
}

Verdict AttemptRunner::attempt(const std::vector<std::size_t>& kept, const ReportSign* sign,
                               BadRecords bad_records) {
  WholeReports reports;
  if (ipc::Fault fault = reports.start(log_.configuration)) {
    return {Verdict::Kind::kBadRecord, 0, fault.text};
  }
  core::Sequence sequence = 0;
  for (const std::size_t place : kept) {
    notes_[log_.size()].applied = place;
    const auto change = log_.changes.find(place);
    const char* reason = nullptr;
    std::string conflict;
    if (change != log_.changes.end()) {
      conflict = reports.reconfigure(change->second).text;
      if (!conflict.empty()) return {Verdict::Kind::kBadRecord, place, conflict};
    }
    const std::vector<std::uint64_t> words = record_as_applied(place);
    reason = reports.apply({sequence + 1, words});
    if (reason != nullptr) {
      const bool counts = bad_records == BadRecords::kFailure ||
                          (bad_records == BadRecords::kFailureAtEnd && place == kept.back());
      if (counts) return {Verdict::Kind::kBadRecord, place, reason};
      continue;
    }
    ++sequence;
    notes_[place].applied = 1;
    for (std::size_t i = 0; i < reports.size(); ++i) {
      if (reports.report(i).is<core::OrderAccepted>()) {
        notes_[place].order_id = reports.report(i).as<core::OrderAccepted>().order_id;
      }
    }
    if (sign != nullptr && place == sign->record) {
      if (shown(*sign, reports) == sign->wanted) return {Verdict::Kind::kSign, place, {}};
      return {};
    }
  }
  return {};
}

bool AttemptRunner::shown(const ReportSign& sign, const WholeReports& reports) const {
  for (std::size_t i = 0; i < reports.size(); ++i) {
    const std::string line = reports.line(i);
    const ReportSign other = sign_of(line);
    if (other.user != sign.user || other.name != sign.name || other.request != sign.request) {
      continue;
    }
    if (sign.order_id != 0 && other.order_id != id_here(sign.order_id)) continue;
    const bool all = std::all_of(sign.values.begin(), sign.values.end(), [&](const auto& value) {
      return without_numbers(value_at(line, value.first)) == without_numbers(value.second) &&
             (value.first == "o.detail" || value_at(line, value.first) == value.second);
    });
    if (all) return true;
  }
  return false;
}

core::OrderId AttemptRunner::id_here(core::OrderId order_id) const {
  const auto entered = entered_at_.find(order_id);
  if (entered == entered_at_.end()) return order_id;
  const core::OrderId here = notes_[entered->second].order_id;
  return here != 0 ? here : kNoSuchOrder;
}

std::vector<std::uint64_t> AttemptRunner::record_as_applied(std::size_t place) const {
  const std::span<const std::uint64_t> record = log_.record(place);
  std::vector<std::uint64_t> words(record.begin(), record.end());
  if (core::input_kind(words[0]) != core::InputKind::kRequest) return words;
  const core::Request request = core::decode_request(words.data());
  if (!request.is<core::CancelOrder>()) return words;
  auto cancel = request.as<core::CancelOrder>();
  if (cancel.order_id <= 0) return words;
  cancel.order_id = id_here(cancel.order_id);
  core::Request translated;
  translated.assign(cancel);
  words.resize(core::kInputRecordWordsMax);
  words.resize(core::encode_request(words.data(), core::input_slot(record[0]),
                                    core::request_number(record.data()), translated,
                                    static_cast<core::TimeNs>(record[1])));
  return words;
}

void AttemptRunner::learn_order_ids() {
  for (std::size_t place = 0; place < log_.size(); ++place) {
    if (notes_[place].order_id != 0) entered_at_.emplace(notes_[place].order_id, place);
  }
}

}  // namespace shmatch::tools
