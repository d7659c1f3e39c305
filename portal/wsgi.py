"""WSGI entry of the web and operator processes."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

application = get_wsgi_application()

# Each takes a second to load, which no click should wait for.
import holidays.countries  # noqa: E402, F401 -- the first date of porting would load them
import weasyprint  # noqa: E402, F401 -- the typesetter

from portal import checks, wake  # noqa: E402 -- models load only after the applications are set up

checks.insist()
wake.prepare()

# What is loaded now stays for the life of the process; collecting it again and again only costs pauses.
gc.collect()
gc.freeze()
