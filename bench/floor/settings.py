"""Settings of the floor and of the admin: plain Django on the same database (FLOOR=admin for the admin)."""

import os

from portal.settings import *  # noqa: F403 -- the same database, the same apps
from portal.settings import BASE_DIR, INSTALLED_APPS, TEMPLATES

ADMIN = os.environ.get("FLOOR") == "admin"
INSTALLED_APPS = [*(app for app in INSTALLED_APPS if app != "django.contrib.admin"), "django.contrib.admin"]
ROOT_URLCONF = "bench.floor.urls"
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",  # the installed apps insist on it; it does next to nothing
    *(["bench.floor.views.EveryTenantMiddleware"] if ADMIN else []),
]
TEMPLATES[0]["DIRS"].append(BASE_DIR / "bench" / "floor" / "templates")
if ADMIN:  # the admin's own widgets and templates, not the portal's
    TEMPLATES[0]["DIRS"] = [BASE_DIR / "bench" / "floor" / "templates"]
TEMPLATES[0]["OPTIONS"]["context_processors"] = [
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
]
SESSION_ENGINE = "django.contrib.sessions.backends.db"  # plain Django's
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000  # the admin sends the ids of all rows it acts on
