"""URLs that other people's machines call, on the operator's host; each checks a signature of its own."""

from django.urls import path

from numbers.views import hooks

app_name = "hooks"

urlpatterns = [path("postal/", hooks.postal, name="postal")]
