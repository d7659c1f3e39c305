"""The pages at the door: allauth's, but for those that cannot occur here and those that `signin_views` replaces."""

from allauth.account.urls import urlpatterns as account_urls
from django.urls import include, path

from portal import signin_views

REPLACED = {"account_email", "account_confirm_email"}
UNUSED = {"account_email_verification_sent", "account_confirm_login_code"}  # sign-in asks for neither

urlpatterns = [
    *(page for page in account_urls if page.name not in REPLACED | UNUSED),
    path("email/", signin_views.email, name="account_email"),
    path("confirm-email/<str:key>/", signin_views.confirm_email, name="account_confirm_email"),
    path("2fa/", include("allauth.mfa.urls")),
    path("sessions/", signin_views.sessions, name="usersessions_list"),
    path("sessions/<int:pk>/end/", signin_views.end_session, name="usersessions_end"),
]
