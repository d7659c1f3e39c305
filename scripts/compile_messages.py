"""Compile every message catalogue under locale/ with Babel, so that no gettext is needed on the machine.

Fails on a wrong placeholder, a fuzzy or an untranslated German message, or a catalogue that does not parse.
"""

import sys
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po


def compile_catalogue(path: Path) -> list[str]:
    """Write the .mo beside `path` and return the faults found in it."""
    with path.open("rb") as source:
        catalogue = read_po(source, locale=path.parts[-3], abort_invalid=True)
    faults = [f"{path}:{message.lineno}: {error}" for message, errors in catalogue.check() for error in errors]
    for message in catalogue:
        if not message.id:
            continue
        texts = message.string if isinstance(message.string, tuple | list) else (message.string,)
        if message.fuzzy or (path.parts[-3] == "de" and not all(texts)):
            faults.append(f"{path}:{message.lineno}: not translated: {message.id!r}")
    with path.with_suffix(".mo").open("wb") as target:
        write_mo(target, catalogue)
    return faults


def main() -> int:
    root = Path(__file__).resolve().parent.parent / "locale"
    faults = [fault for path in sorted(root.rglob("*.po")) for fault in compile_catalogue(path)]
    sys.stderr.writelines(f"{fault}\n" for fault in faults)
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
