"""Which database a restore replaces: that of servers that run by themselves, or the embedded one."""

from __future__ import annotations

import pytest

from payung.backup_cli import names_servers


@pytest.mark.parametrize(
    ("environ", "elsewhere"),
    [
        ({}, False),
        ({"PAYUNG_KAFKA": "127.0.0.1:9092"}, False),
        ({"PAYUNG_MONGO_URL": "mongodb://127.0.0.1/"}, True),
        # `.env` of docker-compose.yml names only these.
        ({"PAYUNG_CREDENTIALS_FOLDER": "deploy/private/credentials"}, True),
        ({"PAYUNG_CREDENTIALS": "operator.json"}, True),
    ],
)
def test_a_restore_takes_the_servers_that_the_environment_names(environ: dict[str, str], elsewhere: bool) -> None:
    assert names_servers(environ) is elsewhere
