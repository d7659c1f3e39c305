"""URLs of the top floor: faxes, and the printer they come from."""

from django.urls import path, re_path

from fax.views import faxes, printer

app_name = "fax"

urlpatterns = [
    path("faxes/", faxes.faxes, name="faxes"),
    path("faxes/<int:pk>/", faxes.fax, name="fax"),
    path("faxes/<int:pk>/page1.png", faxes.preview, name="fax_preview"),
    path("faxes/<int:pk>/number/", faxes.address, name="fax_address"),
    path("faxes/<int:pk>/cancel/", faxes.cancel, name="fax_cancel"),
    path("faxes/<int:pk>/retry/", faxes.retry, name="fax_retry"),
    path("faxes/<int:pk>/delete/", faxes.delete, name="fax_delete"),
    re_path(r"^ipp/fax/(?P<number>[1-9][0-9]{5,14})$", printer.printer, name="printer"),
]
