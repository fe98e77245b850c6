// What outlives shmatchd: a clean stop, a death, snapshots, and configurations that change in
// between.
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "ipc/file_layer.h"
#include "ipc/journal_reader.h"
#include "tests/process/engine.h"
#include "tests/process/exec_session.h"
#include "tests/process/trading.h"

namespace shmatch::process_test {
namespace {

// An engine's journal in a folder of its own.
class DurabilityTest : public testing::Test {
 protected:
  // The usual configuration with this journal, and what more is wanted.
  ConfigText config(const char* durability, const std::string& journal_keys = "") const {
    ConfigText config = usual_config();
    config.add("[journal]\nfolder = \"" + journal_ + "\"\ndurability = \"" + durability +
               "\"\nsegment_bytes = 65536\n" + journal_keys);
    return config;
  }

  struct OnDisk {
    core::Sequence last = 0;
    ipc::DigestMark newest_digest;
    std::uint64_t unused_bytes = 0;  // of all files
    std::string fault;
  };
  OnDisk on_disk() const {
    OnDisk found;
    ipc::PosixFileLayer files;
    ipc::JournalReader reader(files, journal_);
    if (const ipc::FileFault fault = reader.open()) found.fault = fault.text;
    ipc::JournalGroup group;
    ipc::JournalNext next = reader.next_group(group);
    for (; next == ipc::JournalNext::kGiven; next = reader.next_group(group)) {
      if (group.header.digest.sequence != 0) found.newest_digest = group.header.digest;
    }
    if (next != ipc::JournalNext::kEnd) found.fault = reader.fault().text + reader.torn_end().seen;
    found.last = reader.last_sequence();
    for (const ipc::UsedFile& file : reader.files()) {
      found.unused_bytes +=
          std::filesystem::file_size(journal_ + "/" + file.name) - file.used_bytes;
    }
    return found;
  }

  std::vector<std::string> names(std::string_view suffix) const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(journal_)) {
      const std::string name = entry.path().filename();
      if (name.ends_with(suffix)) names.push_back(name);
    }
    std::ranges::sort(names);
    return names;
  }

  static LogonOptions keeping(const TestEngine& engine, std::string_view user) {
    LogonOptions options = engine.options(user);
    options.cancel_on_disconnect = false;
    return options;
  }

  static std::vector<core::OrderId> open_orders(const TestEngine& engine, core::AccountId account) {
    Client client = logged_on(keeping(engine, "operator"));
    std::vector<core::OpenOrderRow> rows;
    core::Receipt refused;
    EXPECT_FALSE(client.open_orders(1, account, rows, refused, kPatience));
    std::vector<core::OrderId> ids;
    for (const core::OpenOrderRow& row : rows) ids.push_back(row.order_id);
    return ids;
  }

  // What a start says that must not succeed; the engine does not run.
  static std::string refused_start(TestEngine& engine, const ConfigText& config) {
    engine.folder().add("engine.toml", config.text());
    const Outcome outcome = finish(Process::execute(engine.command()));
    EXPECT_EQ(outcome.status, 1) << outcome.errors;
    EXPECT_EQ(outcome.output, "");
    return outcome.errors;
  }

  TemporaryFolder folder_;
  std::string journal_ = folder_.file("journal");
};

// ---- a clean stop

class CleanStop : public DurabilityTest, public testing::WithParamInterface<const char*> {};

TEST_P(CleanStop, LeavesEverythingOnDiskAndADigestAtTheEnd) {
  TestEngine engine(config(GetParam()));
  std::vector<core::OrderId> orders;
  core::Sequence newest = 0;
  {
    // Requests are still under way when the stop comes.
    Client alice = logged_on(keeping(engine, "alice"));
    Client bob = logged_on(keeping(engine, "bob"));
    std::uint64_t sent = 0;
    std::uint64_t answered = 0;
    const auto work = [&] {
      Report report;
      while (sent < answered + 200 && alice.send(limit_order(1, core::Side::kBuy, 1, 5)) != 0) {
        ++sent;
      }
      while (alice.poll(report)) {
        if (replied_request(report) != 0) ++answered;
        if (!report.is<core::OrderAccepted>()) continue;
        newest = std::max(newest, report.words[1]);
        orders.push_back(report.as<core::OrderAccepted>().order_id);
      }
    };
    ASSERT_TRUE(eventually([&] {
      work();
      return orders.size() > 1'000;
    }));
    engine.process().signal(SIGTERM);
    ASSERT_TRUE(eventually([&] {
      work();
      return alice.engine_state() != EngineState::kServing;
    }));
    work();
  }
  EXPECT_EQ(engine.process().wait(), 0);
  const OnDisk found = on_disk();
  EXPECT_EQ(found.fault, "");
  EXPECT_GE(found.last, newest);
  EXPECT_EQ(found.newest_digest.sequence, found.last);
  EXPECT_EQ(found.unused_bytes, 0U);
  const Outcome verified =
      finish(Process::execute(engine.shmatch({"journal", "verify", journal_})));
  EXPECT_EQ(verified.status, 0) << verified.errors;

  engine.start();
  EXPECT_EQ(open_orders(engine, 1), orders);
  EXPECT_EQ(engine.stop(), 0);
}

INSTANTIATE_TEST_SUITE_P(Durabilities, CleanStop, testing::Values("sync", "async"));

TEST_F(DurabilityTest, IdsGoOnWhereTheyWere) {
  TestEngine engine(config("async"));
  core::OrderId last = 0;
  core::TradeId last_trade = 0;
  for (int run = 0; run < 3; ++run) {
    {
      Client alice = logged_on(keeping(engine, "alice"));
      const core::OrderId resting = place(alice, limit_order(1, core::Side::kBuy, 2, 5));
      EXPECT_GT(resting, last);
      Client bob = logged_on(keeping(engine, "bob"));
      last = place(bob, limit_order(3, core::Side::kSell, 1, 5));
      EXPECT_GT(last, resting);
      Report report;
      ASSERT_TRUE(eventually([&] { return bob.poll(report) && report.is<core::Trade>(); }));
      EXPECT_GT(report.as<core::Trade>().trade_id, last_trade);
      last_trade = report.as<core::Trade>().trade_id;
    }
    EXPECT_EQ(engine.stop(), 0);
    engine.start();
  }
}

TEST_F(DurabilityTest, AFolderHasOneEngineAtATime) {
  TestEngine engine(config("async"));
  const Outcome second = finish(Process::execute(
      {shmatchd_program(), "--socket", folder_.file("other.sock"), "--journal", journal_}));
  EXPECT_EQ(second.status, 1);
  EXPECT_NE(second.errors.find("owns the folder"), std::string::npos) << second.errors;
  Client alice = logged_on(engine.options("alice"));
  place(alice, limit_order(1, core::Side::kBuy, 1, 5));
}

// ---- snapshots

TEST_F(DurabilityTest, SegmentsGoBehindASnapshotAndTheEngineComesBackFromIt) {
  TestEngine engine(config("sync", "snapshot_every = 300\nkeep = \"snapshot\"\n"));
  std::vector<core::OrderId> orders;
  {
    Client alice = logged_on(keeping(engine, "alice"));
    ASSERT_TRUE(eventually([&] {
      for (int i = 0; i < 20; ++i) {
        orders.push_back(place(alice, limit_order(1, core::Side::kBuy, 1, 1 + i)));
        if (i % 2 == 0) continue;
        EXPECT_EQ(cancel(alice, orders.back()), core::ErrorCode::kOk);
        orders.pop_back();
      }
      drain(alice);
      return names(".journal").front() != ipc::segment_name(1);
    }));
    engine.process().kill();
  }
  ASSERT_FALSE(names(".snapshot").empty());
  engine.start();
  EXPECT_TRUE(engine.logs("behind the snapshot of input ")) << engine.log();
  EXPECT_EQ(open_orders(engine, 1), orders);
  EXPECT_EQ(engine.stop(), 0);
}

TEST_F(DurabilityTest, ADamagedSnapshotIsSkippedWithANote) {
  TestEngine engine(config("async", "snapshot_every = 200\n"));
  std::vector<core::OrderId> orders;
  {
    Client alice = logged_on(keeping(engine, "alice"));
    ASSERT_TRUE(eventually([&] {
      for (int i = 0; i < 50; ++i) {
        orders.push_back(place(alice, limit_order(1, core::Side::kBuy, 1, 1 + i)));
      }
      drain(alice);
      return names(".snapshot").size() >= 2;
    }));
  }
  EXPECT_EQ(engine.stop(), 0);
  const std::vector<std::string> snapshots = names(".snapshot");
  const std::string newest = journal_ + "/" + snapshots.back();
  {
    std::fstream file(newest, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(std::filesystem::file_size(newest) / 2));
    file.write("damaged!", 8);
  }
  engine.start();
  EXPECT_TRUE(engine.logs(snapshots.back())) << engine.log();
  EXPECT_NE(engine.log().find(" warning "), std::string::npos) << engine.log();
  EXPECT_EQ(open_orders(engine, 1), orders);
  EXPECT_EQ(engine.stop(), 0);
}

TEST_F(DurabilityTest, ADamagedSnapshotThatIsTheOnlyWayBackIsNamed) {
  TestEngine engine(config("async", "snapshot_every = 200\nkeep = \"snapshot\"\n"));
  {
    Client alice = logged_on(keeping(engine, "alice"));
    ASSERT_TRUE(eventually([&] {
      for (int i = 0; i < 50; ++i) place(alice, limit_order(1, core::Side::kBuy, 1, 1 + i));
      drain(alice);
      return !names(".snapshot").empty() && names(".journal").front() != ipc::segment_name(1);
    }));
  }
  EXPECT_EQ(engine.stop(), 0);
  const std::vector<std::string> snapshots = names(".snapshot");
  for (const std::string& name : snapshots) {
    std::fstream file(journal_ + "/" + name, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(100);
    file.write("damaged!", 8);
  }
  const std::string said = refused_start(engine, config("async"));
  EXPECT_NE(said.find(snapshots.back()), std::string::npos) << said;
  EXPECT_NE(said.find("and record 1 is asked for"), std::string::npos) << said;
}

// ---- configurations

class ConfigurationChange : public DurabilityTest {
 protected:
  // The usual file with one text in place of another.
  std::string changed(const std::string& what, const std::string& into) const {
    std::string text = config("async").text();
    const std::size_t at = text.find(what);
    EXPECT_NE(at, std::string::npos) << what;
    return text.replace(at, what.size(), into);
  }

  // An engine with an order of alice's that has ended.
  void run_once(TestEngine& engine) {
    {
      Client alice = logged_on(keeping(engine, "alice"));
      order_ = place(alice, limit_order(1, core::Side::kBuy, 2, 5));
    }
    EXPECT_EQ(engine.stop(), 0);
  }

  core::OrderId order_ = 0;
};

TEST_F(ConfigurationChange, AdditionsCount) {
  TestEngine engine(config("async"));
  run_once(engine);
  ConfigText more = config("async");
  more.user("dora", ::getuid(), "Trading", "[7]")
      .capacity("working_orders = 20000\nfinished_orders = 20000\nsessions = 200\n")
      .add("[[instrument]]\nid = 9\nsymbol = \"ADDED\"\ntick = \"0.5\"\nlot = \"1\"\n")
      .add("[rate_limit]\nrequests_per_second = 1000000\nburst = 1000\n");
  engine.folder().add("engine.toml", more.text());
  engine.start();
  EXPECT_EQ(open_orders(engine, 1), std::vector<core::OrderId>{order_});
  {
    Client dora = logged_on(keeping(engine, "dora"));
    core::NewOrder order = limit_order(7, core::Side::kSell, 2, 5);
    EXPECT_GT(place(dora, order), order_);  // trades with alice's
    order.instrument_id = 9;
    order.set_limit_price({25, -1});
    place(dora, order);
  }
  // And from now on they are part of what the journal is about.
  EXPECT_EQ(engine.stop(), 0);
  engine.start();
  EXPECT_TRUE(open_orders(engine, 1).empty());
  EXPECT_EQ(open_orders(engine, 7).size(), 1U);
  EXPECT_EQ(engine.stop(), 0);
  const std::string back = refused_start(engine, config("async"));
  EXPECT_NE(back.find("contradicts the journal"), std::string::npos) << back;
}

TEST_F(ConfigurationChange, ContradictionsAreRefusedWithASentence) {
  TestEngine engine(config("async"));
  run_once(engine);
  const OnDisk before = on_disk();
  const struct {
    const char* what;
    const char* into;
    const char* says;
  } contradictions[] = {
      {"oms_id = 1", "oms_id = 2", "oms_id"},
      {"symbol = \"TEST\"\ntick = \"1\"", "symbol = \"TEST\"\ntick = \"2\"", "instrument 3"},
      {"symbol = \"TEST\"", "symbol = \"OTHER\"", "instrument 3"},
      {"id = 3\nsymbol = \"TEST\"", "id = 4\nsymbol = \"TEST\"", "instrument 3"},
      {"id = 11\nname = \"alice\"", "id = 99\nname = \"alice\"", "user 11"},
      {"accounts = [3]", "accounts = [4]", "account 3"},
      {"working_orders = 20000", "working_orders = 30000", "working_orders"},
      {"finished_orders = 20000", "finished_orders = 30000", "finished_orders"},
      {"sessions = 128", "sessions = 127", "session"},
      {"sessions = 128", "sessions = 128\nprice_levels = 19999", "price_levels was 20000"},
  };
  for (const auto& each : contradictions) {
    engine.folder().add("engine.toml", changed(each.what, each.into));
    const Outcome outcome = finish(Process::execute(engine.command()));
    EXPECT_EQ(outcome.status, 1) << each.into;
    EXPECT_NE(outcome.errors.find("contradicts the journal in " + journal_), std::string::npos)
        << each.into << ": " << outcome.errors;
    EXPECT_NE(outcome.errors.find(each.says), std::string::npos)
        << each.into << ": " << outcome.errors;
  }
  // None of that has left a trace.
  EXPECT_EQ(on_disk().last, before.last);
  engine.folder().add("engine.toml", config("async").text());
  engine.start();
  EXPECT_EQ(open_orders(engine, 1), std::vector<core::OrderId>{order_});
}

// Sessions that were open under the older configuration end under the newer one, as they asked.
// A start that is refused leaves even the end alone that the next one will cut.
TEST_F(ConfigurationChange, ARefusedStartBehindACrashChangesNoFile) {
  TestEngine engine(config("sync"));
  {
    Client alice = logged_on(keeping(engine, "alice"));
    place(alice, limit_order(1, core::Side::kBuy, 1, 1));
    engine.process().kill();
  }
  const auto contents = [&] {
    std::string all;
    for (const std::string& name : names(".journal")) {
      std::ifstream file(journal_ + "/" + name, std::ios::binary);
      all += name;
      all.append(std::istreambuf_iterator<char>(file), {});
    }
    return all;
  };
  const std::string before = contents();
  engine.folder().add("engine.toml", changed("oms_id = 1", "oms_id = 2"));
  const Outcome outcome = finish(Process::execute(engine.command()));
  EXPECT_EQ(outcome.status, 1) << outcome.errors;
  EXPECT_TRUE(contents() == before);
}

TEST_F(ConfigurationChange, SessionsOfAnOlderConfigurationEndAsTheyAsked) {
  ConfigText short_grace = config("sync");
  short_grace.add("[resume]\ngrace_ms = 300\n");
  TestEngine engine(short_grace);
  Client leaving = logged_on(engine.options("alice"));  // cancels on disconnect
  Client staying = logged_on(keeping(engine, "alice"));
  const core::OrderId swept = place(leaving, limit_order(1, core::Side::kBuy, 1, 5));
  const core::OrderId kept = place(staying, limit_order(1, core::Side::kBuy, 1, 6));
  engine.process().kill();
  short_grace.user("dora", ::getuid(), "Trading", "[7]")
      .capacity("working_orders = 20000\nfinished_orders = 20000\nsessions = 130\n");
  engine.folder().add("engine.toml", short_grace.text());
  engine.start();
  Client dora = logged_on(keeping(engine, "dora"));
  place(dora, limit_order(7, core::Side::kBuy, 1, 4));
  EXPECT_TRUE(
      eventually([&] { return open_orders(engine, 1) == std::vector<core::OrderId>{kept}; }));
  Client asking = logged_on(keeping(engine, "operator"));
  EXPECT_EQ(state_of(asking, swept), core::OrderState::kCanceled);
}

// Within the grace nothing of theirs is touched.
TEST_F(DurabilityTest, OrdersOfOrphanedSessionsStandUntilTheGraceIsOver) {
  ConfigText patient = config("sync");
  patient.add("[resume]\ngrace_ms = 86400000\n");
  TestEngine engine(patient);
  Client alice = logged_on(engine.options("alice"));  // cancels on disconnect
  const core::OrderId order = place(alice, limit_order(1, core::Side::kBuy, 3, 5));
  engine.process().kill();
  engine.start();
  EXPECT_EQ(open_orders(engine, 1), std::vector<core::OrderId>{order});
  // They trade like any other.
  Client bob = logged_on(keeping(engine, "bob"));
  place(bob, limit_order(3, core::Side::kSell, 1, 5));
  Report report;
  ASSERT_TRUE(eventually([&] { return bob.poll(report) && report.is<core::Trade>(); }));
  EXPECT_EQ(open_orders(engine, 1), std::vector<core::OrderId>{order});
}

}  // namespace
}  // namespace shmatch::process_test
