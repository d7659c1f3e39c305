"""WSGI entry of the web and operator processes."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

application = get_wsgi_application()

import weasyprint  # noqa: E402, F401 -- takes a second to load, which no click should wait for

from portal import checks, wake  # noqa: E402 -- models load only after the applications are set up

checks.insist()
wake.prepare()

# What is loaded now stays for the life of the process; collecting it again and again only costs pauses.
gc.collect()
gc.freeze()
