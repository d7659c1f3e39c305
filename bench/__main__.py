"""Run the benchmark: `python -m bench [--numbers 1000000] [--rounds 30] [--write]`."""

import argparse
import os
import platform
import shutil
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

from bench import servers as bench_servers
from bench import world
from portal import servers

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--numbers", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--only", choices=["calls"], help="measure traffic data alone; nothing is written")
    parser.add_argument("--write", action="store_true", help="write docs/proof/speed.md")
    parser.add_argument("--keep", type=Path, help="folder of a cluster that is kept and used again")
    options = parser.parse_args()
    with _place(options.keep) as place, servers.running(place) as running:
        _world(place, running.admin_url, options.numbers)
        os.environ |= bench_servers.environment(place, "portal_ops", "worker")
        os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings"
        import django  # noqa: PLC0415 -- the environment must name the database first

        django.setup()
        from bench import measures  # noqa: PLC0415

        if options.only:
            results = measures.of_calls(running.admin_url)
        else:
            with bench_servers.web_servers(place) as processes:
                results = measures.all_of_them(running.admin_url, rounds=options.rounds, processes=processes)
    report = _report(results, options.numbers)
    print(report)
    if options.write and not options.only:
        (ROOT / "docs" / "proof").mkdir(parents=True, exist_ok=True)
        (ROOT / "docs" / "proof" / "speed.md").write_text(report)
    return 0 if all(r.met for r in results) else 1


def _place(kept: Path | None):  # type: ignore[no-untyped-def]  # two kinds of context manager
    from contextlib import nullcontext  # noqa: PLC0415

    return nullcontext(kept) if kept else servers.scratch()


def _world(place: Path, admin_url: str, total: int) -> None:
    marker = place / f"world-{total}"
    if marker.exists():
        return
    began = time.monotonic()
    bench_servers.manage(place, "prepare")
    sizes = world.fill(admin_url, "portal", total)
    marker.touch()
    print(f"{sum(sizes):,} numbers of {len(sizes)} tenants in {time.monotonic() - began:.0f} s")


def _report(results: list, total: int) -> str:  # type: ignore[type-arg]  # bench.measures.Result, loaded late
    cpu = next(
        (x.split(":")[1].strip() for x in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in x), "?"
    )
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout
    lines = [
        "# Speed",
        "",
        f"Measured {datetime.now(UTC):%Y-%m-%d} by `make bench` at {commit.strip()}: {total:,} numbers, 1,000 tenants,"
        f" Python {platform.python_version()}, PostgreSQL 18, {os.cpu_count()} cores ({cpu}),"
        f" {shutil.disk_usage('/').total // 2**30} GB disk.",
        "",
        *(__import__("bench").__doc__ or "").strip().splitlines()[2:],
        "",
        "| what | measured | goal | met |",
        "|---|---|---|---|",
        *(f"| {r.what} | {r.measured} | {r.goal} | {'yes' if r.met else '**no**'} |" for r in results),
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
