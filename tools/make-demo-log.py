#!/usr/bin/env python3
"""Writes the demo's request log to standard output: the same one every time.

usage: tools/make-demo-log.py > tools/demo.jsonl

Four traders quote around a price that wanders, on two instruments. Most orders rest and are
canceled by (AccountId, ClOrderId) a while later; some trade at once; a few requests are wrong.
"""

import argparse
import json
import random

FRAMES = 3000
SEED = 20261122
BTCUSD = 1
TEST = 3
LIMIT = 2
MARKET = 1
GTC, IOC, FOK = 1, 3, 4


class Writer:
    """Numbers the frames as AlphaPoint's clients do: even numbers, ascending."""

    def __init__(self):
        self.lines = []

    def add(self, user, function, payload):
        frame = {"m": 0, "i": 2 * len(self.lines), "n": function, "u": user, "o": payload}
        self.lines.append(json.dumps(frame, separators=(",", ":")))


class Market:
    """An instrument whose price wanders; prices are in ticks."""

    def __init__(self, instrument, price, tick, spread):
        self.instrument = instrument
        self.price = price
        self.tick = tick
        self.spread = spread

    def step(self, random_source):
        self.price += random_source.choice((-1, 0, 0, 1))

    def in_money(self, ticks):
        return ticks if self.tick == 1 else round(ticks * self.tick, 2)


def new_order(random_source, market, account, client_id):
    """A SendOrder payload, and whether a cancel may follow."""
    side = random_source.randrange(2)
    away = 1 if side == 1 else -1
    payload = {"OMSId": 1, "AccountId": account, "ClientOrderId": client_id,
               "InstrumentId": market.instrument, "Side": side, "OrderType": LIMIT,
               "TimeInForce": GTC}
    if market.instrument == BTCUSD:
        payload["Quantity"] = random_source.choice((0.05, 0.1, 0.25, 0.5, 1, 1.5, 2.34567891))
    else:
        payload["Quantity"] = random_source.randint(1, 20)
    chance = random_source.random()
    distance = random_source.randint(1, market.spread)
    if chance < 0.04:
        payload["OrderType"] = MARKET
        payload["Quantity"] = 1
        return payload, False
    if chance < 0.10:
        payload["TimeInForce"] = IOC if chance < 0.07 else FOK
        distance = -random_source.randint(1, market.spread // 4)
    elif chance < 0.13:
        distance = -1
    payload["LimitPrice"] = market.in_money(market.price + away * distance)
    return payload, payload["TimeInForce"] == GTC


def bad_payload(random_source, account, client_id):
    """A SendOrder that breaks a rule of the call."""
    payload = {"OMSId": 1, "AccountId": account, "ClientOrderId": client_id,
               "InstrumentId": TEST, "Side": 0, "OrderType": LIMIT, "TimeInForce": GTC,
               "Quantity": 1, "LimitPrice": 900}
    key, value = random_source.choice((("Quantity", 1.5), ("Quantity", 0), ("LimitPrice", None),
                                       ("InstrumentId", 99), ("Side", 3), ("AccountId", "x")))
    payload[key] = value
    return payload


def generate():
    random_source = random.Random(SEED)
    markets = (Market(BTCUSD, 23650, 0.01, 40), Market(TEST, 1000, 1, 16))
    writer = Writer()
    waiting = []  # (frame number from which the cancel is due, user, payload)
    client_id = 1000
    while len(writer.lines) < FRAMES:
        trader = random_source.randint(1, 4)
        user = f"trader{trader}"
        due = next((entry for entry in waiting if entry[0] <= len(writer.lines)), None)
        if due is not None:
            waiting.remove(due)
            writer.add(due[1], "CancelOrder", due[2])
            if random_source.random() < 0.02:
                writer.add(due[1], "CancelOrder", due[2])
            continue
        client_id += 1
        account = trader + random_source.choice((0, 4))
        chance = random_source.random()
        if chance < 0.008:
            foreign = trader % 4 + 1
            writer.add(user, "CancelOrder", {"OMSId": 1, "AccountId": foreign,
                                             "ClOrderId": client_id - 1})
        elif chance < 0.016:
            writer.add(user, "SendOrder", bad_payload(random_source, account, client_id))
        elif chance < 0.024:
            writer.add(user, "GetOpenOrders", {"OMSId": 1, "AccountId": account})
        else:
            market = markets[0] if random_source.random() < 0.75 else markets[1]
            market.step(random_source)
            payload, rests = new_order(random_source, market, account, client_id)
            writer.add(user, "SendOrder", payload)
            if rests and random_source.random() < 0.9:
                due_at = len(writer.lines) + int(random_source.expovariate(1 / 60)) + 1
                waiting.append((due_at, user, {"OMSId": 1, "AccountId": account,
                                               "ClOrderId": client_id}))
    return writer.lines[:FRAMES]


def main():
    argparse.ArgumentParser(description=__doc__,
                            formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    for line in generate():
        print(line)


if __name__ == "__main__":
    main()
