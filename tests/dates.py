"""Runs the tests and the demo on other days: `make dates` moves the clock of every process, broker and database.

    python -m tests.dates                 every date: the offline tests, the integration level; a demo over midnight
    python -m tests.dates --daily         the offline tests on one date, another each day; CI runs it
    python -m tests.dates --only leap-day tests/unit/claims
    python -m tests.dates --only month-end --demo      the demo, across midnight: its figures must be equal

libfaketime moves the wall clock by an offset. All processes inherit it, so our clock, Kafka's LogAppendTime and
MongoDB's clock agree. It needs Linux on x86-64, and a C compiler for a call that it does not know (moved_waits.c). The
monotonic clock, which measures waits, does not move. Time continues: a run that begins at 23:59 crosses midnight.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from importlib.util import find_spec
from pathlib import Path

from payung.embedded import ports
from shared.kernel.calendar import WITA, business_day, first_day, period_of, shift_period, years_later
from shared.runtime import clock

_OVER_MIDNIGHT = "month-end"
# The simulation has a clock of its own, and no page about adding things depends on the day.
OFFLINE = ("-m", "not connected", "tests", "--deselect", "tests/simulation", "--deselect", "tests/walks")
INTEGRATION = ("-m", "connected and not faults", "tests/integration", "tests/conformance")

_MOVING = ("LD_PRELOAD", "FAKETIME", "FAKETIME_DONT_FAKE_MONOTONIC", "FAKETIME_FORCE_MONOTONIC_FIX", "NO_FAKE_STAT")


def dates(now: datetime) -> dict[str, datetime]:
    """The instants to try, by name; all are in the future."""
    today = business_day(now)
    next_month = first_day(shift_period(period_of(today), 1))
    leap = next(year for year in range(today.year + 1, today.year + 9) if year % 4 == 0 and year % 100 != 0)
    evening, morning = time(23, 59, tzinfo=WITA), time(0, 30, tzinfo=WITA)
    return {
        "month-end": datetime.combine(next_month - timedelta(days=1), evening),
        "new-year": datetime.combine(today.replace(year=today.year + 1, month=1, day=1), morning),
        "leap-day": datetime.combine(
            today.replace(year=leap, month=2, day=1) + timedelta(days=28), time(12, tzinfo=WITA)
        ),
        "november": datetime.combine(today.replace(year=today.year + 1, month=11, day=29), evening),
        "five-years": datetime.combine(years_later(today, 5), time(8, tzinfo=WITA)),
    }


def moved(to: datetime, now: datetime, libraries: Sequence[Path], environ: Mapping[str, str]) -> dict[str, str]:
    """The environment that moves a process and all its children to another time."""
    # When the clock is already moved, `now` is the moved time, but the new offset counts from the real clock.
    seconds = int((to - now).total_seconds()) + int(environ.get("FAKETIME", "0"))
    return {
        **environ,
        "LD_PRELOAD": ":".join(map(str, libraries)),
        "FAKETIME": f"{seconds:+d}",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        # With the default of 1 for this glibc, a wait of the Java runtime never ends, and the broker does not start.
        "FAKETIME_FORCE_MONOTONIC_FIX": "0",
        "NO_FAKE_STAT": "1",
    }


def bare(environ: Mapping[str, str]) -> dict[str, str]:
    """Only the path and the moved clock of an environment, for a process that must not inherit anything else."""
    kept = (
        "PATH",
        "LD_PRELOAD",
        "FAKETIME",
        "FAKETIME_DONT_FAKE_MONOTONIC",
        "FAKETIME_FORCE_MONOTONIC_FIX",
        "NO_FAKE_STAT",
    )
    return {name: environ[name] for name in kept if name in environ}


def library() -> Path | None:
    """The libfaketime of the Python package; None when there is none for this platform."""
    package = find_spec("libfaketime")
    if package is None or package.origin is None:
        return None
    found = Path(package.origin).parent / "vendor/libfaketime/src/libfaketime.so.1"
    return found if found.is_file() else None


def waits(folder: Path) -> Path:
    """Builds moved_waits.c; raises OSError without a C compiler, CalledProcessError when it fails."""
    built = folder / "moved_waits.so"
    source = Path(__file__).with_name("moved_waits.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(built), str(source), "-lpthread"], check=True)
    return built


def main() -> int:
    """Runs the tests on the chosen dates; returns 1 when they fail on any."""
    now = clock.now()
    known = dates(now)
    asked = argparse.ArgumentParser(prog="python -m tests.dates", description=__doc__)
    asked.add_argument("--daily", action="store_true", help="the offline tests on the date whose turn it is today")
    asked.add_argument("--only", choices=sorted(known), help="one date")
    asked.add_argument("--demo", action="store_true", help="`payung demo` instead of tests")
    asked.add_argument("tests", nargs="*", help="instead of the offline tests and the integration level")
    given = asked.parse_args()
    found = library()
    if found is None:
        print("The clock can be moved on Linux on x86-64 only; nothing was tried.")
        return 0
    with tempfile.TemporaryDirectory(prefix="payung-dates-") as folder:
        try:
            libraries = (found, waits(Path(folder)))
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"The clock cannot be moved without a C compiler (cc): {error}")
            return 1
        return _try_all(given, known, libraries)


def _try_all(given: argparse.Namespace, known: Mapping[str, datetime], libraries: Sequence[Path]) -> int:
    now = clock.now()
    daily = sorted(known)[business_day(now).toordinal() % len(known)]
    names = [given.only] if given.only else [daily] if given.daily else list(known)
    runs_some = bool(given.tests) or given.daily
    runs = [tuple(given.tests)] if given.tests else [OFFLINE] if given.daily else [OFFLINE, INTEGRATION]
    commands = [] if given.demo else [(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *run) for run in runs]
    failed = [name for name in names for one in commands if not _passes(name, known[name], libraries, one)]
    # Time passes midnight, and on 31 December the year, while the demo runs.
    over_midnight = names if given.demo else [name for name in names if name == _OVER_MIDNIGHT and not runs_some]
    failed += [name for name in over_midnight if not _demo_passes(name, known[name], libraries)]
    if failed:
        print(f"failed on: {', '.join(dict.fromkeys(failed))}")
    return 1 if failed else 0


def _demo_passes(name: str, to: datetime, libraries: Sequence[Path]) -> bool:
    with tempfile.TemporaryDirectory(prefix="payung-demo-", ignore_cleanup_errors=True) as folder:
        place = ("--exit", "--data", folder, "--port-base", str(ports.free_base()))
        return _passes(name, to, libraries, (sys.executable, "-m", "payung", "demo", "--workers", "2000", *place))


def _passes(name: str, to: datetime, libraries: Sequence[Path], command: tuple[str, ...]) -> bool:
    print(f"== {name}: {to.isoformat()}", flush=True)
    # Take `now` again for each run: each run must begin at exactly the chosen minute.
    environ = moved(to, clock.now(), libraries, os.environ)
    return subprocess.run(command, env=environ, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
