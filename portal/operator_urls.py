"""URLs of the operator's console."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from portal.admin import keep_own

keep_own(admin.site)

urlpatterns = [
    path("accounts/", include("portal.signin_urls")),
    # Django's own doors stay shut: sign-in with second factor, limits and trace is allauth's alone.
    path("console/login/", RedirectView.as_view(pattern_name="account_login", query_string=True)),
    path("console/logout/", RedirectView.as_view(pattern_name="account_logout")),
    path("console/password_change/", RedirectView.as_view(pattern_name="account_change_password")),
    path("console/", admin.site.urls),
    path("hooks/", include("numbers.hook_urls")),
    path("", RedirectView.as_view(pattern_name="admin:index")),
]
