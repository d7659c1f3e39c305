"""URLs of the top floor: who has fax access, faxes, and the printer they come from."""

from django.urls import path, re_path

from fax.views import access, faxes, links, printer, settings

app_name = "fax"

urlpatterns = [
    path("numbers/<int:pk>/fax/", access.access, name="access"),
    path("numbers/<int:pk>/fax/send/", access.send, name="send"),
    path("staff/<int:pk>/fax/", access.of_member, name="of_member"),
    path("fax/access/<int:pk>/revoke/", access.revoke, name="revoke"),
    path("fax/settings/", settings.settings, name="settings"),
    path("fax/link/", links.link, name="link"),
    path("fax/link/<str:token>/", links.open_link, name="open"),
    path("faxes/", faxes.faxes, name="faxes"),
    path("faxes/<int:pk>/", faxes.fax, name="fax"),
    path("faxes/<int:pk>/page1.png", faxes.preview, name="fax_preview"),
    path("faxes/<int:pk>/number/", faxes.address, name="fax_address"),
    path("faxes/<int:pk>/cancel/", faxes.cancel, name="fax_cancel"),
    path("faxes/<int:pk>/retry/", faxes.retry, name="fax_retry"),
    path("faxes/<int:pk>/delete/", faxes.delete, name="fax_delete"),
    re_path(r"^ipp/fax/(?P<number>[1-9][0-9]{5,14})$", printer.printer, name="printer"),
]
