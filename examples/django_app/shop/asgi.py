"""ASGI: `uvicorn --app-dir examples/django_app shop.asgi:application`."""

import os

from django.core.asgi import get_asgi_application

from hookrt.web import runtime_app, with_runtime
from shop.hooks import runtime

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")

# Django knows no lifespan: `with_runtime` starts the runtime before the first request and stops it after the last.
# The API is for this machine only; never so behind a proxy, where it takes tokens.
hooks_api = runtime_app(runtime, allow="local")
application = with_runtime(get_asgi_application(), runtime, mounts={"/hooks": hooks_api})
