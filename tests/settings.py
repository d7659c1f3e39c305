"""Settings of the tests: the web process, over plain HTTP."""

import os
import tempfile
from pathlib import Path

os.environ |= {"PORTAL_SECURE": "0", "PORTAL_PROCESS": "web"}
os.environ.setdefault("PORTAL_SECRET_KEY", "tests-only-" * 6)

from portal.settings import *  # noqa: F403 -- the environment comes first

# What a demo in this folder has collected may be older than what is built.
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}  # noqa: F405
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True  # files are looked up when asked for, not whenever a test makes a client
PASSWORD_HASHERS = ["tests.hashers.QuickArgon2"]
DOCUMENTS_DIR = Path(tempfile.gettempdir()) / f"portal-test-documents-{os.getpid()}"
