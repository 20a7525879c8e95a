"""What one may not read is, for him, not there: every endpoint, every role, word for word. A route that is not here fails."""

from __future__ import annotations

import base64
import re
import struct
import uuid
from dataclasses import dataclass, field

import pytest
import requests

from nffa_cli import vectors
from nffa_cli.node.app import BASE
from nffa_cli.node.callers import TOKEN, Caller
from nffa_cli.node.pages import sessions
from tests.contract.node.parcels import asset, delivered, item, opened, sha256

CANARY = "zyxcanary"
MERGE = {"Content-Type": "application/merge-patch+json"}
BLIND = ("nobody", "reader", "depositor", "instrumentScientist")
"""Roles of strangers to all that is delivered here."""
SIGHTED = ("owner", "investigator", "dataManager", "admin")
STATES = ("open", "embargoed", "described")


@dataclass
class Things:
    """The ids of one proposal with all that hangs under it, or of as many things that are not there."""

    state: str
    proposal: str = field(default_factory=lambda: str(uuid.uuid4()))
    experiment: str = field(default_factory=lambda: str(uuid.uuid4()))
    measurement: str = field(default_factory=lambda: str(uuid.uuid4()))
    dataasset: str = field(default_factory=lambda: str(uuid.uuid4()))
    location: str = field(default_factory=lambda: str(uuid.uuid4()))
    sample: str = field(default_factory=lambda: str(uuid.uuid4()))
    person: str = field(default_factory=lambda: str(uuid.uuid4()))
    token: str = field(default_factory=lambda: str(uuid.uuid4()))
    ingest: str = field(default_factory=lambda: str(uuid.uuid4()))
    upload: str = field(default_factory=lambda: str(uuid.uuid4()))
    data: bytes = b""
    portal: str = "no-such-proposal"

    @property
    def name(self):
        return f"{CANARY} {self.state}"

    @property
    def digest(self):
        return sha256(self.data)

    def names(self):
        """What stands for this set of things in a request or an answer."""
        ids = [getattr(self, name) for name in KINDS] + [self.digest, self.portal]
        return [*ids, *(self.name.replace(" ", blank) for blank in (" ", "+", "%20", "%2520"))]


KINDS = (
    "proposal",
    "experiment",
    "measurement",
    "dataasset",
    "location",
    "sample",
    "person",
    "token",
    "ingest",
    "upload",
)
RECORDS = {
    "proposals": ("proposal", lambda t: {"proposalId": "p-put", "proposalTitle": "put"}),
    "experiments": ("experiment", lambda t: {"experimentName": "put", "proposalId": t.proposal}),
    "measurements": ("measurement", lambda t: {"measurementName": "put", "experimentId": t.experiment}),
    "dataassets": (
        "dataasset",
        lambda t: {**asset("put", b""), "measurementId": t.measurement, "locations": [{"uri": "file:///put"}]},
    ),
    "samples": ("sample", lambda t: {"sampleName": "put", "parents": [t.sample]}),
    "persons": ("person", lambda t: {"familyName": "put"}),
}
REGISTRY = {
    "facilities": {"facilityName": "put"}, "instruments": {"instrumentName": "put", "scientists": ["PERSON"]},
    "archives": {"archiveName": "put", "kind": "s3"}, "policies": {"policyName": "put"},
    "schemas": {"schemaName": "put", "document": {}},
}  # fmt: skip
ACL = {"json": {"entries": []}, "headers": {"If-Match": "*"}}
TUS = {"Tus-Resumable": "1.0.0"}
ANY = {"If-Match": "*"}


def calls():
    """Route → function of a set of things → (path, options of the request), or several."""
    table = {}
    for plural, (kind, body) in RECORDS.items():
        one = f"/{plural}/{{id}}"
        path = lambda t, plural=plural, kind=kind: f"/{plural}/{getattr(t, kind)}"  # noqa: E731
        table["GET", one] = lambda t, path=path: (path(t), {})
        table["DELETE", one] = lambda t, path=path: (path(t), {"headers": {"If-Match": '"77"'}})
        table["PUT", one] = lambda t, path=path, body=body: (
            path(t),
            {"json": body(t), "headers": {"If-Match": '"77"'}},
        )
        table["PATCH", one] = lambda t, path=path: (
            path(t), {"data": b'{"state":"x"}', "headers": {"If-Match": '"77"'} | MERGE}
        )  # fmt: skip
        table["POST", f"/{plural}"] = lambda t, plural=plural, body=body: (f"/{plural}", {"json": body(t)})
        table["GET", f"/{plural}"] = lambda t, plural=plural: listings(plural, t)
    for plural, body in REGISTRY.items():
        table["GET", f"/{plural}"] = lambda t, plural=plural: (f"/{plural}?count=true", {})
        table["POST", f"/{plural}"] = lambda t, plural=plural, body=body: (f"/{plural}", {"json": named(body, t)})
        for method in ("GET", "PUT", "PATCH", "DELETE"):  # open to all, or for data managers: nothing to hide
            table[method, f"/{plural}/{{id}}"] = None
    for plural, kind in (("proposals", "proposal"), ("experiments", "experiment"), ("measurements", "measurement"),
                         ("dataassets", "dataasset"), ("samples", "sample")):  # fmt: skip
        path = lambda t, plural=plural, kind=kind: f"/{plural}/{getattr(t, kind)}"  # noqa: E731
        table["GET", f"/{plural}/{{id}}/acl"] = lambda t, path=path: (f"{path(t)}/acl", {})
        table["PUT", f"/{plural}/{{id}}/acl"] = lambda t, path=path: (f"{path(t)}/acl", ACL)
        if plural in ("experiments", "samples"):
            continue
        until = {"json": {"until": "2099-01-01", "reason": "x"}, "headers": {"If-Match": '"1"'}}
        table["GET", f"/{plural}/{{id}}/embargo"] = lambda t, path=path: (f"{path(t)}/embargo", {})
        table["PUT", f"/{plural}/{{id}}/embargo"] = lambda t, path=path, until=until: (f"{path(t)}/embargo", until)
        table["POST", f"/{plural}/{{id}}/embargo:lift"] = lambda t, path=path: (
            f"{path(t)}/embargo:lift", {"json": {}, "headers": {"Idempotency-Key": uuid.uuid4().hex}}
        )  # fmt: skip
    table |= {
        ("GET", "/measurements/{id}/metadata"): lambda t: (f"/measurements/{t.measurement}/metadata", {}),
        ("GET", "/measurements/{id}/metadata/{schema}"): lambda t: (f"/measurements/{t.measurement}/metadata/nffa-record", {}),
        ("PUT", "/measurements/{id}/metadata/{schema}"): lambda t: (
            f"/measurements/{t.measurement}/metadata/nffa-record", {"json": {}, "headers": {"If-Match": '"77"'}}
        ),
        ("DELETE", "/measurements/{id}/metadata/{schema}"): lambda t: (
            f"/measurements/{t.measurement}/metadata/nffa-record", {"headers": {"If-Match": '"77"'}}
        ),
        ("GET", "/measurements/{id}/export"): lambda t: [
            (f"/measurements/{t.measurement}/export?format={form}", {}) for form in ("datacite-json", "ro-crate", "nxem")
        ],
        ("GET", "/measurements/{id}/similar"): lambda t: (f"/measurements/{t.measurement}/similar", {}),
        ("GET", "/dataassets/{id}/content"): lambda t: (f"/dataassets/{t.dataasset}/content", {}),
        ("HEAD", "/dataassets/{id}/content"): lambda t: (f"/dataassets/{t.dataasset}/content", {}),
        ("GET", "/dataassets/{id}/locations"): lambda t: (f"/dataassets/{t.dataasset}/locations", {}),
        ("POST", "/dataassets/{id}/locations"): lambda t: (
            f"/dataassets/{t.dataasset}/locations", {"json": {"uri": "file:///x"}}
        ),
        ("DELETE", "/dataassets/{id}/locations/{location}"): lambda t: (
            f"/dataassets/{t.dataasset}/locations/{t.location}", {"headers": ANY}
        ),
        ("POST", "/schemas/{id}/validate"): None,
        ("GET", "/schemas/{name}/{version}"): lambda t: ("/schemas/nffa-record/1", {}),
        ("GET", ""): lambda t: ("", {}),
        ("GET", "/me"): None,  # only of the caller
        ("GET", "/tokens"): lambda t: (f"/tokens?person={t.person}&count=true", {}),
        ("POST", "/tokens"): lambda t: ("/tokens", {"json": {"label": "x", "roles": ["reader"], "personId": t.person}}),
        ("DELETE", "/tokens/{id}"): lambda t: (f"/tokens/{t.token}", {}),
        ("POST", "/tokens/{id}/rotate"): lambda t: (f"/tokens/{t.token}/rotate", {}),
        ("GET", "/audit"): lambda t: [
            ("/audit?count=true", {}), *((f"/audit?resource={getattr(t, kind)}&count=true", {}) for kind in KINDS)
        ],
        ("GET", "/search"): searches,
        ("GET", "/labels"): lambda t: [("/labels", {}), ("/labels?since=WzEsICJ4Il0&limit=1", {})],
        ("POST", "/ingests"): ingests,
        ("GET", "/ingests/{id}"): lambda t: (f"/ingests/{t.ingest}", {}),
        ("POST", "/ingests/{id}:commit"): lambda t: (f"/ingests/{t.ingest}:commit", {}),
        ("POST", "/ingests/{id}:cancel"): lambda t: (f"/ingests/{t.ingest}:cancel", {}),
        ("PUT", "/ingests/{id}/content/{sha256}"): lambda t: (f"/ingests/{t.ingest}/content/{t.digest}", {"data": t.data}),
        ("POST", "/ingests/{id}/pack"): lambda t: (
            f"/ingests/{t.ingest}/pack", {"data": b"", "headers": {"Content-Type": "application/vnd.nffa.pack"}}
        ),
        ("POST", "/uploads"): lambda t: ("/uploads", {"headers": TUS | {
            "Upload-Length": str(len(t.data)), "Upload-Metadata": f"ingest {b64(t.ingest)},sha256 {b64(t.digest)}"
        }}),
        ("OPTIONS", "/uploads"): None,  # the same for all
        ("HEAD", "/uploads/{id}"): lambda t: (f"/uploads/{t.upload}", {"headers": TUS}),
        ("PATCH", "/uploads/{id}"): lambda t: (f"/uploads/{t.upload}", {"headers": TUS | {
            "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}, "data": b"x"}),
        ("DELETE", "/uploads/{id}"): lambda t: (f"/uploads/{t.upload}", {"headers": TUS}),
    }  # fmt: skip
    return table


def b64(text):
    return base64.b64encode(text.encode()).decode()


def named(body, things):
    return {name: [things.person] if value == ["PERSON"] else value for name, value in body.items()}


def listings(plural, t):
    filters = {
        "proposals": [f"proposalId={t.portal}"],
        "experiments": [f"proposal={t.proposal}", f"name={t.name}"],
        "measurements": [f"experiment={t.experiment}", f"proposal={t.proposal}", f"externalId=nffa:{t.name}"],
        "dataassets": [f"measurement={t.measurement}", f"digest=sha-256:{t.digest}"],
        "samples": [f"name={t.name}"],
        "persons": ["orcid=0000-0002-1825-0097"],
    }[plural]
    return [(f"/{plural}?count=true&{each}", {}) for each in ["limit=200", *filters]]


def searches(t):
    asked = [f"q={CANARY}", f"q={t.name}", f'q="{t.name}"', f"q={CANARY[:5]}*", "q=", f"sample={t.name}", f"technique={t.name}",
             f"category={t.name}", "voltageMin=12344&voltageMax=12346", f"q={t.digest}", "sort=started"]  # fmt: skip
    return [(f"/search?count=true&facets=true&{each}", {}) for each in asked]


def ingests(t):
    """Naming what is hidden: the proposal, the experiment, the measurement, its external id, its bytes."""
    parcel = item("x", {"x.tif": t.data}, proposal=t.portal, experiment=t.name)
    parcel["measurement"]["externalIds"] = [{"scheme": "nffa", "value": t.name}]
    linked = item("y", {}, proposal=t.portal, experiment=t.name) | {"measurementId": t.measurement, "ifMatch": 1}
    linked["assets"] = [asset("x.tif", t.data, accessMode="linked", uri="file:///x.tif")]
    return [("/ingests", {"json": {"items": [each]}}) for each in (parcel, linked, linked | {"ifMatch": 77})]


@pytest.fixture
def world(node):
    """A node with an open, an embargoed and a described proposal, each whole, and clients of every role."""
    admin, manager, owner = (
        node.as_("admin"),
        node.as_("dataManager"),
        node.as_("depositor", node.person("Pc", "depositor")),
    )
    described = manager.post("/policies", json={"policyName": "described", "metadataPublic": True}).json()["id"]
    investigator = node.person("Curie", "reader")
    sets = {}
    for state in STATES:
        things = Things(state, data=f"bytes of {state}".encode(), portal=f"{CANARY}-{state}")
        said = {
            "measurementName": things.name, "technique": things.name, "sample": {"sampleName": things.name},
            "category": {"label": things.name}, "externalIds": [{"scheme": "nffa", "value": things.name}],
            "settings": {"beam.accelerating_voltage": {"value": 12345.0, "unit": "V"}},
        }  # fmt: skip
        parcel = item("x", {"x.tif": things.data}, proposal=things.portal, experiment=things.name, measurement=said)
        parcel["embedding"] = vectors.written("a" * 64, struct.pack("<8e", 1.0, *[0.0] * 7))  # all alike
        (made,) = delivered(owner, (parcel, [things.data]))["items"]
        things.measurement, things.dataasset = made["measurementId"], made["assets"][0]["assetId"]
        found = admin.get(f"/measurements/{things.measurement}").json()
        things.experiment = found["experimentId"]
        things.proposal = admin.get(f"/experiments/{things.experiment}").json()["proposalId"]
        members = {"members": [{"personId": investigator, "role": "principalInvestigator"}], "abstract": things.name}
        patched(
            admin, f"/proposals/{things.proposal}", members | ({"policyId": described} if state == "described" else {})
        )
        location = admin.post(f"/dataassets/{things.dataasset}/locations", json={"uri": f"file:///{CANARY}"})
        assert location.status_code == 201, location.text
        things.location = location.json()["id"]
        sample = {"sampleName": things.name, "externalIds": [{"scheme": "igsn", "value": things.name}]}
        things.sample = admin.post("/samples", json=sample).json()["id"]
        things.person = investigator
        things.token = owner.get("/tokens").json()["items"][0]["id"]
        waiting = item("z", {"z.tif": things.data + b"!"}, proposal=things.portal, experiment=things.name)
        things.ingest = opened(owner, waiting)["id"]
        upload = owner.post("/uploads", headers=TUS | {
            "Upload-Length": str(len(things.data) + 1),
            "Upload-Metadata": f"ingest {b64(things.ingest)},sha256 {b64(sha256(things.data + b'!'))}",
        })  # fmt: skip
        things.upload = upload.headers["Location"].rpartition("/")[2]
        sets[state] = things
    lifted = manager.post(f"/measurements/{sets['open'].measurement}/embargo:lift", json={"reason": "open"})
    assert lifted.status_code == 200, lifted.text
    clients = {role: node.as_(role, node.person(f"Stranger {role}", role)) for role in BLIND[1:]}
    clients |= {"nobody": node.client, "owner": owner, "dataManager": manager, "admin": admin}
    clients["investigator"] = node.as_("reader", investigator)
    return sets, clients


def patched(client, path, fields):
    answer = client.patch(path, json=fields, headers={"If-Match": "*"} | MERGE)
    assert answer.status_code == 200, answer.text
    return answer.json()


NEW = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
AT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
OWN = (
    "x-request-id",
    "ratelimit-remaining",
    "ratelimit-reset",
    "date",
    "content-length",
    "location",
    "upload-expires",
    "etag",
)


def said(answer, things):
    """Everything that an answer gives away, with the names of the things that were asked for made alike."""
    text = answer.text
    for number, name in enumerate(things.names()):
        text = text.replace(name, f"<{number}>")
    text = re.sub(r'"requestId": ?"[^"]*"', '"requestId":""', AT.sub("<at>", NEW.sub("<new>", text)))
    headers = {name: NEW.sub("<new>", value) for name, value in answer.headers.items() if name.lower() not in OWN}
    return answer.status_code, text, headers


def asked(client, method, call, things):
    found = call(things)
    return [
        client.request(method, path, **options) for path, options in (found if isinstance(found, list) else [found])
    ]


def pages():
    """The same for the pages of browsers, without those that are about no record."""
    one = {
        ("GET", "/proposals/{id}"): lambda t: f"/proposals/{t.proposal}",
        ("GET", "/experiments/{id}"): lambda t: f"/experiments/{t.experiment}",
        ("GET", "/proposals/{id}/register"): lambda t: f"/proposals/{t.proposal}/register",
        ("GET", "/register/proposal"): lambda t: "/register/proposal",
        ("GET", "/measurements/{id}"): lambda t: f"/measurements/{t.measurement}",
        ("GET", "/measurements/{id}/tree"): lambda t: f"/measurements/{t.measurement}/tree?tag=x",
        ("GET", "/measurements/{id}/spectra/map.png"): lambda t: f"/measurements/{t.measurement}/spectra/map.png",
        ("GET", "/measurements/{id}/spectra/values.csv"): lambda t: f"/measurements/{t.measurement}/spectra/values.csv",
        ("GET", "/measurements/{id}/export"): lambda t: f"/measurements/{t.measurement}/export?format=ro-crate",
        ("GET", "/files/{id}"): lambda t: f"/files/{t.dataasset}",
        ("HEAD", "/files/{id}"): lambda t: f"/files/{t.dataasset}",
        ("GET", "/previews/{id}"): lambda t: f"/previews/{t.dataasset}",
    }
    forms = {
        "/measurements/{id}/tags": {"tag": "x"}, "/measurements/{id}/comments": {"text": "x"},
        "/measurements/{id}/collect": {"name": "x"}, "/measurements/{id}/embargo": {"open": "1"},
        "/proposals/{id}/embargo": {"open": "1"}, "/proposals/{id}/edit": {}, "/experiments/{id}/edit": {},
        "/measurements/{id}/edit": {}, "/proposals/{id}/register": {"experimentName": "x"},
    }  # fmt: skip
    table = {key: lambda t, path=path: [(path(t), {})] for key, path in one.items()}
    for path, said in forms.items():
        kind = path.split("/")[1][:-1]
        table["POST", path] = lambda t, path=path, said=said, kind=kind: [
            (path.replace("{id}", getattr(t, kind)), {"data": said, "allow_redirects": False})
        ]
    table["GET", "/"] = lambda t: [
        (f"/?{each}", {}) for each in (f"q={CANARY}", f"q={t.name}", f"sample={t.name}", f"proposal={t.proposal}",
                                       f"experiment={t.experiment}", f"collection={t.measurement}", f"tag={t.name}")
    ]  # fmt: skip
    into = lambda t: {"experiment": t.experiment, "kind": "calculation", "address": "https://nowhere.example/"}  # noqa: E731
    table["POST", "/register/proposal"] = lambda t: [
        ("/register/proposal", {"data": {"proposalId": t.portal, "proposalTitle": "x"}, "allow_redirects": False})
    ]
    for path in ("/import", "/import/{name}"):
        table["GET", path] = lambda t, path=path: [(f"{path}?experiment={t.experiment}", {})]
        table["POST", path] = lambda t, path=path: [(path, {"data": into(t), "allow_redirects": False})]
    table["GET", "/measurements/{id}/export"] = lambda t: [
        (f"/measurements/{t.measurement}/export?format={form}", {}) for form in ("ro-crate", "nxem", "none")
    ]
    table["GET", "/proposals"] = lambda t: [("/proposals", {}), (f"/proposals?after={t.portal}", {})]
    table["GET", "/review"] = lambda t: [
        (f"/review?{each}", {}) for each in (f"at={t.measurement}", f"after={t.measurement}", f"experiment={t.experiment}",
                                             f"proposal={t.proposal}", f"category={t.name}", "state=second")
    ]  # fmt: skip
    table["GET", "/review/agreement"] = lambda t: [(f"/review/agreement?proposal={t.proposal}", {})]
    table["GET", "/review/labels.csv"] = lambda t: [(f"/review/labels.csv?proposal={t.proposal}", {})]
    table["POST", "/review/answer"] = lambda t: [
        ("/review/answer", {"data": {"measurement": t.measurement, "label": "x"}, "allow_redirects": False})
    ]
    table["POST", "/review/undo"] = lambda t: [("/review/undo", {"data": {"batch": t.measurement}})]
    return table


PAGES = pages()
OF_NO_RECORD = {"/collections", "/collections/{id}/remove", "/sign-in", "/sign-out", "/static/{digest}/{name}", "/healthz",
                "/readyz"}  # fmt: skip


class Browser:
    """A browser with a session of a client's token; None: nobody's."""

    def __init__(self, node, client=None):
        self.node, self.proof, self.http = node, "", requests.Session()
        if client is None:
            return
        found = TOKEN.fullmatch(client.headers["Authorization"].removeprefix("Bearer "))
        with node.database.write() as connection:
            secret = sessions.begin(connection, Caller(None, frozenset(), str(uuid.UUID(found[1]))))
        self.http.cookies.set("nffa-session", secret)
        self.proof = sessions.proof(secret)

    def request(self, method, path, *, data=None, **options):
        body = None if data is None else data | {"proof": self.proof}
        headers = {"Accept": "text/html"}
        return self.http.request(method, self.node.url + path, data=body, headers=headers, timeout=60, **options)


def held(routes):
    for route in routes:
        inner = getattr(route, "routes", None) or getattr(getattr(route, "original_router", None), "routes", None)
        if inner:
            yield from held(inner)
        elif not route.include_in_schema:
            yield from ((method, route.path) for method in route.methods)


def test_every_page_is_in_the_table(node):
    found = {
        (method, path)
        for method, path in held(node.app.routes)
        if path not in OF_NO_RECORD and not path.startswith(BASE)
    }
    assert found <= set(PAGES), "say in this table how the page could tell of what is hidden"


def test_pages_tell_of_what_is_hidden_as_of_what_is_not_there(node, world):
    sets, clients = world
    browsers = {role: Browser(node, clients[role]) for role in BLIND[1:]} | {"nobody": Browser(node)}
    hidden, told = sets["embargoed"], []
    secrets = [*hidden.names()[:5], hidden.digest]
    for (method, path), call in PAGES.items():
        for role, browser in browsers.items():
            unknown = Things("unknown", data=b"bytes of nothing!!", portal=f"{CANARY}-nothings")
            answers = [said(each, unknown) for each in asked(browser, method, call, unknown)]
            found = asked(browser, method, call, hidden)
            told += [
                (role, method, path, one, other)
                for one, other in zip([said(each, hidden) for each in found], answers, strict=True)
                if one != other
            ]
            if "{" not in path and "?" not in path and not any(name in each.url for each in found for name in secrets):
                assert not [name for name in secrets for each in found if name in each.text], (role, path)
    assert not told, "\n".join(map(str, told))
    owner = Browser(node, clients["owner"])
    assert owner.request("GET", f"/measurements/{hidden.measurement}").status_code == 200


def test_a_proposal_that_is_half_open_tells_nothing_of_its_other_half(node, world):
    """Two proposals with the same open measurement; one holds a closed one beside it."""
    _, clients = world
    sets = []
    for portal in ("half-a", "half-b"):
        things = Things("half", data=portal.encode(), portal=portal)
        parcels = [(item("open", {"x.tif": things.data}, proposal=portal), [things.data])]
        if portal == "half-b":
            closed = {"startTime": "2025-02-03T04:05:06Z", "measurementName": "closed"}
            parcels.append((item("closed", {"y.tif": b"closed"}, proposal=portal, measurement=closed), [b"closed"]))
        (made, *_) = delivered(clients["owner"], *parcels)["items"]
        things.measurement, things.dataasset = made["measurementId"], made["assets"][0]["assetId"]
        found = clients["admin"].get(f"/measurements/{things.measurement}").json()
        things.experiment = found["experimentId"]
        things.proposal = clients["admin"].get(f"/experiments/{things.experiment}").json()["proposalId"]
        lifted = clients["dataManager"].post(f"/measurements/{things.measurement}/embargo:lift", json={})
        assert lifted.status_code == 200, lifted.text
        sets.append(things)
    for role in BLIND:
        for (method, path), call in CALLS.items():
            if (
                method != "GET"
                or not call
                or not path.startswith(("/proposals", "/experiments", "/measurements", "/search"))
            ):
                continue
            if "{id}" in path:
                one, other = (asked(clients[role], method, call, things) for things in sets)
                for (
                    a,
                    b,
                ) in zip(one, other, strict=True):
                    assert said(a, sets[0]) == said(b, sets[1]), (role, path)
    for things in sets:
        for column in ("proposal", "experiment"):
            address = f"/measurements?{column}={getattr(things, column)}&count=true"
            assert clients["nobody"].get(address).json()["total"] == 1
            text = Browser(node).request("GET", f"/{column}s/{getattr(things, column)}").text
            assert "closed" not in text.replace("Closed until", "")
            assert "2 measurements" not in text


def paths(app):
    """Every method and path of the app, as its OpenAPI tells."""
    return {
        (method.upper(), path.removeprefix(BASE))
        for path, methods in app.openapi()["paths"].items() if path.startswith(BASE)
        for method in methods
    }  # fmt: skip


CALLS = calls()


def test_every_route_is_in_the_table(node):
    assert paths(node.app) == set(CALLS), "say in this table how the route could tell of what is hidden"


def test_what_one_may_not_read_answers_like_what_is_not_there(world):
    sets, clients = world
    hidden, told = sets["embargoed"], []
    for (method, path), call in CALLS.items():
        for role in BLIND if call else ():
            unknown = Things("unknown", data=b"bytes of nothing!!", portal=f"{CANARY}-nothings")
            for there, not_there in zip(
                asked(clients[role], method, call, hidden), asked(clients[role], method, call, unknown), strict=True
            ):
                if said(there, hidden) != said(not_there, unknown):
                    told.append((role, method, there.url, said(there, hidden), said(not_there, unknown)))
                assert there.status_code < 500, (role, method, path, there.text)
    assert not told, "\n".join(map(str, told))


def test_nothing_hidden_is_in_any_list_count_facet_or_event(world):
    sets, clients = world
    for state, kinds in (("embargoed", KINDS[:5]), ("described", ("dataasset", "location"))):
        things = sets[state]
        secrets = (
            [getattr(things, kind) for kind in kinds]
            + [things.digest]
            + ([things.name] if state == "embargoed" else [])
        )
        for (method, path), call in CALLS.items():
            if method != "GET" or call is None or "{" in path:
                continue
            for role in ("nobody", "depositor", "instrumentScientist"):
                other = Things("unknown", data=b"other", portal="other")
                for answer in asked(clients[role], method, call, other):
                    assert not [each for each in secrets if each in answer.text], (role, answer.url)


def test_counts_and_facets_are_of_what_one_sees(world):
    _, clients = world
    expected = {"nobody": 2, "reader": 2, "depositor": 2, "instrumentScientist": 2} | dict.fromkeys(SIGHTED, 3)
    for role, number in expected.items():
        found = clients[role].get(f"/search?q={CANARY}&count=true&facets=true").json()
        assert (found["total"], found["facets"]["counted"], len(found["items"])) == (number,) * 3, role
        assert sum(each["count"] for each in found["facets"]["sample"]) == number, role
        assert clients[role].get("/measurements?count=true").json()["total"] == number, role


def test_what_one_may_read_is_there(world):
    for state in STATES:
        is_there(*world, state)


def is_there(sets, clients, state):
    things = sets[state]
    for role in (*BLIND, *SIGHTED):
        sees = role in SIGHTED or state != "embargoed"
        reads = role in SIGHTED or state == "open"
        for path, may in (
            (f"/proposals/{things.proposal}", sees), (f"/experiments/{things.experiment}", sees),
            (f"/measurements/{things.measurement}", sees), (f"/measurements/{things.measurement}/metadata/nffa-record", sees),
            (f"/measurements/{things.measurement}/export?format=ro-crate", sees),
            (f"/measurements/{things.measurement}/export?format=datacite-json", sees),
            (f"/measurements/{things.measurement}/embargo", sees), (f"/dataassets/{things.dataasset}", reads),
            (f"/dataassets/{things.dataasset}/content", reads), (f"/dataassets/{things.dataasset}/locations", reads),
        ):  # fmt: skip
            answer = clients[role].get(path)
            assert answer.status_code == (200 if may else 404), (role, path, answer.text)
        digests = clients[role].get(f"/dataassets?digest=sha-256:{things.digest}&count=true").json()
        assert digests["total"] == int(reads), role
        if role in BLIND and sees:
            assert not {"members", "abstract"} & clients[role].get(f"/proposals/{things.proposal}").json().keys()
        if not reads:
            for form in ("ro-crate", "datacite-json"):
                text = clients[role].get(f"/measurements/{things.measurement}/export?format={form}").text
                assert things.digest not in text
                assert things.dataasset not in text


def test_bytes_that_others_sent_are_asked_for_again(world):
    """Knowing a digest is not having the bytes: a stranger who names them must send them."""
    sets, clients = world
    for state, status in (("embargoed", "need"), ("described", "need"), ("open", "have")):
        things = sets[state]
        parcel = item("own", {"own.tif": things.data}, proposal="elsewhere", experiment="own")
        told = opened(clients["depositor"], parcel)
        assert told["items"][0]["assets"][0]["status"] == status
