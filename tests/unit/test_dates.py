"""The dates on which the tests are tried, and that every process really runs on them."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.calendar import WITA
from shared.runtime import clock
from tests import dates

_FIRST = datetime(2026, 11, 30, tzinfo=UTC)
# Waits as librdkafka does: until a time that the clock will soon show.
_WAITS = """
import ctypes, time
here = ctypes.CDLL(None)
condition, mutex, until = (ctypes.c_char * 64)(), (ctypes.c_char * 64)(), (ctypes.c_long * 2)(int(time.time()) + 1, 0)
here.cnd_init(condition); here.mtx_init(mutex, 0); here.mtx_lock(mutex)
print(here.cnd_timedwait(condition, mutex, until))
"""
NOW = st.integers(0, 60 * 366 * 24).map(lambda hours: _FIRST + timedelta(hours=hours))


@given(NOW)
def test_each_date_has_its_named_property_and_lies_in_the_future(now: datetime) -> None:
    known = dates.dates(now)
    assert all(at > now - timedelta(minutes=1) for at in known.values())
    month_end, leap_day, november = known["month-end"], known["leap-day"], known["november"]
    assert (month_end + timedelta(minutes=1)).astimezone(WITA).day == 1
    assert (leap_day.month, leap_day.day) == (2, 29)
    assert (november.month, november.day, november.hour) == (11, 29, 23)
    assert (known["new-year"].month, known["new-year"].day) == (1, 1)


@pytest.mark.skipif(dates.library() is None, reason="libfaketime is there on Linux on x86-64 only")
def test_a_process_and_its_child_live_on_the_date_and_their_waits_end(tmp_path: Path) -> None:
    library = dates.library()
    assert library is not None
    libraries = (library, dates.waits(tmp_path))
    to = dates.dates(clock.now())["leap-day"]
    tell = "import time; time.sleep(0.01); print(time.strftime('%m-%d', time.gmtime()))"
    nested = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {tell!r}], check=True)"
    environ = dates.moved(to, clock.now(), libraries, os.environ)
    told = subprocess.run(
        [sys.executable, "-c", nested], env=environ, check=True, capture_output=True, text=True, timeout=30
    )
    assert told.stdout.split() == ["02-29"]
    told = subprocess.run(
        [sys.executable, "-c", _WAITS], env=environ, check=True, capture_output=True, text=True, timeout=30
    )
    assert told.stdout.split() == ["4"], "thrd_timedout"
