// FIX logs: the same session in every dialect, and what each message becomes.
#include <algorithm>
#include <functional>

#include "tests/unit/source_harness.h"
#include "tools/fix_message.h"

namespace shmatch::tests {
namespace {

constexpr char kSoh = '\x01';

// What the session of the fixtures asks for, whatever the dialect; positions are line numbers.
std::vector<std::string> expected_requests() {
  return {
      "2 1730799001250000000 TRADER1 send 1/4000000000000000001 1 Buy 100 @ 142.5 Limit GTC",
      "4 1730799002000000000 TRADER1 send 2/1001 1 Sell 50 @ 142.505 Limit GTC",
      "5 1730799003000000000 TRADER1 cancel 1/4000000000000000001",
      "5 1730799003000000000 TRADER1 send 1/4000000000000000002 1 Buy 80 @ 142.45 Limit GTC",
      "7 1730799004000000000 TRADER1 cancel 2/1001",
      "8 1730799004500000000 TRADER1 cancel 1/4000000000000000002",
      "9 1730799005000000000 TRADER1 cancel 1/4000000000000000003",
      "11 1730799006000000000 TRADER2 send 3/1001 2 Sell 0.5 @ 23 Limit FOK",
      "13 1730799008000000000 TRADER2 send 3/1002 2 Short 2 @ - Market IOC",
  };
}

Counts expected_skipped() {
  return {{"35=0 Heartbeat", 1}, {"35=8 ExecutionReport", 2},    {"35=9 OrderCancelReject", 1},
          {"35=A Logon", 1},     {"35=H OrderStatusRequest", 1}, {"possible duplicate (43=Y)", 1}};
}

std::string session() { return bytes_of(fixture("fix44_soh.log")); }

// The lines of `text`, each changed.
std::string each_line(const std::string& text,
                      const std::function<std::string(std::string)>& change) {
  std::string changed;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    changed += change(text.substr(at, end - at));
    at = end + 1;
  }
  return changed;
}

std::string message_of(const std::string& line) { return line.substr(line.find("8=FIX")); }

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at)) {
    text.replace(at, what.size(), with);
    at += with.size();
  }
  return text;
}

std::string soh(const std::string& text) { return replaced(text, "|", std::string(1, kSoh)); }

TEST(SourceFix, ASessionBecomesItsRequests) {
  const ReadLog log = read_log(fixture("fix44_soh.log"));
  expect_sound(log);
  EXPECT_EQ(log.requests, expected_requests());
  EXPECT_EQ(log.counts().read, 16U);
  EXPECT_EQ(log.counts().converted, 8U);
  EXPECT_EQ(log.counts().skipped, expected_skipped());
  EXPECT_EQ(log.counts().unknown_types, (Counts{{"35=XQ", 1}}));
  EXPECT_EQ(log.counts().unknown_ids, 1U);
  EXPECT_EQ(log.counts().remarks,
            (Counts{{"Day order as GTC", 1}, {"replace as a cancel and a new order", 1}}));
  EXPECT_STREQ(log.source->format_name(), "fix");
  EXPECT_FALSE(log.source->derived());
}

TEST(SourceFix, TheConfigurationHasWhomAndWhatTheLogNames) {
  const ReadLog log = read_log(fixture("fix44_soh.log"));
  const core::Configuration& configuration = log.source->configuration();
  const std::vector<core::Instrument> instruments = {{1, "IBM", {1, -3}, {1, 0}},
                                                     {2, "BTC/USD", {1, 0}, {1, -1}}};
  const std::vector<core::User> users = {{1, "TRADER1", core::kPermissionTrading, {1, 2}},
                                         {2, "TRADER2", core::kPermissionTrading, {3}}};
  EXPECT_EQ(configuration.instruments, instruments);
  EXPECT_EQ(configuration.users, users);
  EXPECT_EQ(configuration.accounts, (std::vector<core::AccountId>{1, 2, 3}));
}

TEST(SourceFix, EveryDialectIsUnderstood) {
  const std::string text = session();
  const auto expect_same = [](const std::string& dialect, const char* name) {
    SCOPED_TRACE(name);
    const ReadLog log = read_text(dialect);
    expect_sound(log);
    EXPECT_EQ(log.requests, expected_requests());
    EXPECT_EQ(log.counts().skipped, expected_skipped());
  };
  for (const std::string& separator :
       std::initializer_list<std::string>{"|", "^A", ";", "<SOH>", "\\u0001", " | "}) {
    expect_same(replaced(text, std::string(1, kSoh), separator), separator.c_str());
  }
  expect_same(each_line(text, [](const std::string& line) { return message_of(line) + "\r\n"; }),
              "no prefix, CRLF");
  expect_same(
      each_line(text,
                [](const std::string& line) {
                  return "2024-11-05 09:30:01.123456 INFO [session] <== " + message_of(line) + "\n";
                }),
      "a logger's prefix");
}

TEST(SourceFix, ScreenLogsAreUnderstood) {
  const ReadLog log = read_log(fixture("fix42_screen.log"));
  expect_sound(log);
  EXPECT_EQ(log.requests, expected_requests());
  Counts skipped = expected_skipped();
  skipped["line without a FIX message"] = 1;
  EXPECT_EQ(log.counts().skipped, skipped);
}

TEST(SourceFix, MessagesNeedNoLinesBetweenThem) {
  const std::string stream = each_line(session(), message_of);
  const ReadLog log = read_text(stream);
  expect_sound(log);
  std::vector<std::string> expected = expected_requests();
  for (std::string& request : expected) request = "1" + request.substr(request.find(' '));
  EXPECT_EQ(log.requests, expected);
  // Far more than any buffer holds: every message is still found, and none twice.
  std::string long_stream;
  while (long_stream.size() < (3U << 20)) long_stream += stream;
  const ReadLog long_log = read_text(long_stream);
  expect_sound(long_log);
  EXPECT_EQ(long_log.counts().read, 16 * (long_stream.size() / stream.size()));
  EXPECT_EQ(long_log.counts().skipped.count("FIX message without its end or its type"), 0U);
}

TEST(SourceFix, WrongChecksumsAreCountedAndTheMessageTaken) {
  const std::string damaged = replaced(session(), soh("142.50|"), soh("142.51|"));
  const ReadLog log = read_text(damaged);
  expect_sound(log);
  EXPECT_EQ(log.requests.size(), expected_requests().size());
  EXPECT_EQ(log.counts().remarks.at("message with a wrong checksum, taken as it is"), 1U);
  // Where SOH was replaced, the sum says nothing.
  const ReadLog piped = read_text(replaced(damaged, std::string(1, kSoh), "|"));
  EXPECT_EQ(piped.counts().remarks.count("message with a wrong checksum, taken as it is"), 0U);
}

TEST(SourceFix, WhatAMessageLacksIsLeftToTheEngineOrSkipped) {
  const ReadLog log = read_text(
      "8=FIX.4.2|9=1|35=D|49=A|11=1|10=000|\n"
      "8=FIX.4.2|9=1|35=D|49=A|55=X|54=1|38=1|40=2|44=1|10=000|\n"
      "8=FIX.4.2|9=1|35=D|11=2|55=X|54=1|38=1|40=2|44=1|10=000|\n"
      "8=FIX.4.2|9=1|35=F|49=A|11=3|10=000|\n"
      "8=FIX.4.2|9=1|35=D|49=A|11=4|55=X|54=1|38=1|40=2|44=1|\n"
      "8=FIX.4.2|9=1|35=D|49=A|11=5|55=X|54=1|38=1|8=FIX.4.2|9=1|35=D|49=A|11=6|55=X|54=9|38=1x|"
      "40=P|44=-1|59=7|10=000|\n");
  expect_sound(log);
  EXPECT_EQ(log.requests, (std::vector<std::string>{
                              "1 0 A send 1/1 0 - - @ - - GTC",
                              "4 0 A cancel 1/0",
                              "6 0 A send 1/6 1 Unknown invalid @ -1 Unknown Unknown",
                          }));
  EXPECT_EQ(log.counts().skipped, (Counts{{"FIX message without its end or its type", 2},
                                          {"order message without a sender", 1},
                                          {"order without a ClOrdID", 1}}));
  EXPECT_EQ(log.counts().read, 7U);
}

TEST(SourceFix, ClOrdIdsAreNumbersOfTheirOwnOrGetOne) {
  const auto order = [](const std::string& id) {
    return "8=FIX.4.2|9=1|35=D|49=A|11=" + id + "|55=X|54=1|38=1|40=2|44=1|10=000|\n";
  };
  const ReadLog log =
      read_text(order("7") + order("07") + order("-7") + order("1730799001250000000") +
                order("4000000000000000001") + order("07") + order("99999999999999999999"));
  std::vector<std::string> ids;
  for (const std::string& request : log.requests) {
    const std::size_t slash = request.find('/') + 1;
    ids.push_back(request.substr(slash, request.find(' ', slash) - slash));
  }
  EXPECT_EQ(ids, (std::vector<std::string>{"7", "4000000000000000001", "4000000000000000002",
                                           "1730799001250000000", "4000000000000000003",
                                           "4000000000000000001", "4000000000000000004"}));
}

TEST(SourceFix, NamesThatNoConfigurationTakesAreReplaced) {
  const std::string long_name(40, 'x');
  const ReadLog log = read_text("8=FIX.4.2|9=1|35=D|49=" + long_name + "|11=1|55=" + long_name +
                                "|54=1|38=1|40=2|44=1|10=000|\n"
                                "8=FIX.4.2|9=1|35=D|49=user-1|11=1|55=symbol-1|54=1|38=1|40=2|"
                                "44=1|10=000|\n");
  expect_sound(log);
  EXPECT_EQ(log.requests, (std::vector<std::string>{
                              "1 0 user-1 send 1/1 1 Buy 1 @ 1 Limit GTC",
                              "2 0 user-2 send 2/1 2 Buy 1 @ 1 Limit GTC",
                          }));
}

TEST(FixMessage, IsFoundOnlyWhereOneBegins) {
  tools::FixMessage message;
  std::string_view text = "108=FIX.4.2|9=1|35=D|10=000| and 8=FIX without a field";
  EXPECT_FALSE(tools::take_fix_message(text, message));
  const std::string two = soh("8=FIX.4.4|9=5|35=0|10=163|noise 8=FIXT.1.1|9=5|35=1|10=000|tail");
  text = two;
  ASSERT_TRUE(tools::take_fix_message(text, message));
  EXPECT_EQ(message.type, "0");
  EXPECT_TRUE(message.whole);
  EXPECT_TRUE(message.checksum_right);
  ASSERT_TRUE(tools::take_fix_message(text, message));
  EXPECT_EQ(message.type, "1");
  EXPECT_FALSE(message.checksum_right);
  EXPECT_EQ(text, "tail");
  EXPECT_FALSE(tools::take_fix_message(text, message));
}

TEST(FixMessage, TheEndOfARecordIsFoundWhereverTheBytesWereCut) {
  const std::string text = soh("8=FIX.4.4|9=5|35=0|10=163|8=FIX");
  const std::size_t end = text.size() - 5;
  for (std::size_t first = 0; first < text.size(); ++first) {
    const std::size_t early = tools::find_fix_end(std::string_view(text).substr(0, first), 0);
    EXPECT_EQ(early, first < end ? std::string_view::npos : end) << first;
    EXPECT_EQ(tools::find_fix_end(text, std::min(first, end - 1)), end) << first;
  }
}

}  // namespace
}  // namespace shmatch::tests
