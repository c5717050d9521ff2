"""Stock keeping for a small shop: items, reservations and a daily report."""

import csv
import logging
from dataclasses import dataclass, field
from datetime import date, timedelta

log = logging.getLogger(__name__)

LOW_STOCK = 5
MAX_RESERVATION_DAYS = 14


class OutOfStock(Exception):
    """Raised when fewer pieces are left than somebody wants."""


@dataclass
class Item:
    sku: str
    name: str
    price: float
    count: int = 0
    reserved: dict = field(default_factory=dict)

    @property
    def available(self):
        return self.count - sum(self.reserved.values())

    def is_low(self):
        return self.available < LOW_STOCK


class Inventory:
    def __init__(self, items=()):
        self._items = {item.sku: item for item in items}

    def __len__(self):
        return len(self._items)

    def add(self, item):
        if item.sku in self._items:
            raise ValueError(f"duplicate sku: {item.sku}")
        self._items[item.sku] = item
        log.info("added %s", item.sku)

    def reserve(self, sku, customer, pieces=1):
        item = self._items[sku]
        if not item.available >= pieces:
            raise OutOfStock(f"only {item.available} of {sku} left")

        # A second reservation of the same customer adds to the first.
        item.reserved[customer] = item.reserved.get(customer, 0) + pieces
        until = date.today() + timedelta(days=MAX_RESERVATION_DAYS)
        log.info("reserved %d of %s until %s", pieces, sku, until)
        return until

    def release(self, sku, customer):
        item = self._items[sku]
        if customer not in item.reserved:
            return 0

        pieces = item.reserved.pop(customer)
        log.info("released %d of %s", pieces, sku)
        return pieces

    def sell(self, sku, customer, pieces=1):
        item = self._items[sku]
        held = item.reserved.get(customer, 0)
        if item.available + held < pieces:
            raise OutOfStock(sku)

        if held > pieces:
            item.reserved[customer] = held - pieces
        else:
            item.reserved.pop(customer, None)
        item.count -= pieces
        return round(item.price * pieces, 2)

    def low(self):
        for item in self._items.values():
            if item.is_low():
                yield item


def read_items(path, delimiter=";"):
    with open(path, newline="", encoding="utf-8") as handle:
        reader = csv.DictReader(handle, delimiter=delimiter)
        for number, row in enumerate(reader, start=2):
            try:
                yield Item(row["sku"], row["name"], float(row["price"]), int(row["count"]))
            except (KeyError, ValueError) as error:
                log.warning("%s:%d: %s", path, number, error)
                continue


def report(inventory, today=None):
    """One line for each item that is about to run out."""
    today = today or date.today()
    lines = [f"Low stock on {today:%Y-%m-%d}"]
    for item in sorted(inventory.low(), key=lambda item: item.available):
        lines.append(f"{item.sku:<10} {item.name:<30} {item.available:>4}")

    if len(lines) == 1:
        lines.append("nothing to order")
    return "\n".join(lines)
