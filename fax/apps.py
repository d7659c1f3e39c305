from django.apps import AppConfig


class FaxConfig(AppConfig):
    name = "fax"
