"""hookrt inside FastAPI: `uvicorn --app-dir examples/fastapi_app app:app`."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI

from hookrt import Event, Runtime
from hookrt.web import runtime_app

runtime = Runtime(store=os.environ.get("ORDERS_STORE", "sqlite:///.hookrt/fastapi_app.db"))


@runtime.on("Order.Placed", name="confirm")
async def confirm(event: Event) -> None:
    """Runs in the application's own event loop, with retries, and again after a crash."""
    print(f"confirmed order {event.data['order']}", flush=True)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """The runtime lives as long as the application."""
    async with runtime:
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/orders/{order}", status_code=202)
async def place(order: int) -> dict[str, Any]:
    """Place an order: its event is on disk when this answers."""
    receipt = await runtime.emit("Order.Placed", {"order": order})
    return {"event": receipt.id, "deliveries": receipt.deliveries}


# The service's API, GET /hooks/v1/deliveries, for this machine only; never so behind a proxy, where it takes tokens.
app.mount("/hooks", runtime_app(runtime, allow="local"))
