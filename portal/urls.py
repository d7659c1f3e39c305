"""URLs of the customers' portal; apps are included by name, so no floor imports the one above."""

from django.urls import include, path

from portal.views import account, health, help_pages, home

handler400 = "portal.views.errors.bad_request"
handler403 = "portal.views.errors.forbidden"
handler404 = "portal.views.errors.not_found"
handler500 = "portal.views.errors.server_error"

portal_patterns = (
    [
        path("", home.home, name="home"),
        path("switch-tenant/", account.switch_tenant, name="switch_tenant"),
        path("language/", account.language, name="language"),
        path("theme/", account.theme, name="theme"),
        path("profile/", account.profile, name="profile"),
        path("help/", help_pages.index, name="help"),
        path("help/<slug:flow>/", help_pages.flow, name="help_flow"),
        path("healthz", health.healthz, name="healthz"),
    ],
    "portal",
)

urlpatterns = [
    path("", include(portal_patterns)),
    path("accounts/", include("portal.signin_urls")),
    path("demo/", include("portal.demo.urls")),
    path("costs/", include("billing.urls")),
    path("", include("staff.urls")),
    path("", include("numbers.urls")),
    path("", include("fax.urls")),
]
