"""The runtime, and the functions that are its hooks. Nothing starts here: asgi.py and wsgi.py start it."""

import os

from hookrt import Event, Runtime

runtime = Runtime(store=os.environ.get("ORDERS_STORE", "sqlite:///.hookrt/django_app.db"))
blocking = runtime.blocking()


@runtime.on("Order.Placed", name="confirm")
def confirm(event: Event) -> None:
    """Confirm an order; of all workers only the one that delivers calls it."""
    print(f"confirmed order {event.data['order']} in {os.getpid()}", flush=True)
