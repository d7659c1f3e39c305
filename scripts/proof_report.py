"""Write docs/proof/suite.md from what `make proof` left in build/proof-*.xml: what ran, how often, what it said."""

import os
import platform
import subprocess
import sys
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent


def cases() -> list[ElementTree.Element]:
    files = sorted((ROOT / "build").glob("proof-*.xml"))
    # Our own files of a moment ago, written by pytest.
    return [case for file in files for case in ElementTree.parse(file).iter("testcase")]  # noqa: S314


def verdict(case: ElementTree.Element) -> str:
    return next((child.tag for child in case if child.tag in ("failure", "error", "skipped")), "passed")


def table(found: list[ElementTree.Element]) -> list[str]:
    files: dict[str, list[ElementTree.Element]] = defaultdict(list)
    for case in found:
        files[case.get("classname", "").replace(".", "/")].append(case)
    return [
        f"| {name} | {len(inside)} | {sum(float(case.get('time', 0)) for case in inside):.0f} s |"
        for name, inside in sorted(files.items())
    ]


def said(found: list[ElementTree.Element]) -> list[str]:
    """What tests printed: counts, seeds, times."""
    lines = []
    for case in found:
        own = [line for line in (case.findtext("system-out") or "").split("\n") if line and "Captured Out" not in line]
        if words := " · ".join(own):
            lines.append(f"- `{case.get('name')}`: {words[:400]}")
    return sorted(lines)


def main() -> int:
    found = cases()
    counts: dict[str, int] = defaultdict(int)
    for case in found:
        counts[verdict(case)] += 1
    git = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(git, cwd=ROOT, capture_output=True, text=True).stdout  # noqa: S603 -- our own words
    report = [
        "# The suite at full counts",
        "",
        f"`make proof` at {commit.strip()} on {datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()},"
        f" {os.cpu_count()} cores: {', '.join(f'{n} {what}' for what, n in sorted(counts.items()))}.",
        "",
        "Counts and seeds are the tests' own words:",
        "",
        *said(found),
        "",
        "| file | tests | time |",
        "|---|---|---|",
        *table(found),
        "",
    ]
    (ROOT / "docs" / "proof").mkdir(parents=True, exist_ok=True)
    (ROOT / "docs" / "proof" / "suite.md").write_text("\n".join(report), encoding="utf-8")
    sys.stdout.write("docs/proof/suite.md\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
