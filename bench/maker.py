"""A worker that makes letters, in a process of its own: it is loaded before Django is."""

import os
from pathlib import Path


def warm(_place: int) -> None:
    """Load what a worker has loaded when it begins."""
    import django  # noqa: PLC0415 -- a process of its own

    os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings"
    django.setup()


def work() -> int:
    """Make what waits; return the largest memory of this process so far, in kB."""
    from numbers import letter_jobs  # noqa: PLC0415 -- needs the loaded settings

    letter_jobs.make_batches()
    peak = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(peak[0].split()[1])
