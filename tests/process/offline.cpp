#include "tests/process/offline.h"

#include <stdexcept>

#include "tests/process/exec_session.h"
#include "tools/json.h"

namespace shmatch::process_test {

Outcome shmatch(const std::vector<std::string>& arguments) {
  std::vector<std::string> command = {shmatch_program()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return finish(Process::execute(command));
}

std::string json_member(std::string_view output, std::string_view path) {
  tools::JsonValue value;
  std::string fault;
  if (!tools::parse_json(output, value, fault)) {
    throw std::runtime_error("not JSON: " + std::string(output));
  }
  for (;;) {
    const std::size_t dot = path.find('.');
    if (dot == std::string_view::npos) return member(value, path);
    const std::string_view key = path.substr(0, dot);
    path.remove_prefix(dot + 1);
    tools::JsonValue inner;
    for (const tools::JsonMember& entry : value.members) {
      if (entry.key == key) inner = entry.value;
    }
    value = inner;
  }
}

std::string request_log(int count, int& requests) {
  std::string log;
  requests = 0;
  const auto add = [&](std::string_view user, std::string_view function,
                       const std::string& payload) {
    log += R"({"m":0,"i":)" + std::to_string(++requests) + R"(,"n":")";
    log += function;
    log += R"(","o":{"OMSId":1,)" + payload + R"(},"t":)";
    log += std::to_string(1'700'000'000'000'000'000 + requests * 1'000'000LL) + R"(,"u":")";
    log += user;
    log += "\"}\n";
  };
  const auto order = [&](std::string_view user, int account, char side, int price) {
    add(user, "SendOrder",
        R"("AccountId":)" + std::to_string(account) + R"(,"InstrumentId":3,"Side":)" +
            (side == 'B' ? "0" : "1") + R"(,"OrderType":2,"Quantity":5,"ClientOrderId":)" +
            std::to_string(requests + 1) + R"(,"LimitPrice":)" + std::to_string(price));
  };
  for (int i = 0; i < count; ++i) {
    order(i % 2 == 0 ? "trader1" : "trader2", 1 + i % 2, 'B', 100 - i % 7);
    if (i % 3 != 2) continue;
    add(i % 2 == 0 ? "trader1" : "trader2", "CancelOrder",
        R"("AccountId":)" + std::to_string(1 + i % 2) + R"(,"ClOrderId":)" +
            std::to_string(requests));
  }
  order("trader2", 2, 'S', 100);
  return log;
}

std::string write_journal(const std::string& folder, std::string_view frames,
                          const std::vector<std::string>& more_flags) {
  std::vector<std::string> flags = {"--journal", folder};
  flags.insert(flags.end(), more_flags.begin(), more_flags.end());
  TestEngine engine(flags);
  const Outcome outcome = engine.run({"exec"}, frames);
  if (outcome.status != 0 || engine.stop() != 0) {
    throw std::runtime_error("no journal was written: " + outcome.errors);
  }
  return outcome.output;
}

}  // namespace shmatch::process_test
