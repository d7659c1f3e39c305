"""URLs of the tenant's people and of the way in."""

from django.urls import path

from staff.views import access, directory, invitation, member, settings

app_name = "staff"

urlpatterns = [
    path("staff/", directory.listing, name="list"),
    path("staff/export.csv", directory.export, name="export"),
    path("staff/enrol/", directory.enrol, name="enrol"),
    path("staff/settings/", settings.settings, name="settings"),
    path("staff/new/", member.new, name="new"),
    path("staff/<int:pk>/", member.member, name="member"),
    path("staff/<int:pk>/edit/", member.edit, name="edit"),
    path("staff/<int:pk>/lock/", access.lock, name="lock"),
    path("staff/<int:pk>/unlock/", access.unlock, name="unlock"),
    path("staff/<int:pk>/remove/", access.remove, name="remove"),
    path("staff/<int:pk>/invite/", access.invite, name="invite"),
    path("staff/<int:pk>/revoke/", access.revoke, name="revoke"),
    path("staff/<int:pk>/role/", access.role, name="role"),
    path("invitation/", invitation.accept, name="accept"),
    path("invitation/<str:token>/", invitation.open_invitation, name="open_invitation"),
]
