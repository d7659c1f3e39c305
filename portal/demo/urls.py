"""URLs of what exists in the demo only."""

from django.urls import path, register_converter

from portal.demo import mail, views


class _Name:
    regex = mail.NAME.pattern

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(_Name, "letter")

app_name = "demo"

urlpatterns = [
    path("mail/", views.mails, name="mails"),
    path("mail/<letter:name>/", views.letter, name="mail"),
    path("mail/<letter:name>/html/", views.letter_html, name="mail_html"),
]
