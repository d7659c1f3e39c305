#!/usr/bin/env python
"""Run a management command of the portal."""

import os
import sys

# These change the schema or reference data and therefore run as the owner of the tables.
OWNER_COMMANDS = {"prepare", "migrate", "createcachetable", "load_areas", "flush", "sqlflush", "dbshell"}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    if len(sys.argv) > 1 and sys.argv[1] in OWNER_COMMANDS:
        os.environ.setdefault("PORTAL_PROCESS", "migrate")
    from django.core.management import execute_from_command_line  # noqa: PLC0415 -- settings must be named first

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
