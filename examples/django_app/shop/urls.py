"""A path for each kind of server."""

from django.urls import path

from shop.views import place, place_blocking

urlpatterns = [path("orders/<int:order>", place), path("wsgi/orders/<int:order>", place_blocking)]
