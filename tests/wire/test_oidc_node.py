"""The whole way: a login at a real provider from npm by the device flow, and then the node takes what it gives."""

from __future__ import annotations

import json
import time

import pytest
import requests

from nffa_cli import cli, samples, secrets
from nffa_cli.destinations import oidc
from nffa_cli.destinations.access import authorised
from nffa_cli.destinations.http import Connection
from nffa_cli.node import accounts, bearers
from nffa_cli.node.config import Config, Oidc
from tests.contract.node.conftest import serving
from tests.wire import npm


@pytest.fixture(params=["opaque", "jwt"])
def issuer(request, tmp_path, monkeypatch):
    """The address of a real provider where somebody confirms each code at once; and of which kind its tokens are."""
    real = oidc.login
    monkeypatch.setattr(oidc, "INTERVAL", 0.05)
    with npm.running("oidc_provider.mjs", tmp_path / "npm", "60", request.param, "2") as ready:

        def login(issuer, client, show, **more):
            def shown(code):
                show(code)
                asked = {"code": code.code, "say": "yes"}
                assert requests.get(f"{ready['url']}/decide", params=asked, timeout=30).text == "done"

            return real(issuer, client, shown, **more)

        monkeypatch.setattr(oidc, "login", login)
        yield ready["url"], request.param


def test_who_logs_in_at_a_provider_syncs_searches_and_gets(issuer, tmp_path, monkeypatch, capfd):
    address, kind = issuer
    pictures, back = tmp_path / "examples", tmp_path / "back"
    samples.make(pictures, kinds=samples.KINDS[:1])
    settings = Config(tmp_path / "node", None, oidc=Oidc(address, "nffa", opaque=kind == "opaque"))
    with serving(settings) as node:

        def nffa(*typed):
            status = cli.run([*typed, "--json"])
            out, err = capfd.readouterr()
            assert status == 0, out + err
            return [json.loads(line) for line in out.splitlines()], out + err

        (login,), told = nffa("login", node.url, "--oidc")
        assert login["who"] == ("Ada Lovelace (reader)" if kind == "opaque" else "ada (reader)")
        assert "type" in told
        (person,) = [each for each in node.as_("admin").get("/persons").json()["items"] if each.get("externalIds")]
        assert person["externalIds"] == [{"scheme": address, "value": "ada"}]
        accounts.changed(node.database, person["id"], roles=("reader", "depositor"))
        first = secrets.find(node.url)[0]
        nffa("ingest", str(pictures), "--settle", "0")
        outcomes, _ = nffa("sync", "--to", node.url, "--proposal", "P1")
        assert outcomes[-1]["outcomes"] == {"done": 1}
        assert secrets.find(node.url)[0].refresh not in (None, first.refresh)  # it rotates
        found, _ = nffa("search", "--at", node.url, "tif")
        assert found[0]["type"] == "measurement"
        nffa("get", "tif", "--from", node.url, "-o", str(back))
        (original,) = pictures.rglob("*.tif")
        assert original.read_bytes() in [path.read_bytes() for path in back.rglob("*.tif")]
        events = node.as_("admin").get("/audit", params={"limit": 200}).json()["items"]
        delivered = [
            each for each in events if each["actor"] == person["id"] and each["resource"]["type"] == "measurement"
        ]
        assert [(each["action"], each["diff"]["issuer"]) for each in delivered] == [("create", address)]

        if kind == "jwt":  # one that ends in the middle is replaced
            monkeypatch.setattr(bearers, "LEEWAY", 0)
            given = []
            authorise = authorised(node.url)
            connection = Connection(
                f"{node.url}/api/v1/", authorise=lambda fresh: given.append(authorise(fresh)) or given[-1]
            )
            for _ in range(2):
                assert connection.send("GET", "me", wants_json=True).value["person"]["id"] == person["id"]
                time.sleep(2.1)
            assert len(set(given)) == 2
        assert nffa("logout", node.url)
        assert cli.run(["get", "tif", "--from", node.url, "-o", str(back)]) != 0
