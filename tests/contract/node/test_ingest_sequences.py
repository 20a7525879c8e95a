"""Whatever clients do in whatever order: a measurement is visible iff an ingest committed it, and its bytes are right."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from nffa_cli.node import sweeping
from nffa_cli.node.config import Config
from tests.contract.node.conftest import serving
from tests.contract.node.parcels import chunk, creation, item, sha256

KEYS = ("a", "b")
CONTENTS = (b"", b"one", b"two" * 100, b"three" * 5_000)


class Ingests(RuleBasedStateMachine):
    """A model of what must be there, beside a node."""

    node = None

    def __init__(self):
        super().__init__()
        self.client = self.node.as_("depositor", self.node.person("Ada", "depositor"))
        self.prefix = self.client.get("/me").json()["person"]["id"]
        self.ingests: list[tuple[dict, dict[str, dict[str, bytes]]]] = []
        self.there: dict[str, tuple[str, int, dict[str, bytes]]] = {}

    @rule(wanted=st.dictionaries(st.sampled_from(KEYS), st.lists(st.sampled_from(CONTENTS), max_size=3), min_size=1),
          guess=st.sampled_from(["right", "wrong", "none"]))  # fmt: skip
    def open(self, wanted, guess):
        files = {key: {f"{n}.tif": data for n, data in enumerate(contents)} for key, contents in wanted.items()}
        items = []
        for key, held in files.items():
            version = self.there[key][1] if key in self.there else 0
            match = {"right": {"ifMatch": version}, "wrong": {"ifMatch": version + 1}, "none": {}}[guess]
            items.append(item(key, held, proposal=self.prefix, **match))
        answer = self.client.post("/ingests", json={"items": items})
        assert answer.status_code == 201
        ingest = answer.json()
        for told in ingest["items"]:
            here = self.there.get(told["ref"])
            if here is None:
                assert told["action"] == "create"
            elif here[2] == files[told["ref"]]:
                assert told["action"] == "unchanged"
            else:
                assert told["action"] == ("update" if guess == "right" else "conflict")
        self.ingests.append((ingest, files))

    @rule(
        which=st.integers(0, 10), data=st.sampled_from(CONTENTS), how=st.sampled_from(["put", "tus", "half", "wrong"])
    )
    def send(self, which, data, how):
        if not self.ingests:
            return
        ingest, _ = self.ingests[which % len(self.ingests)]
        if how in ("put", "wrong"):
            body = data + b"!" if how == "wrong" else data
            answer = self.client.put(f"/ingests/{ingest['id']}/content/{sha256(data)}", data=body)
            assert answer.status_code in ((400, 409) if how == "wrong" else (201, 409))
            return
        begun = self.client.post("/uploads", headers=creation(ingest, data))
        if begun.status_code == 409:
            return
        at = int(begun.headers["Upload-Offset"])
        end = len(data) if how == "tus" else (at + len(data) + 1) // 2
        if at < end:
            place, part = begun.headers["Location"], data[at:end]
            assert self.client.patch(place, data=part, headers=chunk(at, part)).status_code == 204

    @rule(which=st.integers(0, 10))
    def commit(self, which):
        if not self.ingests:
            return
        ingest, files = self.ingests[which % len(self.ingests)]
        answer = self.client.post(f"/ingests/{ingest['id']}:commit")
        assert answer.status_code in (200, 409)
        if answer.status_code == 200:
            assert answer.json() == self.client.post(f"/ingests/{ingest['id']}:commit").json()
            for told in answer.json()["items"]:
                key = told["ref"]
                if told["version"] > (self.there[key][1] if key in self.there else 0):
                    self.there[key] = (told["measurementId"], told["version"], files[key])

    @rule(which=st.integers(0, 10))
    def cancel(self, which):
        if self.ingests:
            self.client.post(f"/ingests/{self.ingests[which % len(self.ingests)][0]['id']}:cancel")

    @rule()
    def sweep(self):
        sweeping.sweep(self.node.database, self.node.app.state.storage, grace=-1)

    @invariant()
    def visible_iff_committed(self):
        found = self.client.get("/measurements").json()["items"]
        assert {each["id"]: each["version"] for each in found} == {id_: at for id_, at, _ in self.there.values()}
        for measurement, _, files in self.there.values():
            assets = self.client.get(f"/dataassets?measurement={measurement}").json()["items"]
            shown = [each for each in assets if each["state"] == "available"]
            got = {each["relativePath"]: self.client.get(f"/dataassets/{each['id']}/content").content for each in shown}
            assert got == files


def test_sequences_of_ingests_keep_their_promises(tmp_path):
    with serving(Config(tmp_path / "node")) as node:
        Ingests.node = node
        quiet = [HealthCheck.too_slow, HealthCheck.data_too_large]
        run_state_machine_as_test(
            Ingests,
            settings=settings(max_examples=12, stateful_step_count=15, deadline=None, suppress_health_check=quiet),
        )
