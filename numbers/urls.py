"""URLs of the biggest floor, one group per subject."""

from django.urls import path, re_path

from numbers.views import (
    assignment,
    bulk,
    calls,
    dashboard,
    forwarding,
    kept,
    lifecycle,
    number,
    overview,
    people,
    swap,
    upcoming,
)

app_name = "numbers"

urlpatterns = [
    path("dashboard/", dashboard.dashboard, name="dashboard"),
    path("upcoming/", upcoming.upcoming, name="upcoming"),
    path("history/", number.history, name="history"),
    path("mine/", people.mine, name="mine"),
    path("people/<int:pk>/numbers/", people.of_member, name="of_member"),
    path("people/<int:pk>/release/", people.release, name="release"),
    path("numbers/", overview.overview, name="overview"),
    path("numbers/tabs/", overview.tabs, name="tabs"),
    path("numbers/export.csv", overview.export, name="export"),
    path("numbers/columns/", overview.columns, name="columns"),
    path("numbers/swap/", swap.swap, name="swap"),
    path("numbers/swap/choices/", swap.choices, name="swap_choices"),
    path("numbers/bulk/", bulk.confirm, name="bulk"),
    path("numbers/bulk/<int:pk>/", bulk.result, name="bulk_result"),
    path("numbers/bulk/<int:pk>/result.csv", bulk.result_csv, name="bulk_result_csv"),
    path("numbers/<int:pk>/", number.detail, name="number"),
    path("numbers/<int:pk>/edit/", number.edit, name="edit"),
    path("numbers/<int:pk>/activate/", lifecycle.activate, name="activate"),
    path("numbers/<int:pk>/deactivate/", lifecycle.deactivate, name="deactivate"),
    path("numbers/<int:pk>/withdraw/", lifecycle.withdraw, name="withdraw"),
    path("numbers/<int:pk>/assign/", assignment.assign, name="assign"),
    path("numbers/<int:pk>/unassign/", assignment.unassign, name="unassign"),
    path("numbers/<int:pk>/handover/withdraw/", assignment.withdraw, name="handover_withdraw"),
    path("numbers/<int:pk>/forwarding/", forwarding.forwarding, name="forwarding"),
    path("numbers/<int:pk>/forwarding/<slug:when>/remove/", forwarding.remove, name="forwarding_remove"),
    path("numbers/<int:pk>/calls/", calls.of_number, name="calls"),
    path("calls/mine/", calls.own, name="own_calls"),
    path("calls/itemised/", calls.itemised, name="itemised"),
    path("calls/itemised/order/", calls.order, name="itemisation_order"),
    path("calls/itemised/withdraw/", calls.withdraw, name="itemisation_withdraw"),
    path("calls/itemised/<int:year>/<int:month>/", calls.bill, name="itemised_bill"),
    re_path(
        r"^calls/itemised/(?P<year>\d{4})/(?P<month>\d{1,2})/bill\.(?P<form>csv|pdf)$", calls.bill, name="itemised_file"
    ),
    path("calls/kept/", kept.kept, name="kept"),
    path("calls/kept/retention/", kept.retention, name="retention"),
]
