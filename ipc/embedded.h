/* The matching engine inside one's own program, for C and whatever can call C. docs/EMBEDDING.md
 * tells its use; ipc/embedded_engine.h is the same for C++.
 *
 * Every call is executed before it returns, on the calling thread; its reports come through the
 * callback meanwhile. Memory is taken by shmatch_create and by nothing else. One thread at a time;
 * the callback must not call the engine back.
 *
 * Prices are whole ticks and quantities whole lots, 1..10^15. Ids are 1..2^63-1; 0 is "none".
 * Times are nanoseconds, 0..2^62, and only copied into reports. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct shmatch_engine;

/* Instruments are called 1..instruments and accounts 1..accounts. */
struct shmatch_options {
  uint32_t instruments;     /* 1..65535 */
  uint32_t accounts;        /* 1..65536 */
  uint32_t working_orders;  /* 1..2^26: as many can rest at the same time */
  uint32_t finished_orders; /* 0..2^26: so many ended orders stay known, so that a late cancel is
                               told how its order ended */
  uint32_t price_levels;    /* 1..working_orders: at as many prices can orders rest, all instruments
                               and sides together; 0: all of up to 32,768 working orders can have
                               prices of their own, of more 32,768 or every 32nd */
};

enum shmatch_side { SHMATCH_BUY = 0, SHMATCH_SELL = 1 };
enum shmatch_type { SHMATCH_MARKET = 1, SHMATCH_LIMIT = 2 };
/* GTC rests; IOC trades what it can and ends; FOK trades all at once or nothing. */
enum shmatch_time_in_force { SHMATCH_GTC = 1, SHMATCH_IOC = 3, SHMATCH_FOK = 4 };

struct shmatch_order {
  int64_t account;
  int64_t instrument;
  int64_t client_id; /* 0, or unlike that of every working order of the account */
  int64_t quantity;
  int64_t price;         /* not used by market orders */
  uint8_t side;          /* enum shmatch_side */
  uint8_t type;          /* enum shmatch_type */
  uint8_t time_in_force; /* enum shmatch_time_in_force */
};

/* Names an order: by order_id, or else by client_id together with account. Other fields are 0, or
 * must agree with the order. */
struct shmatch_key {
  int64_t order_id;
  int64_t account;
  int64_t client_id;
};

enum shmatch_kind {
  SHMATCH_ACCEPTED = 1,        /* a new order has got its order_id */
  SHMATCH_CANCEL_ACCEPTED = 2, /* a cancel will be done; SHMATCH_ORDER says that it is */
  SHMATCH_REFUSED = 3,         /* nothing changed: code, detail and arguments say why */
  SHMATCH_ORDER = 4,           /* an order's state after what has happened to it */
  SHMATCH_TRADE = 5            /* one order's side of an execution; the taker's comes first */
};

/* Numbers of states and reasons are the API's: OrderState and ChangeReason of core/types.h. */
enum shmatch_state { SHMATCH_WORKING = 1, SHMATCH_CANCELED = 3, SHMATCH_FULLY_EXECUTED = 5 };

/* Fields that a kind does not name are 0. */
struct shmatch_report {
  uint8_t kind;          /* enum shmatch_kind */
  uint8_t state;         /* ORDER: enum shmatch_state */
  uint8_t change_reason; /* ORDER: 1 entered, 5 traded, 6 no more market, 100 cancelled */
  uint8_t side;          /* TRADE: of this order, enum shmatch_side */
  uint8_t maker;         /* TRADE: 1 when this order rested, else 0 */
  uint16_t code;         /* REFUSED: ErrorCode of core/reject.h */
  uint16_t detail;       /* REFUSED: Detail of core/reject.h */
  uint32_t ordinal;      /* counts the reports of one call from 0 */
  uint64_t sequence;     /* of the call, from 2 on */
  int64_t order_id;      /* ACCEPTED, ORDER, TRADE */
  int64_t client_id;     /* ACCEPTED, ORDER */
  int64_t price;         /* TRADE: the maker's */
  int64_t quantity;      /* TRADE: executed now; ORDER: what still works */
  int64_t executed;      /* ORDER: in all */
  int64_t trade_id;      /* TRADE: the same for both sides */
  int64_t argument0;     /* REFUSED */
  int64_t argument1;
  int64_t time; /* the call's */
};

/* `report` is valid during the call only. */
typedef void (*shmatch_callback)(void* context, const struct shmatch_report* report);

/* Takes all memory now. NULL on failure; then `error` (of error_size bytes, or NULL) holds one
 * sentence: a wrong option, or too little memory. `context` is handed to the callback. */
struct shmatch_engine* shmatch_create(const struct shmatch_options* options,
                                      shmatch_callback callback, void* context, char* error,
                                      size_t error_size);
/* NULL is allowed. */
void shmatch_destroy(struct shmatch_engine* engine);

/* The new order's id, or 0 when it was refused. Reports: ACCEPTED, then for each execution TRADE of
 * the taker, TRADE and ORDER of the maker, last the new order's own ORDER; or REFUSED alone. */
int64_t shmatch_new_order(struct shmatch_engine* engine, const struct shmatch_order* order,
                          int64_t time);
/* 1 when the order was cancelled, else 0. Reports: CANCEL_ACCEPTED and ORDER; or REFUSED alone. */
int shmatch_cancel(struct shmatch_engine* engine, const struct shmatch_key* key, int64_t time);
/* Cancels one order and enters another in its place, in one step and judged as a whole: when
 * either half is refused nothing changes. Its place in the queue is lost; it may use the old one's
 * client_id. The new order's id, or 0. Reports: ORDER of the old one, then as shmatch_new_order;
 * or REFUSED alone. */
int64_t shmatch_cancel_replace(struct shmatch_engine* engine, const struct shmatch_key* key,
                               const struct shmatch_order* order, int64_t time);

/* 0 when the side is empty, and for an instrument that does not exist. */
int64_t shmatch_best_price(const struct shmatch_engine* engine, int64_t instrument,
                           enum shmatch_side side);
/* What rests at this price, UINT64_MAX at most; 0 when nothing does. */
uint64_t shmatch_depth_at(const struct shmatch_engine* engine, int64_t instrument,
                          enum shmatch_side side, int64_t price);
uint32_t shmatch_working_orders(const struct shmatch_engine* engine);

/* Why `report` (REFUSED) was refused, as one sentence, cut to `size` bytes with its final zero. */
void shmatch_refusal_text(const struct shmatch_report* report, char* text, size_t size);

#ifdef __cplusplus
}
#endif
