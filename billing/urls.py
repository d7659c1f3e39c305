"""URLs of billing."""

from django.urls import path

from billing import views

app_name = "billing"

urlpatterns = [
    path("", views.costs, name="costs"),
    path("export.csv", views.costs_csv, name="costs_csv"),
]
