"""The alerts use metrics that exist and runbooks that exist; the commands in a runbook can be run."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml
from prometheus_client import Metric

from payung.cli import app
from services.registration.imports.background.figures import Figures
from shared.runtime import configuration
from shared.runtime.ops import floods
from shared.runtime.ops.metrics import Metrics

ROOT = Path(__file__).parents[3]
PROMETHEUS = ROOT / "deploy" / "prometheus"
RUNBOOKS = sorted((ROOT / "docs" / "runbooks").glob("*.md"))
RULES = [
    rule
    for group in yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]  # fmt: skip
CASES = [
    case
    for test in yaml.safe_load((PROMETHEUS / "alerts_test.yml").read_text())["tests"]
    for case in test["alert_rule_test"]
]
# Labels that Prometheus itself adds to every target.
SCRAPED = {"up"}
NAME = re.compile(r"\b(?:payung|process)_[a-z_]+|\bup\b")


def exported() -> set[str]:
    registry = Metrics("registration").registry
    Figures("registration", registry)
    metrics: list[Metric] = list(registry.collect())
    names = {name for one in metrics for name in _series(one)}
    return names | SCRAPED


def _series(metric: Metric) -> set[str]:
    suffix = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}.get(metric.type, ("",))
    return {metric.name, *(metric.name + one for one in suffix)}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_watches_what_is_measured_and_has_a_runbook_and_both_cases(rule: dict[str, Any]) -> None:
    watched = set(NAME.findall(re.sub(r'"[^"]*"', "", rule["expr"])))
    assert watched
    assert watched <= exported()
    runbook = ROOT / rule["annotations"]["runbook_url"]
    assert runbook in RUNBOOKS
    assert rule["alert"] in runbook.read_text()
    assert rule["labels"]["severity"] in ("page", "ticket")
    cases = [bool(case["exp_alerts"]) for case in CASES if case["alertname"] == rule["alert"]]
    assert {True, False} <= set(cases)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool comes with Prometheus (Debian: prometheus)")
def test_the_cases_of_the_alerts_come_out_as_written() -> None:
    run = subprocess.run(
        ["promtool", "test", "rules", "alerts_test.yml"], cwd=PROMETHEUS, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("runbook", RUNBOOKS, ids=lambda path: path.stem)
def test_everything_that_a_runbook_names_exists(runbook: Path) -> None:
    text = runbook.read_text()
    root = typer.main.get_command(app)
    for line in re.findall(r"\bpayung ((?:[a-z]+ ?)+(?:[^`\n#]*))", text):
        _check_command(root, line.split())
    names = set(re.findall(r"`(payung_[a-z_]+)`", text))
    assert names <= exported()
    for alert in re.findall(r"`(Payung[A-Z]\w+)`", text):
        assert alert in {rule["alert"] for rule in RULES}
    for linked in re.findall(r"\]\(([a-z-]+\.md)\)", text):
        assert (runbook.parent / linked).exists()


def _check_command(root: Any, words: list[str]) -> None:
    command = root
    while hasattr(command, "commands") and words:
        assert words[0] in command.commands, words
        command = command.commands[words.pop(0)]
    options = {name for one in command.params for name in one.opts}
    for word in words:
        assert not word.startswith("--") or word in options, (command.name, word)


def test_the_limits_in_the_runbook_are_those_of_the_code() -> None:
    text = (ROOT / "docs" / "runbooks" / "dead-letters.md").read_text()
    usual = floods.Limits()
    assert f"`{configuration.FLOOD_LETTERS.name}` | {usual.letters} |" in text
    assert f"`{configuration.FLOOD_SHARE.name}` | {usual.share} |" in text
    assert f"`{configuration.FLOOD_OWN_LETTERS.name}` | {usual.own_letters} |" in text
    assert f"`{configuration.FLOOD_WINDOW_S.name}` | {usual.window_s:.0f} |" in text
    assert f"`{configuration.FLOOD_PAUSE_MAX_S.name}` | {usual.pause_s:.0f}, {usual.pause_max_s:.0f} |" in text
