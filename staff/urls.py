"""URLs of the tenant's people and of the way in."""

from django.urls import path

from staff.views import invitation

app_name = "staff"

urlpatterns = [
    path("invitation/", invitation.accept, name="accept"),
    path("invitation/<str:token>/", invitation.open_invitation, name="open_invitation"),
]
