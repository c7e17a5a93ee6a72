"""The same view twice: for ASGI and for WSGI."""

import os

from django.http import HttpRequest, JsonResponse

from shop.hooks import blocking, runtime


async def place(request: HttpRequest, order: int) -> JsonResponse:
    """Place an order, under ASGI: await the runtime."""
    receipt = await runtime.emit("Order.Placed", {"order": order})
    return JsonResponse({"event": receipt.id, "worker": os.getpid()}, status=202)


def place_blocking(request: HttpRequest, order: int) -> JsonResponse:
    """Place an order, under WSGI: the runtime runs in a thread of its own."""
    receipt = blocking.emit("Order.Placed", {"order": order})
    return JsonResponse({"event": receipt.id, "worker": os.getpid()}, status=202)
