"""WSGI: `gunicorn --chdir examples/django_app --workers 4 shop.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

from shop.hooks import blocking

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")

application = get_wsgi_application()
blocking.start()  # in each worker, after the fork (so no --preload); it stops by itself when the worker ends
