"""Every environment variable of Payung, by who reads it: the table behind docs/configuration.md."""

from __future__ import annotations

from collections.abc import Mapping

from payung.embedded import jars
from payung.papers.markdown import GENERATED
from shared.contracts import topics
from shared.runtime import configuration, settings
from shared.runtime.settings import Choice, File, Hosts, Setting, Text

CREDENTIALS_FOLDER = File(
    "PAYUNG_CREDENTIALS_FOLDER", "the folder of the log-ins of an installation that `payung up` did not start"
)
LOCKS = File("PAYUNG_LOCKS", "the folder of the servers' own secrets: the command then makes the first users")
PUBLISHED_KAFKA = Hosts("PAYUNG_PUBLISHED_KAFKA", "the brokers' address in the log-in files", "that of `PAYUNG_KAFKA`")
PUBLISHED_MONGO_URL = Text(
    "PAYUNG_PUBLISHED_MONGO_URL", "the database's URL in the log-in files", "that of `PAYUNG_MONGO_URL`", secret=True
)
TOKEN = Text("PAYUNG_TOKEN", "the token that the command shows to services with log-ins", secret=True)
KAFKA_VERSION = Choice(
    "PAYUNG_KAFKA_VERSION", "the version of the embedded Kafka", jars.KAFKA_VERSION, words=tuple(jars.pinned())
)
COMMAND = (CREDENTIALS_FOLDER, LOCKS, PUBLISHED_KAFKA, PUBLISHED_MONGO_URL, TOKEN, KAFKA_VERSION)


def table() -> dict[str, tuple[Setting, ...]]:
    """Who reads which variables."""
    # Not at the top: most commands need no service's code.
    from payung import contracts

    return {
        "Every service and the `payung` command": configuration.CONNECTING,
        "Every service": configuration.SERVING,
        **{name.capitalize(): contracts.spec_of(name).settings for name in topics.SERVICES},
        "The `payung` command": COMMAND,
    }


def check_all(environ: Mapping[str, str]) -> None:
    """Raises StartRefused for the first variable of the table that has another form."""
    for known in table().values():
        settings.check(known, environ)


def check_command(environ: Mapping[str, str]) -> None:
    """The same for what the command itself reads."""
    settings.check((*configuration.CONNECTING, *COMMAND), environ)


def page() -> str:
    """The page of the table."""
    parts = [
        "# Configuration: the environment variables\n\n" + GENERATED,
        "An empty variable counts as not set. A value of another form ends a service or the `payung` command with one"
        " line that names the variable and the expected form, and with exit code 78. The line never shows a secret.",
        "Each variable that holds a secret may also name a file: `PAYUNG_ID_KEY_FILE=/run/secrets/id` in place of"
        " `PAYUNG_ID_KEY`, and so on. `payung up` sets addresses, keys and log-ins by itself; with Docker"
        " `deploy/make-keys.sh` and the compose file do.",
    ]
    for who, known in table().items():
        rows = [f"| `{one.name}` | {_cell(one.shape())} | {_usual(one)} | {_cell(one.about)} |" for one in known]
        parts.append(
            "\n".join((f"## {who}\n", "| variable | form | default | what it does |", "|---|---|---|---|", *rows))
        )
    return "\n\n".join(parts) + "\n"


def _usual(one: Setting) -> str:
    if not one.usual:
        return "not set"
    return one.usual if " " in one.usual else f"`{one.usual}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
