"""The `payung` command. Each command calls the module that does the work; errors say what to do next."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.table import Table
from rich.text import Text

from payung import (
    backup_cli,
    checks,
    commands,
    configuration,
    installations,
    keys_cli,
    policy_cli,
    publish,
    rates_cli,
    status,
    troubles,
    whatif_cli,
)
from payung.access import cli as access_cli
from payung.access import commands as access
from payung.bpjs import cli as bpjs_cli
from payung.dlq import cli as dlq_cli
from payung.embedded import ports
from payung.embedded.stack import StackConfig, default_data_dir
from payung.embedded.stack import up as bring_up
from payung.installations import CommandError
from payung.options import AsJson, DataOption
from payung.plan_view import show_plan
from payung.terminal import console, progress_bars
from payung.tracing import cli as tracing_cli
from shared.contracts import topics
from shared.kernel.calendar import business_day
from shared.kernel.money import rupiah
from shared.lists.answers import answers_path
from shared.lists.columns import SENT_BY_AGENCIES, ListKind
from shared.lists.errors import ListError
from shared.runtime import clock
from shared.runtime.kafka import topics_admin
from shared.runtime.ops import secrets

app = typer.Typer(
    help="Payung: employment social security for vulnerable informal workers.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
budget_app = typer.Typer(help="Ceilings per regency, year and funding.", no_args_is_help=True)
billing_app = typer.Typer(help="The monthly run.", no_args_is_help=True)
invoice_app = typer.Typer(help="Invoices and their payment.", no_args_is_help=True)
report_app = typer.Typer(help="The dashboard's figures.", no_args_is_help=True)
topics_app = typer.Typer(help="Kafka topics.", no_args_is_help=True)
agency_app = typer.Typer(help="Agencies.", no_args_is_help=True)
snapshot_app = typer.Typer(help="Population snapshots.", no_args_is_help=True)
contracts_app = typer.Typer(help="The published language.", no_args_is_help=True)
for name, group in (
    ("budget", budget_app),
    ("billing", billing_app),
    ("invoice", invoice_app),
    ("report", report_app),
    ("topics", topics_app),
    ("agency", agency_app),
    ("snapshot", snapshot_app),
    ("policy", policy_cli.app),
    ("rates", rates_cli.app),
    ("keys", keys_cli.app),
    ("dlq", dlq_cli.app),
    ("contracts", contracts_app),
    ("credentials", access_cli.app),
):
    app.add_typer(group, name=name)
budget_app.command("what-if")(whatif_cli.what_if)
app.command("backup")(backup_cli.make)
app.command("restore")(backup_cli.put_back)
app.command("trace")(tracing_cli.trace)
invoice_app.command("participants")(bpjs_cli.participants)
invoice_app.command("answers")(bpjs_cli.answers)

out = console()
err = console(stderr=True)
T = TypeVar("T")

KINDS = ", ".join(SENT_BY_AGENCIES)
DIFFERENCES_SHOWN = 20
# A thousand times the country's yearly spending, and far below the limit of 64 bits.
RUPIAH_MAX = 10**18
PEOPLE_MAX = 10**9
RegencyOption = Annotated[str, typer.Option(help="Kemendagri code, e.g. 64.08")]
PortBase = Annotated[int, typer.Option(help="First port of all.", min=ports.BASE_MIN, max=ports.BASE_MAX)]
PeriodOption = Annotated[str, typer.Option(help="Month, YYYY-MM")]
Replicas = Annotated[
    int | None, typer.Option(min=1, max=99, help="Copies of a new topic; default PAYUNG_KAFKA_REPLICATION, else 3")
]
FundingOption = Annotated[str, typer.Option(help="apbd-regency, apbd-province, self or csr")]


def main() -> None:
    """Runs the command line. Every failure becomes one line on standard error and an exit code (troubles.run)."""
    troubles.run(app, lambda text: err.print(text, style="red", soft_wrap=True, markup=False))


def _run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def _tell(notices: Sequence[tuple[str, str]]) -> None:
    """Prints what was assumed about a list, or left out of it."""
    for text_id, text_en in notices:
        out.print(f"{text_id} ({text_en})", style="yellow", soft_wrap=True)


def _print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


@app.command()
def up(
    data: DataOption = None,
    population: Annotated[Path | None, typer.Option(exists=True, help="Feeds the Dukcapil stand-in.")] = None,
    port_base: Annotated[
        int, typer.Option(help="First port of all.", min=ports.BASE_MIN, max=ports.BASE_MAX)
    ] = installations.DEFAULT_PORT_BASE,
    tls: Annotated[bool, typer.Option("--tls", help="Kafka and MongoDB speak TLS, with a CA made here.")] = False,
) -> None:
    """Start everything on this machine: Kafka, MongoDB, the five services, the stand-ins. Ctrl-C stops all."""
    configuration.check_all(secrets.resolved(os.environ))
    config = StackConfig(
        data_dir=data or default_data_dir(),
        port_base=port_base,
        population=population.resolve() if population else None,
        tls=tls,
    )
    raise typer.Exit(_run(bring_up(config, topics_admin.apply)))


@app.command()
def demo(
    workers: Annotated[int, typer.Option(min=50, help="How many workers to make up.")] = 20_000,
    exit_: Annotated[bool, typer.Option("--exit", help="Stop everything at the end.")] = False,
    data: DataOption = None,
    port_base: Annotated[
        int, typer.Option(help="First port of all.", min=ports.BASE_MIN, max=ports.BASE_MAX)
    ] = installations.DEFAULT_PORT_BASE,
    seed: Annotated[int, typer.Option(help="The same seed makes the same people.")] = 6408,
    against_running: Annotated[
        bool, typer.Option("--against-running", help="Start nothing: tell it to what runs (docker compose, payung up).")
    ] = False,
) -> None:
    """Three months of a regency's life on a real Kafka and MongoDB: lists, billing, payments, claims, figures."""
    from payung.demo import story

    if against_running:
        raise typer.Exit(_run(story.demo_against(installations.find(data), workers=workers, seed=seed)))
    configuration.check_all(secrets.resolved(os.environ))
    raise typer.Exit(_run(story.demo(workers=workers, leave=exit_, data=data, port_base=port_base, seed=seed)))


@app.command("publish")
def publish_list(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, XLSX or JSONL.")],
    agency: Annotated[str, typer.Option(help="Whose list: REGENCY/NAME, e.g. 64.08/dinsos")],
    kind: Annotated[str, typer.Option(help=KINDS)] = "workers",
    wait: Annotated[bool, typer.Option("--wait", help="Follow the answers and write FILE.answers.csv")] = False,
    resume: Annotated[str | None, typer.Option(help="Go on with a broken-off run.", metavar="RUN")] = None,
    officer: Annotated[str, typer.Option(help="Who signs a list of explanations")] = "",
    data: DataOption = None,
    as_json: AsJson = False,
) -> None:
    """Publish an agency's list to its topic; with --wait, collect the answer to each row."""
    at = installations.find(data)
    with progress_bars(err, transient=not err.is_terminal) as bars:
        tasks = {what: bars.add_task(what, total=None) for what in ("sent", "answered")}
        result = _run(
            publish.publish(
                at,
                file,
                agency,
                _kind(kind),
                wait=wait,
                officer=officer.strip(),
                resume=resume,
                progress=lambda what, count: bars.update(tasks[what], completed=count),
                announce=lambda run: bars.console.print(f"run {run.id}", style="dim"),
            )
        )
    answers = str(answers_path(file)) if wait else None
    if as_json:
        _print_json(
            {
                "run": result.run.id,
                "rows": result.rows,
                "sent": result.sent,
                "outcomes": result.by_outcome(),
                "notices": [{"message": text, "message_en": english} for text, english in result.notices],
                "answers": answers,
            }
        )
        return
    _tell(result.notices)
    out.print(f"{result.rows} rows read, {result.sent} sent, {result.rows - result.sent} refused before sending")
    out.print(f"run {result.run.id}")
    if wait:
        for outcome, count in sorted(result.by_outcome().items()):
            out.print(f"  {outcome:<20} {count:>8}")
        out.print(f"answers: {answers}")


@app.command()
def check(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    agency: Annotated[str, typer.Option(help="Whose list: REGENCY/NAME")] = "64.08/dinsos",
    kind: Annotated[str, typer.Option(help=KINDS)] = "workers",
    as_json: AsJson = False,
) -> None:
    """Check a list offline with the rules the services use; exits 1 when a row would be refused."""
    findings = checks.check(file, publish.parse_agency(agency)[0], _kind(kind))
    if findings.rows == 0:
        raise ListError("Berkas hanya berisi judul kolom, tanpa baris.", "The file has headings and no rows.")
    if as_json:
        _print_json([finding.as_json() for finding in findings.refused])
    else:
        _tell(findings.notices)
        for finding in findings.refused:
            out.print(f"{finding.place}: {finding.column or '-'}: {finding.reason}: {finding.message}", soft_wrap=True)
        refused = len({one.row for one in findings.refused})
        out.print(f"{findings.rows} baris, {refused} akan ditolak ({findings.rows} rows, {refused} would be refused)")
    raise typer.Exit(1 if findings.refused else 0)


def _notice(text_id: str, text_en: str) -> None:
    err.print(f"{text_id} ({text_en})", style="yellow", soft_wrap=True)


def _kind(kind: str) -> ListKind:
    found = next((one for one in SENT_BY_AGENCIES if one == kind), None)
    if found is None:
        raise CommandError(f"--kind is one of {KINDS}; got {kind!r}")
    return found


@budget_app.command("set")
def budget_set(
    regency: RegencyOption,
    year: Annotated[int, typer.Option(min=2000, max=2999)],
    jkk: Annotated[int, typer.Option(help="Ceiling of the JKK account, rupiah", min=0, max=RUPIAH_MAX)],
    jkm: Annotated[int, typer.Option(help="Ceiling of the JKM account, rupiah", min=0, max=RUPIAH_MAX)],
    decree: Annotated[str, typer.Option(help="Number of the decree")],
    target: Annotated[int, typer.Option(help="Workers to cover", min=0, max=PEOPLE_MAX)],
    funding: FundingOption = "apbd-regency",
    district_target: Annotated[
        list[str] | None, typer.Option(help="CODE=N, may be repeated", metavar="CODE=N", show_default=False)
    ] = None,
    data: DataOption = None,
    as_json: AsJson = False,
) -> None:
    """Set (or replace) the ceilings of a regency, year and funding."""
    command = {
        "regency": regency,
        "year": year,
        "funding": funding,
        "jkk": jkk,
        "jkm": jkm,
        "decree_no": decree,
        "target_workers": target,
        "targets": _targets(district_target),
    }
    result = _run(commands.set_budget(installations.find(data), command))
    if as_json:
        _print_json(result)
        return
    out.print(
        f"budget {regency} {year} {funding}: JKK {rupiah(result['jkk'])}, JKM {rupiah(result['jkm'])}; "
        f"committed {rupiah(result['committed_jkk'])} + {rupiah(result['committed_jkm'])}"
    )


def _targets(given: list[str] | None) -> dict[str, int] | None:
    if not given:
        return None
    try:
        found = {code: int(count) for code, count in (one.split("=", 1) for one in given)}
    except ValueError as error:
        raise CommandError("--district-target is CODE=N, for example 64.08.04=12000") from error
    if not all(0 <= count <= PEOPLE_MAX for count in found.values()):
        raise CommandError(f"--district-target takes 0 to {PEOPLE_MAX} workers")
    return found


@billing_app.command("run")
def billing_run(
    regency: RegencyOption,
    period: PeriodOption,
    funding: FundingOption = "apbd-regency",
    cutoff: Annotated[str | None, typer.Option(help="Verified on or before, YYYY-MM-DD; default today")] = None,
    due: Annotated[str | None, typer.Option(help="Due date of the invoice, YYYY-MM-DD")] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Show what it would bill and cost; change nothing")] = False,
    data: DataOption = None,
    as_json: AsJson = False,
) -> None:
    """Bill one month of a regency, as far as the budget allows."""
    at = installations.find(data)
    if plan:
        answer = _run(
            at.get("billing", "/v1/plan", regency=regency, period=period, funding=funding, cutoff=cutoff)
        ).json()
        if as_json or not out.is_terminal:
            _print_json(answer)
        else:
            show_plan(answer, out)
        return
    command = {"regency": regency, "period": period, "funding": funding, "cutoff": cutoff, "due_date": due}
    with err.status("billing ..."):
        result = _run(commands.run_billing(at, command))
    if as_json:
        _print_json(result)
        return
    lines = " + ".join(f"{line['programme']} {rupiah(line['amount'])}" for line in result["lines"])
    out.print(f"run {result['run_id']}: {result['billed_workers']} workers, {rupiah(result['total'])} ({lines})")
    for reason, count in sorted(result["not_billed"].items()):
        out.print(f"  not billed, {reason}: {count}")
    left = ", ".join(f"{account} {rupiah(amount)}" for account, amount in sorted(result["budget_left"].items()))
    out.print(f"budget left: {left}")
    out.print(f"invoice {result['invoice_id'] or '-'}")


@invoice_app.command("list")
def invoice_list(
    regency: Annotated[str | None, typer.Option()] = None,
    period: Annotated[str | None, typer.Option()] = None,
    data: DataOption = None,
    as_json: AsJson = False,
) -> None:
    """The invoices and whether they are paid."""
    answer = _run(installations.find(data).get("billing", "/v1/invoices", regency=regency, period=period)).json()
    rows = answer["invoices"] if isinstance(answer, dict) else answer
    if as_json:
        _print_json(rows)
        return
    table = Table("invoice", "period", "workers", "total", "status", box=None)
    for row in rows:
        table.add_row(row["invoice_id"], row["period"], str(row["workers"]), rupiah(row["total"]), str(row["status"]))
    out.print(table)


@invoice_app.command("pay")
def invoice_pay(
    invoice: Annotated[str, typer.Option(help="Invoice id")],
    amount: Annotated[int, typer.Option(help="The exact amount, rupiah", min=1, max=RUPIAH_MAX)],
    reference: Annotated[str, typer.Option(help="The treasury's SP2D number")],
    paid_on: Annotated[str | None, typer.Option(help="YYYY-MM-DD; default today")] = None,
    data: DataOption = None,
    as_json: AsJson = False,
) -> None:
    """Record the treasury's payment of an invoice; its workers are then covered."""
    command = {"invoice_id": invoice, "amount": amount, "paid_on": paid_on or _today(), "reference": reference}
    result = _run(commands.pay_invoice(installations.find(data), command))
    if as_json:
        _print_json(result)
        return
    out.print(f"invoice {result['invoice_id']} paid: {result['workers']} workers covered for {result['period']}")


def _today() -> str:
    return business_day(clock.now()).isoformat()


@app.command("status")
def show_status(data: DataOption = None, as_json: AsJson = False) -> None:
    """Show each service: ready, lag, due work, dead letters, processes; exits 1 when one is not well."""
    found = _run(status.look(installations.find(data)))
    if as_json:
        _print_json([one.as_json() for one in found.services])
    else:
        _show_services(found.services)
        _show_last_run(found.last_run)
    raise typer.Exit(0 if found.well else 1)


def _show_services(services: Sequence[status.ServiceStatus]) -> None:
    table = Table("service", "ready", "lag", "oldest waiting", "due work", "dead letters", "", box=None)
    for one in services:
        oldest = "-" if one.oldest_waiting_s is None else f"{one.oldest_waiting_s:.0f} s"
        figures = (_known(one.lag), oldest, _known(one.due_work), _known(one.dead_letters))
        table.add_row(one.service, _yes(one.ready), *figures, one.detail)
        for process in one.instances if len(one.instances) > 1 else ():
            table.add_row(f"  {process.name}", _yes(process.well), str(process.lag), "", "", "", process.detail)
    out.print(table)
    for one in services:
        for topic in one.paused:
            out.print(f"paused by a flood: {topic} (payung dlq resume {one.service} --topic {topic})", soft_wrap=True)


def _known(figure: int | None) -> str:
    return "-" if figure is None else str(figure)


def _yes(well: bool) -> Text:
    return Text("yes", style="green") if well else Text("no", style="red")


def _show_last_run(run: Mapping[str, Any] | None) -> None:
    if run is None:
        out.print("last run: none, or billing does not tell")
        return
    billed = f"{run['billed_workers']} workers, {rupiah(run['total'])}"
    out.print(f"last run: {run['run_id']} for {run['period']}, {run['status']}: {billed}", soft_wrap=True)


_REPORTS = {
    "coverage": "Coverage against target.",
    "budget": "Budget set, committed, absorbed.",
    "claims": "Claims by kind and stage.",
    "compliance": "Employers' duties and contractors' projects.",
    "quality": "How good each agency's lists are.",
    "outreach": "Meetings, and the registrations that followed them.",
    "deaths": "Insured workers who died, and those nobody has claimed for.",
}


def _report_command(kind: str) -> Callable[..., None]:
    def show(
        regency: Annotated[str | None, typer.Option()] = None,
        by: Annotated[str | None, typer.Option(help="district, village, sector, sex or age (coverage)")] = None,
        period: Annotated[str | None, typer.Option(help="Month; default the latest paid")] = None,
        format_: Annotated[str, typer.Option("--format", help="table, csv, json or xlsx")] = "table",
        data: DataOption = None,
    ) -> None:
        _report(kind, format_, data, regency=regency, by=by, period=period)

    return show


for report_kind, report_help in _REPORTS.items():
    report_app.command(report_kind, help=report_help)(_report_command(report_kind))


@report_app.command("rebuild")
def report_rebuild(
    accept: Annotated[bool, typer.Option("--accept", help="Put it in place though figures differ")] = False,
    data: DataOption = None,
) -> None:
    """Count the figures again from the events, and replace those in use when all are equal."""
    from payung import rebuilding

    with err.status("reading events ...") as shown:
        done = _run(
            rebuilding.rebuild(
                installations.find(data), accept=accept, read=lambda count: shown.update(f"{count} events counted ...")
            )
        )
    for name, row, where in done.differences[:DIFFERENCES_SHOWN]:
        out.print(f"{name}, only {where}: {row}", soft_wrap=True)
    if len(done.differences) > DIFFERENCES_SHOWN:
        out.print(f"... and {len(done.differences) - DIFFERENCES_SHOWN} more")
    if not done.put_in_place:
        raise CommandError(
            f"{len(done.differences)} figures made of {done.events} events differ; nothing was changed. "
            "With --accept the new figures are put in place"
        )
    equal = "every figure is equal" if not done.differences else f"{len(done.differences)} figures differed"
    out.print(f"{done.events} events counted again; {equal}; put in place")


def _report(what: str, format_: str, data: Path | None, **filters: str | None) -> None:
    at = installations.find(data)
    if format_ not in ("table", "csv", "json", "xlsx"):
        raise CommandError(f"--format is table, csv, json or xlsx; got {format_!r}")
    wanted = "json" if format_ == "table" else format_
    answer = _run(at.get("reporting", f"/v1/{what}", format=wanted, **filters))
    if format_ != "table":
        if format_ == "xlsx" and sys.stdout.isatty():
            raise CommandError(
                "a workbook is no text for a terminal; write it to a file: ... --format xlsx > FILE.xlsx"
            )
        sys.stdout.buffer.write(answer.content)
        sys.stdout.flush()
        return
    out.print(report_table(answer.json()))


def cell(value: Any) -> str:
    """A value as text for a person: without braces, quotes or None."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {cell(one)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(cell, value))
    if isinstance(value, bool):
        return "ya" if value else "tidak"
    return str(value)


def report_table(report: dict[str, Any]) -> Table:
    """A report as a table; the last line holds the totals."""
    rows = report["rows"]
    columns = list(rows[0]) if rows else list(report["totals"])
    table = Table(*columns, box=None, show_footer=bool(rows))
    for column in table.columns:
        shown = report["totals"].get(str(column.header), "")
        column.footer = cell(shown)
        column.justify = "right" if rows and isinstance(rows[0].get(str(column.header)), int) else "left"
    for row in rows:
        table.add_row(*(cell(row[name]) for name in columns))
    period = report.get("filters", {}).get("period")
    month = f"month {period}; " if period else ""
    table.caption = f"{month}as of {report['as_of']}; {report['behind']} events behind"
    return table


@topics_app.command("apply")
def topics_apply(replicas: Replicas = None, data: DataOption = None) -> None:
    """Make the topics, users and rules of the table in the code. A wrong partition count is refused, never changed.

    PAYUNG_KAFKA_REPLICATION is the number of copies, PAYUNG_KAFKA_MIN_INSYNC how many of them must have a record before
    it counts. The defaults are 3 and 2, or as many as there are brokers.
    """
    at = installations.find(data)
    made = _run(topics_admin.apply(environ=at.environ, replicas=replicas))
    out.print(f"{len(made)} topics made, {len(topics.default_topics()) - len(made)} existed already")
    if users := _run(access.apply(at)):
        out.print(f"{len(users)} users with their rules; their log-ins are in {at.credentials}", soft_wrap=True)


@agency_app.command("add")
def agency_add(
    agency: Annotated[str, typer.Argument(help="REGENCY/NAME, e.g. 64.08/pertanian")],
    claims: Annotated[bool, typer.Option("--claims", help="It submits claims instead of workers")] = False,
    replicas: Replicas = None,
    data: DataOption = None,
) -> None:
    """Make the topics and the log-in of a new agency. The services find it by themselves; do not restart them."""
    regency, name = publish.parse_agency(agency)
    at = installations.find(data)
    wanted = topics.agency_topics(regency, name, claims=claims)
    made = _run(topics_admin.apply(wanted=wanted, environ=at.environ, replicas=replicas))
    out.print(f"made: {', '.join(made)}" if made else "its topics exist already")
    if login := _run(access.admit(at, regency, name, wanted)):
        out.print(f"its log-in: {login} (give it to the agency, and to nobody else)", soft_wrap=True)


@snapshot_app.command("load")
def snapshot_load(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    regency: RegencyOption,
    kind: Annotated[str, typer.Option(help="population, dinsos, wage-earner or state-employee")] = "population",
    data: DataOption = None,
) -> None:
    """Load a CSV or XLSX list. It replaces the regency's list of that kind, unless most of it cannot be read.

    population: nik,name,birth_place,birth_date,sex,village,status. dinsos: nik,source,version,decile (source DTSEN,
    DTKS, P3KE or VERVAL_DAERAH). wage-earner, state-employee: nik,started_on.
    """
    from payung import reference

    with err.status("loading ..."):
        taken, version = _run(reference.load_source(installations.find(data), file, regency, kind, _notice))
    out.print(f"{taken} people of {regency} ({kind}), version {version}")


@contracts_app.command("export")
def contracts_export(folder: Annotated[Path, typer.Argument(file_okay=False)]) -> None:
    """Write the AsyncAPI 3 documents, the JSON Schemas, and the pages of the catalogue and the rules."""
    from payung import papers

    written = papers.export(folder)
    out.print(f"{len(written)} files in {folder}")
