#include "tools/capture_log.h"

#include <cerrno>
#include <cstring>

#include "tools/request_text.h"

namespace shmatch::tools {
namespace {

bool is_the_clients_own(const core::Request& request) {
  if (request.is<core::Ping>()) return request.as<core::Ping>().fence != 0;
  if (request.is<core::OpenOrdersQuery>()) {
    return request.as<core::OpenOrdersQuery>().continuation != 0;
  }
  return request.is<core::L2Query>() && request.as<core::L2Query>().continuation != 0;
}

}  // namespace

ipc::Fault CaptureLog::open(const std::string& path) {
  path_ = path;
  file_.reset(std::fopen(path.c_str(), "we"));
  return file_ ? ipc::Fault{} : ipc::system_fault("cannot write the capture " + path, errno);
}

void CaptureLog::write(const ipc::CapturedRequest* captured) {
  if (!file_) return;
  if (captured == nullptr) return check(std::fflush(file_.get()) == 0);
  if (is_the_clients_own(captured->request)) return;
  const std::string line = request_frame(captured->request, reference_, ++number_, captured->time,
                                         reference_.user_name(captured->user_id)) +
                           '\n';
  check(std::fwrite(line.data(), 1, line.size(), file_.get()) == line.size());
}

void CaptureLog::check(bool done) {
  if (done) return;
  std::fprintf(stderr, "shmatchd: the capture %s ends here: %s\n", path_.c_str(),
               std::strerror(errno));
  file_.reset();
}

}  // namespace shmatch::tools
