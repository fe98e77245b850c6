/* The engine inside a C program: a bid, an order that takes part of it, a better bid in its place,
 * a cancel, and a cancel that comes too late. Prints what happened; status 0 when all of it did.
 *
 *   example_embedded */
#include "ipc/embedded.h"

#include <inttypes.h>
#include <stdio.h>

static void print_report(void* context, const struct shmatch_report* report) {
  char why[160];
  ++*(int*)context;
  switch (report->kind) {
    case SHMATCH_ACCEPTED:
      printf("order %" PRId64 " accepted\n", report->client_id);
      break;
    case SHMATCH_CANCEL_ACCEPTED:
      printf("cancel accepted\n");
      break;
    case SHMATCH_ORDER:
      printf("order %" PRId64 ": %s, %" PRId64 " open, %" PRId64 " done\n", report->client_id,
             report->state == SHMATCH_WORKING ? "working" : "ended", report->quantity,
             report->executed);
      break;
    case SHMATCH_TRADE:
      printf("%s %" PRId64 " at %" PRId64 "\n", report->side == SHMATCH_BUY ? "bought" : "sold",
             report->quantity, report->price);
      break;
    default:
      shmatch_refusal_text(report, why, sizeof why);
      printf("refused: %s\n", why);
  }
}

int main(void) {
  const struct shmatch_options options = {
      .instruments = 1, .accounts = 2, .working_orders = 1000, .finished_orders = 1000};
  char error[160];
  int reports = 0;
  struct shmatch_engine* engine =
      shmatch_create(&options, print_report, &reports, error, sizeof error);
  if (engine == NULL) {
    fprintf(stderr, "%s\n", error);
    return 1;
  }

  struct shmatch_order bid = {.account = 1,
                              .instrument = 1,
                              .client_id = 7,
                              .quantity = 10,
                              .price = 100,
                              .side = SHMATCH_BUY,
                              .type = SHMATCH_LIMIT,
                              .time_in_force = SHMATCH_GTC};
  const int64_t first = shmatch_new_order(engine, &bid, 1);
  const struct shmatch_order take = {.account = 2,
                                     .instrument = 1,
                                     .client_id = 8,
                                     .quantity = 4,
                                     .price = 100,
                                     .side = SHMATCH_SELL,
                                     .type = SHMATCH_LIMIT,
                                     .time_in_force = SHMATCH_IOC};
  shmatch_new_order(engine, &take, 2);

  bid.price = 101;
  const struct shmatch_key by_client_id = {.account = 1, .client_id = 7};
  const int64_t second = shmatch_cancel_replace(engine, &by_client_id, &bid, 3);
  printf("best bid %" PRId64 ", %" PRIu64 " there\n", shmatch_best_price(engine, 1, SHMATCH_BUY),
         shmatch_depth_at(engine, 1, SHMATCH_BUY, 101));

  const struct shmatch_key by_id = {.order_id = second};
  const int cancelled = shmatch_cancel(engine, &by_id, 4);
  const int again = shmatch_cancel(engine, &by_id, 5);
  const int empty = shmatch_best_price(engine, 1, SHMATCH_BUY) == 0;
  shmatch_destroy(engine);
  return first > 0 && second > first && cancelled && !again && empty && reports == 13 ? 0 : 1;
}
