// `shmatchd --capture`: the log of what clients sent, run again on a fresh engine, is answered as
// the clients were.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/process/engine.h"
#include "tests/process/exec_session.h"
#include "tests/process/frame_stream.h"
#include "tests/process/trading.h"

namespace shmatch::process_test {
namespace {

// What differs from run to run in the API's objects: times. Everything else must be the same.
constexpr std::string_view kTimeFields[] = {
    "ReceiveTime", "ReceiveTimeTicks", "LastUpdatedTime", "LastUpdatedTimeTicks",
    "TradeTimeMS", "TradeTime",        "EnteredTime",
};
// In a row of a level 2 snapshot, which is an array: ActionDateTime.
constexpr std::size_t kL2TimeIndex = 2;

void forget_times(tools::JsonValue& value) {
  for (tools::JsonMember& each : value.members) {
    if (std::ranges::find(kTimeFields, each.key) != std::end(kTimeFields)) {
      each.value = tools::JsonValue{};
    } else {
      forget_times(each.value);
    }
  }
  for (tools::JsonValue& each : value.items) forget_times(each);
}

// A printed line as it can be compared: without times, and without i, which the log numbers anew.
Frame comparable(Frame frame) {
  frame.sequence.clear();
  if (frame.function == "GetL2Snapshot" && frame.payload.kind == tools::JsonValue::Kind::kArray) {
    for (tools::JsonValue& row : frame.payload.items) {
      row.items.at(kL2TimeIndex) = tools::JsonValue{};
    }
  }
  forget_times(frame.payload);
  return frame;
}

std::string first_difference(const std::vector<Frame>& printed,
                             const std::vector<Frame>& expected) {
  for (std::size_t i = 0; i < std::min(printed.size(), expected.size()); ++i) {
    const Frame a = comparable(printed[i]);
    const Frame b = comparable(expected[i]);
    std::string fault = difference(a.payload, b.payload);
    if (a.kind != b.kind || a.function != b.function) fault = "another frame";
    if (!fault.empty()) {
      return "line " + std::to_string(i + 1) + ": " + fault + "\n  " + printed[i].line + "\n  " +
             expected[i].line;
    }
  }
  if (printed.size() == expected.size()) return "";
  return std::to_string(printed.size()) + " lines instead of " + std::to_string(expected.size());
}

std::string content(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// shmatchd with flags beside its configuration file.
std::vector<std::string> flags(const std::string& config, const std::string& capture) {
  return {"--config", config, "--capture", capture};
}

std::vector<Frame> frames_of(const std::string& output) {
  std::vector<Frame> frames;
  for (std::size_t at = 0; at < output.size();) {
    const std::size_t end = output.find('\n', at);
    frames.push_back(parse_frame(output.substr(at, end - at)));
    at = end + 1;
  }
  return frames;
}

TEST(Capture, RunsAgainAndIsAnsweredTheSame) {
  const TemporaryFolder folder;
  const std::string config = folder.add("stream.toml", stream_config().text());
  const std::string log = folder.file("captured.jsonl");
  std::vector<Frame> expected;
  std::size_t orders = 0;
  std::size_t events = 0;
  {
    TestEngine engine(flags(config, log));
    ExecSession exec(engine, "operator");
    FrameStream stream(4711);
    for (int i = 0; i < 3'000; ++i) {
      const Call call = stream.next();
      const ExecSession::Answer answer = exec.call(call.line);
      if (answer.reply.function == "SendOrder" && answer["status"] == "Accepted") {
        stream.accepted(answer.order_id());
        ++orders;
      }
      events += answer.events.size();
      // Without a request, exec itself has refused the line: the engine never saw it. Pings are
      // also what this test fences its calls with.
      if (call.request && call.function != "Ping") {
        expected.insert(expected.end(), answer.earlier.begin(), answer.earlier.end());
        expected.push_back(answer.reply);
        expected.insert(expected.end(), answer.events.begin(), answer.events.end());
      } else {
        EXPECT_TRUE(answer.earlier.empty() && answer.events.empty());
      }
    }
    EXPECT_EQ(exec.close(), 0);
    EXPECT_EQ(engine.stop(), 0);
  }
  EXPECT_GT(orders, 500U);
  EXPECT_GT(events, orders);

  const std::string captured = content(log);
  EXPECT_GT(std::ranges::count(captured, '\n'), 2'000);
  TestEngine fresh(std::vector<std::string>{"--config", config});
  const Outcome again = fresh.run({"--user", "operator", "exec"}, captured);
  EXPECT_EQ(again.status, 0) << again.errors;
  std::vector<Frame> printed = frames_of(again.output);
  std::erase_if(printed, [](const Frame& frame) { return frame.function == "Ping"; });
  EXPECT_EQ(first_difference(printed, expected), "");
}

TEST(Capture, HoldsWhatLibraryClientsSendAndNotWhatTheyDoForThemselves) {
  const TemporaryFolder folder;
  const std::string config = folder.add("engine.toml", usual_config().text());
  const std::string log = folder.file("captured.jsonl");
  TestEngine engine(flags(config, log));
  {
    Client alice = logged_on(engine.options("alice"));
    // More than a page: the library asks for the further ones by itself.
    for (int i = 0; i < 200; ++i) place(alice, limit_order(1, core::Side::kBuy, 1, 1 + i));
    std::vector<core::OpenOrderRow> rows;
    core::Receipt refused;
    ASSERT_FALSE(alice.open_orders(1, 1, rows, refused, kPatience));
    ASSERT_EQ(rows.size(), 200U);
  }
  EXPECT_EQ(engine.stop(), 0);
  std::size_t entered = 0;
  std::size_t asked = 0;
  std::uint64_t number = 0;
  std::string last_time;
  for (const Frame& frame : frames_of(content(log))) {
    EXPECT_EQ(frame.kind, "0");
    EXPECT_EQ(frame.sequence, std::to_string(++number));
    const tools::JsonValue whole = json(frame.line);
    EXPECT_EQ(member(whole, "u"), "alice");
    EXPECT_GE(member(whole, "t"), last_time);
    last_time = member(whole, "t");
    if (frame.function == "SendOrder") ++entered;
    if (frame.function == "GetOpenOrders") ++asked;
  }
  EXPECT_EQ(entered, 200U);
  EXPECT_EQ(asked, 1U);
}

TEST(Capture, AFileThatCannotBeWrittenIsSaidAtTheStart) {
  const TemporaryFolder folder;
  const Outcome outcome =
      finish(Process::execute({shmatchd_program(), "--socket", folder.file("engine.sock"),
                               "--capture", folder.file("missing") + "/captured.jsonl"}));
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.errors.find("captured.jsonl"), std::string::npos) << outcome.errors;
  EXPECT_EQ(outcome.output, "");
}

}  // namespace
}  // namespace shmatch::process_test
