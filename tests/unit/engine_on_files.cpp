#include "tests/unit/engine_on_files.h"

#include <algorithm>

#include "ipc/recovery.h"

namespace shmatch {

using core::Side;
using ipc::Durability;

void Told::take(const Client& client, const Report& report) {
  if (replied_request(report) != 0) {
    EXPECT_EQ(replied_request(report), ++last_answered_) << "answered out of turn";
  }
  if (report.is<core::Receipt>() &&
      report.as<core::Receipt>().code == core::ErrorCode::kServerError) {
    const auto receipt = report.as<core::Receipt>();
    EXPECT_EQ(receipt.detail, core::Detail::kJournalFailed);
    reason_ = client.reference().describe(receipt.refusal());
    ++refused_;
    return;
  }
  const core::Sequence sequence = report.words[1];
  newest_ = std::max(newest_, sequence);
  if (report.is<core::Pong>()) return;
  EXPECT_EQ(refused_, 0U) << "a report of type " << int{report.type()} << " behind a 102";
  if (report.is<core::OrderAccepted>()) {
    orders_[report.as<core::OrderAccepted>().order_id].accepted = sequence;
  } else if (report.is<core::OrderChanged>() &&
             core::order_state(report.as<core::ReportHeader>()) == core::OrderState::kCanceled) {
    orders_[report.as<core::OrderChanged>().order_id].canceled = sequence;
  }
}

void Trading::round(std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) send_one();
  ASSERT_TRUE(await_answers());
}

void Trading::send_one() {
  ++number_;
  const auto resting = std::ranges::find_if(told_.orders(), [](const auto& each) {
    return each.second.canceled == 0 && !each.second.cancel_sent;
  });
  if (number_ % 4 == 0 && resting != told_.orders().end()) {
    resting->second.cancel_sent = true;
    told_.sent(client_.cancel({.oms_id = 1, .order_id = resting->first}));
    return;
  }
  core::NewOrder order;
  order.oms_id = 1;
  order.account_id = 1;
  order.instrument_id = 1;
  order.set_quantity(core::in_increments(1));
  order.set_limit_price(core::in_increments(static_cast<core::Ticks>(1 + number_ % 50)));
  order.side = Side::kBuy;
  order.order_type = core::OrderType::kLimit;
  told_.sent(client_.send(order));
}

bool Trading::await_answers() {
  return eventually([&] {
    Report report;
    while (client_.poll(report)) told_.take(client_, report);
    while (observer_.poll(report)) observed_.take(observer_, report);
    return told_.all_answered();
  });
}

Trading::Ledger Trading::ledger(core::Sequence durable) {
  return {told_.orders(), std::max(told_.newest(), observed_.newest()), durable};
}

void EngineOnFiles::use(ipc::FileLayer& files, const std::string& journal, Durability durability) {
  options_.journal = journal;
  options_.durability = durability;
  options_.file_layer = &files;
  options_.journal_segment_bytes = 1U << 16;
  options_.journal_sync_interval = std::chrono::milliseconds(1);
  options_.backlog_slots = 1U << 14;
  options_.log = [this](ipc::LogLevel level, std::string_view sentence) {
    const std::lock_guard lock(mutex_);
    if (level == ipc::LogLevel::kError) errors_.emplace_back(sentence);
  };
}

ipc::Fault EngineOnFiles::start_engine() {
  errors_.clear();
  engine_ = std::make_unique<ipc::Server>();
  return engine_->start(options_);
}

LogonOptions EngineOnFiles::trader(const std::string& user, bool all_accounts) const {
  LogonOptions options = logon_as(user);
  options.all_accounts = all_accounts;
  options.cancel_on_disconnect = false;
  options.request_slots = 1U << 13;
  options.report_slots = 1U << 14;
  return options;
}

Client EngineOnFiles::logged_on(const LogonOptions& options) const {
  Client client;
  const Failure failed = client.logon(options);
  EXPECT_FALSE(failed) << failed.text;
  return client;
}

std::vector<std::string> EngineOnFiles::errors() {
  const std::lock_guard lock(mutex_);
  return errors_;
}

namespace {

template <class Query>
bool refused(Client& client, const Query& query, const std::string& reason) {
  Report reply;
  const Failure failed = client.call(query, reply, std::chrono::seconds(30));
  EXPECT_FALSE(failed) << failed.text;
  if (!reply.is<core::Receipt>()) return false;
  const core::Refusal refusal = reply.as<core::Receipt>().refusal();
  return refusal.code == core::ErrorCode::kServerError &&
         client.reference().describe(refusal).find(reason) != std::string::npos;
}

}  // namespace

void EngineOnFiles::check_refusing(Trading& trading, const std::string& reason) {
  const bool sync = options_.durability == Durability::kSync;
  EXPECT_NE(trading.told().reason().find(reason), std::string::npos) << trading.told().reason();
  const std::uint64_t before = trading.told().refused();
  trading.round(8);
  EXPECT_EQ(trading.told().refused(), before + 8);

  core::OrderStatusQuery status;
  status.oms_id = 1;
  status.order_id = 1;
  core::OpenOrdersQuery open;
  open.oms_id = 1;
  open.account_id = 1;
  core::L2Query book;
  book.oms_id = 1;
  book.instrument_id = 1;
  book.depth = 3;
  EXPECT_EQ(refused(trading.client(), status, reason), sync);
  EXPECT_EQ(refused(trading.client(), book, reason), sync);
  if (sync) {
    EXPECT_TRUE(refused(trading.client(), open, reason));
  } else {
    std::vector<core::OpenOrderRow> rows;
    core::Receipt receipt;
    ASSERT_FALSE(trading.client().open_orders(1, 1, rows, receipt, kPatience));
    EXPECT_EQ(receipt.code, core::ErrorCode::kOk);
  }
  // A ping asks for nothing that could be lost.
  EXPECT_TRUE(answers(trading.client()));
  EXPECT_TRUE(answers(trading.observer()));

  Client late;
  const Failure failed = late.logon(logon_as("bob"));
  EXPECT_EQ(failed.error, ClientError::kRefused);
  EXPECT_NE(failed.text.find(reason), std::string::npos) << failed.text;

  ASSERT_EQ(errors().size(), 1U);
  EXPECT_NE(errors()[0].find(reason), std::string::npos) << errors()[0];
  EXPECT_NE(errors()[0].find(options_.journal), std::string::npos) << errors()[0];
}

void EngineOnFiles::check_recovered(Trading::Ledger ledger) {
  core::Sequence recovered = 0;
  {
    ipc::Replica replica({.hash_salt = 1, .window_slots = 256});
    ipc::JournalReader reader(*options_.file_layer, options_.journal);
    ipc::RecoveryReport report;
    const ipc::Fault fault = ipc::recover(*options_.file_layer, reader, {}, replica, report);
    ASSERT_FALSE(fault) << fault.text;
    recovered = report.last_sequence;
  }
  EXPECT_GE(recovered, ledger.durable);
  if (options_.durability == Durability::kSync) {
    EXPECT_GE(recovered, ledger.newest);
  }
  const ipc::Fault fault = start_engine();
  ASSERT_FALSE(fault) << fault.text;
  Client client = logged_on(trader("alice"));
  for (const auto& [id, order] : ledger.orders) {
    if (order.accepted > recovered) continue;
    core::OrderStatusQuery query;
    query.oms_id = 1;
    query.order_id = id;
    Report reply;
    ASSERT_FALSE(client.call(query, reply, kPatience));
    ASSERT_TRUE(reply.is<core::OrderStatusReply>()) << id;
    const core::OrderState state = core::order_state(reply.as<core::ReportHeader>());
    if (order.canceled != 0 && order.canceled <= recovered) {
      EXPECT_EQ(state, core::OrderState::kCanceled) << id;
    } else if (!order.cancel_sent) {
      EXPECT_EQ(state, core::OrderState::kWorking) << id;
    }
  }
  EXPECT_NE(enter(client, limit_order(1, Side::kBuy, 10, 1)), 0);
  EXPECT_TRUE(errors().empty());
}

}  // namespace shmatch
