"""A plain script with durable hooks: `python examples/script/orders.py`.

Every order is on disk before `emit` returns, and confirmed at least once, also when the script is killed in between:
run it again, and it takes up what was left.
"""

import os

from hookrt import Event, Runtime

runtime = Runtime(store=os.environ.get("ORDERS_STORE", "sqlite:///.hookrt/orders.db"))


@runtime.on("Order.Placed", name="confirm", retry=["50ms", "1s", "1m"])
def confirm(event: Event) -> dict[str, int]:
    """Confirm an order; a plain function, so it runs in a thread and may block."""
    print(f"confirmed order {event.data['order']} for {event.data['customer']}")
    return {"confirmed": event.data["order"]}


def main() -> None:
    """Place three orders, and wait until each is confirmed."""
    with runtime.blocking() as hooks:
        for order, customer in enumerate(["ada", "grace", "edsger"], start=1):
            receipt = hooks.emit("Order.Placed", {"order": order, "customer": customer})
            [delivery] = hooks.wait(receipt, timeout=30)
            print(f"order {order}: {delivery.status.value}")


if __name__ == "__main__":
    main()
