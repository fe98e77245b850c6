#include "tests/reference/random_stream.h"

#include <algorithm>
#include <limits>

#include "tests/reference/report_text.h"

namespace shmatch::reference {

using namespace core;

namespace {

constexpr AccountId kUnconfiguredAccount = 99;
constexpr OrderId kNeverIssued = 999'999'999'999;

Side side_of(std::uint64_t value) { return value == 0 ? Side::kBuy : Side::kSell; }

template <class Enum, class Value>
Enum to_enum(Value value) {
  return static_cast<Enum>(static_cast<std::uint8_t>(value));
}

std::string flags_text(const Logon& logon) {
  std::string text;
  if (logon.cancel_on_disconnect) text += ", cancel on disconnect";
  if (logon.whole_objects) text += ", whole objects";
  if (logon.all_accounts) text += ", all accounts";
  return text;
}

}  // namespace

std::uint64_t Random::next() {
  state_ += 0x9E37'79B9'7F4A'7C15;
  std::uint64_t mixed = state_;
  mixed = (mixed ^ (mixed >> 30)) * 0xBF58'476D'1CE4'E5B9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94D0'49BB'1331'11EB;
  return mixed ^ (mixed >> 31);
}

RandomStream::RandomStream(const Profile& profile, std::uint64_t seed)
    : profile_(profile), random_(seed) {
  // The last slot is the observer's.
  clients_.resize(profile.configuration.capacities.sessions - 1);
}

void RandomStream::accepted() { sent_.push_back(newest_); }

Command RandomStream::next() {
  now_ += static_cast<TimeNs>(
      random_.percent(30) ? 0 : random_.below(static_cast<std::uint64_t>(profile_.step_ns_max)));
  const auto slot = static_cast<SessionSlot>(random_.below(clients_.size()));
  const Client& client = clients_[slot];
  order_of_ = 0;
  // Where every session is being swept, nothing but a sweep goes on.
  const bool sweeps = logon_waits_ && random_.percent(25);
  Command command = sweeps                                ? sweep()
                    : client.state == SessionState::kFree ? logon(slot)
                    : client.state == SessionState::kOpen ? use(client)
                                                          : come_back(client);
  command.id = ++last_id_;
  command.slot = slot;
  command.now = now_;
  command.order_of = order_of_;
  newest_.command = command.id;
  logon_waits_ = command.kind == Command::Kind::kLogon;
  return command;
}

void RandomStream::applied(const Command& command) {
  logon_waits_ = false;
  Client& client = clients_[command.slot];
  switch (command.kind) {
    case Command::Kind::kLogon:
      for (const User& user : profile_.configuration.users) {
        if (user.id == command.logon.user_id) client.user = &user;
      }
      client.resumable = command.logon.resumable;
      client.state = SessionState::kOpen;
      break;
    case Command::Kind::kResume:
      client.state = SessionState::kOpen;
      break;
    case Command::Kind::kEndSession:
      client.state = client.resumable ? SessionState::kDetached : SessionState::kFree;
      break;
    case Command::Kind::kForgetSession:
      client.state = SessionState::kFree;
      break;
    case Command::Kind::kRestart:
      for (Client& each : clients_) {
        if (each.state == SessionState::kOpen) each.state = SessionState::kOrphaned;
      }
      break;
    default:
      break;
  }
}

// A command of a session that is open.
Command RandomStream::use(const Client& client) {
  Command command;
  if (random_.below(1000) < profile_.session_permille) {
    command.kind = Command::Kind::kEndSession;
  } else if (random_.percent(1)) {
    command.kind = random_.percent(70) ? Command::Kind::kSweep : Command::Kind::kSweepAll;
  } else if (random_.below(10'000) < profile_.stop_permyriad) {
    command.kind = Command::Kind::kStopAccepting;
    command.why = random_.percent(50) ? Detail::kStopping : Detail::kJournalFailed;
  } else if (random_.below(10'000) < profile_.restart_permyriad) {
    command.kind = Command::Kind::kRestart;
  } else if (random_.percent(profile_.query_percent)) {
    command.request = query(*client.user);
  } else if (random_.percent(profile_.cancel_percent)) {
    command.request = cancel_order(*client.user);
    if (profile_.replace_percent > 0 && random_.percent(profile_.replace_percent)) {
      command.replacement = new_order(*client.user).as<NewOrder>();
    }
  } else {
    command.request = new_order(*client.user);
  }
  return command;
}

// What becomes of a session that is orphaned or detached.
Command RandomStream::come_back(const Client& client) {
  Command command = sweep();
  const bool orphaned = client.state == SessionState::kOrphaned;
  if (client.resumable && random_.percent(60)) {
    command.kind = Command::Kind::kResume;
    choose_flags(command.logon);
  } else if (random_.percent(50)) {
    command.kind = orphaned ? Command::Kind::kEndSession : Command::Kind::kForgetSession;
  }
  return command;
}

Command RandomStream::sweep() {
  Command command;
  command.kind = Command::Kind::kSweep;
  return command;
}

Command RandomStream::logon(SessionSlot slot) {
  const std::vector<User>& users = profile_.configuration.users;
  Command command;
  command.kind = Command::Kind::kLogon;
  command.logon.user_id = users[random_.below(users.size())].id;
  command.logon.resumable = random_.percent(profile_.resumable_percent);
  choose_flags(command.logon);
  const std::string name = "s" + std::to_string(slot);
  name.copy(command.logon.name, kSessionNameBytes - 1);
  return command;
}

void RandomStream::choose_flags(Logon& logon) {
  logon.cancel_on_disconnect = random_.percent(profile_.disconnect_percent);
  logon.whole_objects = random_.percent(50);
  logon.all_accounts = random_.percent(30);
}

AccountId RandomStream::pick_account(const User& user) {
  const std::vector<AccountId>& all = profile_.configuration.accounts;
  const bool any = (user.permissions & kPermissionOperator) != 0 ||
                   random_.percent(profile_.foreign_percent) || user.accounts.empty();
  const std::vector<AccountId>& choice = any ? all : user.accounts;
  return choice[random_.below(choice.size())];
}

const RandomStream::Sent* RandomStream::pick_order() {
  if (sent_.empty()) return nullptr;
  const std::uint64_t reach = std::min<std::uint64_t>(sent_.size(), profile_.recent_orders);
  return &sent_[sent_.size() - 1 - random_.below(reach)];
}

// One amount in one of the ways in which clients may write it.
Decimal RandomStream::spell(std::int64_t count, Increment increment) {
  const std::uint64_t way = random_.below(3);
  if (way == 0 || count > kAmountMax / 1000) return in_increments(count);
  Decimal decimal{count * increment.mantissa, increment.exponent};
  if (way == 1) return decimal;
  decimal.mantissa *= 10;
  --decimal.exponent;
  return decimal;
}

Request RandomStream::new_order(const User& user) {
  const std::vector<Instrument>& instruments = profile_.configuration.instruments;
  const Instrument& instrument =
      instruments[random_.percent(70) ? 0 : random_.below(instruments.size())];
  NewOrder order;
  order.oms_id = profile_.configuration.oms_id;
  order.account_id = pick_account(user);
  order.instrument_id = instrument.id;
  order.side = side_of(random_.below(2));
  order.order_type =
      random_.percent(profile_.market_percent) ? OrderType::kMarket : OrderType::kLimit;
  if (random_.percent(profile_.ioc_percent)) order.time_in_force = TimeInForce::kIoc;
  if (random_.percent(profile_.fok_percent)) order.time_in_force = TimeInForce::kFok;
  if (random_.percent(profile_.client_id_percent)) {
    order.cl_ord_id =
        1 + static_cast<ClOrdId>(random_.below(static_cast<std::uint64_t>(profile_.client_ids)));
  }
  const auto quantity = 1 + random_.below(static_cast<std::uint64_t>(profile_.quantity_max));
  order.set_quantity(spell(static_cast<std::int64_t>(quantity), instrument.lot));
  const auto step = random_.below(static_cast<std::uint64_t>(profile_.price_count));
  if (order.order_type == OrderType::kLimit || random_.percent(30)) {
    order.set_limit_price(spell(profile_.price_low + static_cast<Ticks>(step), instrument.tick));
  }
  if (random_.percent(profile_.odd_percent)) make_odd(order);
  newest_ = {0, order.account_id, order.cl_ord_id};
  Request request;
  request.assign(order);
  return request;
}

void RandomStream::make_odd(NewOrder& order) {
  const auto value = static_cast<std::int64_t>(random_.below(12)) - 2;
  switch (random_.below(16)) {
    case 0:
      order.oms_id = value;
      break;
    case 1:
      order.account_id = random_.percent(50) ? 0 : kUnconfiguredAccount;
      break;
    case 2:
      order.instrument_id = random_.percent(50) ? 0 : 9 + value;
      break;
    case 3:
      order.side = to_enum<Side>(random_.percent(30) ? 255 : value);
      break;
    case 4:
      order.order_type = to_enum<OrderType>(random_.percent(30) ? 255 : value);
      break;
    case 5:
      order.time_in_force = to_enum<TimeInForce>(value);
      break;
    case 6:
      order.set_quantity(kDecimalAbsent);
      break;
    case 7:
      order.set_limit_price(kDecimalAbsent);
      break;
    case 8:
      order.set_quantity(random_.percent(50)   ? kDecimalInvalid
                         : random_.percent(50) ? kDecimalHuge
                                               : Decimal{value, 0});
      break;
    case 9:
      order.set_limit_price(random_.percent(50) ? kDecimalInvalid : Decimal{value, 0});
      break;
    case 10:
      order.set_quantity(in_increments(kAmountMax + value));
      break;
    case 11:
      order.set_limit_price(in_increments(kAmountMax + value));
      break;
    case 12:
      order.set_quantity({value * 7, static_cast<std::int8_t>(random_.below(80) - 40)});
      break;
    case 13:
      order.set_limit_price({value * 7, static_cast<std::int8_t>(random_.below(80) - 40)});
      break;
    case 14:
      order.features = static_cast<std::uint16_t>(random_.below(kFeaturesAll + 1));
      break;
    case 15:
      order.cl_ord_id = random_.percent(50) ? -1 : std::numeric_limits<ClOrdId>::max();
      break;
  }
}

Request RandomStream::cancel_order(const User& user) {
  CancelOrder cancel;
  cancel.oms_id = profile_.configuration.oms_id;
  const Sent* order = pick_order();
  if (order == nullptr) {
    cancel.order_id = kNeverIssued;
  } else if (order->cl_ord_id != 0 && random_.percent(50)) {
    cancel.account_id = order->account_id;
    cancel.cl_ord_id = order->cl_ord_id;
  } else {
    order_of_ = order->command;
    if (random_.percent(30)) cancel.account_id = order->account_id;
    if (random_.percent(20)) cancel.cl_ord_id = order->cl_ord_id;
  }
  if (random_.percent(profile_.foreign_percent)) cancel.account_id = pick_account(user);
  if (random_.percent(profile_.odd_percent)) make_odd(cancel);
  Request request;
  request.assign(cancel);
  return request;
}

void RandomStream::make_odd(CancelOrder& cancel) {
  switch (random_.below(6)) {
    case 0:
      cancel.oms_id = 7;
      break;
    case 1:
      cancel.cl_ord_id = 1 + static_cast<ClOrdId>(random_.below(5));
      break;
    case 2:
      cancel.account_id = random_.percent(50) ? 0 : -1;
      break;
    case 3:
      cancel.account_id = kUnconfiguredAccount;
      break;
    case 4:
      order_of_ = 0;
      cancel.order_id = static_cast<OrderId>(random_.next() >> random_.below(64));
      break;
    case 5:
      order_of_ = 0;
      cancel.order_id = 0;
      break;
  }
}

Request RandomStream::query(const User& user) {
  const bool odd = random_.percent(profile_.odd_percent);
  const OmsId oms_id = profile_.configuration.oms_id + (odd && random_.percent(30) ? 1 : 0);
  Request request;
  switch (random_.below(4)) {
    case 0: {
      OrderStatusQuery status;
      status.oms_id = oms_id;
      const Sent* order = pick_order();
      status.order_id = odd ? 0 : kNeverIssued;
      if (order != nullptr && !odd) {
        order_of_ = order->command;
        if (random_.percent(60)) status.account_id = order->account_id;
      }
      if (random_.percent(profile_.foreign_percent)) status.account_id = pick_account(user);
      request.assign(status);
      break;
    }
    case 1: {
      OpenOrdersQuery open;
      open.oms_id = oms_id;
      open.account_id = odd ? static_cast<AccountId>(random_.below(2)) * kUnconfiguredAccount
                            : pick_account(user);
      if (odd && random_.percent(50)) open.continuation = random_.next() >> random_.below(64);
      request.assign(open);
      break;
    }
    case 2: {
      L2Query book;
      book.oms_id = oms_id;
      book.instrument_id = odd ? static_cast<InstrumentId>(random_.below(3)) * 77 - 77 : 1;
      book.depth = static_cast<std::int64_t>(random_.below(20));
      if (odd && random_.percent(50)) {
        book.continuation = random_.next() >> random_.below(64);
        book.continuation_price = static_cast<Ticks>(random_.next() >> random_.below(64));
      }
      request.assign(book);
      break;
    }
    default:
      request.assign(Ping{});
  }
  return request;
}

std::string to_text(const Command& command) {
  std::string text = "#";
  text += std::to_string(command.id) + " slot " + std::to_string(command.slot) + " at " +
          std::to_string(command.now) + ": ";
  const Logon& logon = command.logon;
  switch (command.kind) {
    case Command::Kind::kLogon:
      return text + "logon user " + std::to_string(logon.user_id) +
             (logon.resumable ? ", resumable" : "") + flags_text(logon);
    case Command::Kind::kResume:
      return text + "resume" + flags_text(logon);
    case Command::Kind::kForgetSession:
      return text + "forget the session";
    case Command::Kind::kRestart:
      return text + "restart";
    case Command::Kind::kEndSession:
      return text + "end of session";
    case Command::Kind::kSweep:
      return text + "one sweep step";
    case Command::Kind::kSweepAll:
      return text + "sweep to the end";
    case Command::Kind::kStopAccepting:
      return text + "stop accepting";
    case Command::Kind::kRequest:
      break;
  }
  text += to_text(command.request);
  if (command.replacement) {
    Request replacement;
    replacement.assign(*command.replacement);
    text += ", replaced by " + to_text(replacement);
  }
  if (command.order_of != 0) text += " (order of #" + std::to_string(command.order_of) + ")";
  return text;
}

}  // namespace shmatch::reference
