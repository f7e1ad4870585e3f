"""Where a command finds the log-ins of an installation that `payung up` did not start."""

from __future__ import annotations

from pathlib import Path

import pytest

from payung import installations
from payung.access import commands
from payung.access.files import CA, Addresses, Files
from payung.access.table import OPERATOR, User
from payung.embedded.errors import LaunchError
from shared.runtime.kafka import security
from shared.runtime.kafka.server import Server
from shared.runtime.ops import credentials
from shared.runtime.store import login

AT = "127.0.0.1:19092"
MONGO = "mongodb://127.0.0.1:19117/?directConnection=true"
DINSOS = User(name="64.08-dinsos")
AUTHORITY = "-----BEGIN CERTIFICATE-----\nof the authority\n-----END CERTIFICATE-----\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Log-ins of the operator and of one agency; only the environment names their folder."""
    files = Files(tmp_path / "credentials")
    for user in (User(name=OPERATOR, super_user=True), DINSOS):
        files.kept(user, Addresses(bootstrap=AT, mongo=MONGO))
    for name in ("PAYUNG_KAFKA", "PAYUNG_MONGO_URL", credentials.VARIABLE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "none"))
    monkeypatch.setenv(installations.FOLDER, str(files.folder))
    return files.folder


def test_the_operator_logs_in_and_the_file_names_the_servers(folder: Path) -> None:
    at = installations.find(None)
    assert Server(at.environ).bootstrap == AT
    assert security.read(at.environ).user == OPERATOR
    assert login.url(at.environ).startswith(f"mongodb://{OPERATOR}:")


def test_an_agencys_list_is_sent_with_the_agencys_log_in(folder: Path) -> None:
    at = installations.find(None).acting_as(DINSOS.name)
    assert security.read(at.environ).user == DINSOS.name


def test_a_named_log_in_file_is_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(credentials.VARIABLE, str(folder / "64.08-dinsos.json"))
    monkeypatch.setenv("PAYUNG_KAFKA", AT)
    assert security.read(installations.find(None).environ).user == DINSOS.name


def test_the_servers_log_in_with_complete_secrets_only(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(installations.LOCKS, str(folder))
    monkeypatch.setenv("PAYUNG_KAFKA", AT)
    with pytest.raises(LaunchError, match=r"make-keys\.sh"):
        installations.find(None)


async def test_a_user_name_cannot_lead_out_of_the_folder(folder: Path) -> None:
    with pytest.raises(installations.CommandError, match="there is no log-in"):
        await commands.rotate(installations.find(None), "../credentials/operator")


def test_the_ca_is_beside_each_log_in_and_moves_with_it(tmp_path: Path) -> None:
    (tmp_path / "of-servers.pem").write_text(AUTHORITY)
    files = Files(tmp_path / "credentials")
    billing = User(name="billing", internal=True, database="payung_billing")
    for user in (DINSOS, billing):
        files.kept(user, Addresses(bootstrap=AT, ca=str(tmp_path / "of-servers.pem"), mongo=MONGO))
        moved = files.path(user).parent.rename(tmp_path / f"moved-{user.name}")
        own = credentials.read(moved / f"{user.name}.json")
        assert own.ca == str(moved / CA)
        assert (moved / CA).read_text() == AUTHORITY
