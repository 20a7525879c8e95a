"""The migrations make what tables.py says, on both databases, also when many start at once."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from nffa_cli.errors import ConfigError, Unreachable
from nffa_cli.node import tables
from nffa_cli.node.config import Config
from nffa_cli.node.database import Database


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request):
    """The address of a database that is empty."""
    return None if request.param == "sqlite" else request.getfixturevalue("cluster")()


@pytest.fixture
def url(address, tmp_path):
    return address or Config(tmp_path).database_url


def test_migrations_make_the_tables(url):
    database = Database(url)
    database.migrate()
    elsewhere = () if database.is_sqlite else ("ix_measurement_faceted", "ix_measurement_started")
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found = [
            each for each in compare_metadata(context, tables.METADATA)
            if not any(name in str(each) for name in ("measurement_words", "alembic_version", *elsewhere))
        ]  # fmt: skip
    database.close()
    assert found == []


def test_four_start_at_once(url):
    failed = []

    def start():
        database = Database(url)
        try:
            database.migrate()
        except Exception as error:
            failed.append(error)
        finally:
            database.close()

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []


def test_writers_take_turns_and_readers_see_one_moment(url):
    database = Database(url)
    database.migrate()
    person = tables.person

    def add(_):
        with database.write() as connection:
            count = connection.execute(sa.select(sa.func.count()).select_from(person)).scalar_one()
            row = {
                "id": f"p{count}",
                "version": 1,
                "created_at": "",
                "updated_at": "",
                "family_name": "x",
                "roles": [],
                "data": {},
            }
            connection.execute(person.insert().values(row))

    threads = [threading.Thread(target=lambda: [add(None) for _ in range(5)]) for _ in range(6)]
    for thread in threads:
        thread.start()
    with database.read() as connection:
        counts = {connection.execute(sa.select(sa.func.count()).select_from(person)).scalar_one() for _ in range(20)}
    for thread in threads:
        thread.join(60)
    assert len(counts) == 1
    with database.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(person)).scalar_one() == 30
    database.close()


def test_a_wrong_address_is_said_clearly(tmp_path):
    for wrong in ("nonsense", "mysql://host/name"):
        with pytest.raises(ConfigError):
            Database(wrong)
    with pytest.raises(Unreachable, match="cannot be opened") as told:
        Database("postgresql://nffa:hush@127.0.0.1:9/none").migrate()
    assert "hush" not in str(told.value)


def test_a_newer_database_is_left_alone(url):
    database = Database(url)
    database.migrate()
    with database.write() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '999'"))
    with pytest.raises(ConfigError, match="newer"):
        database.migrate()
    database.close()
