"""URLs of the floor."""

from django.urls import path

from bench.floor import views

urlpatterns = [
    path("const/", views.const),
    path("full/", views.full),
    path("part/", views.part),
    path("copy/", views.copy),
    path("admin/", views.site.urls),
]
