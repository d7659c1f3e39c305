"""Ground floor of the house: who you are, which tenant, what was done, what is sent."""

from pathlib import Path

import numbers

# `numbers` is also a module of the standard library, which `decimal` needs. Our folder of that name therefore has no
# __init__.py and is grafted on: `numbers.lifecycle` is ours, `numbers.Number` stays Python's.
numbers.__path__ = [str(Path(__file__).resolve().parent.parent / "numbers")]
