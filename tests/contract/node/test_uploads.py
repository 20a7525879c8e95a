"""tus 1.0 as the protocol says, with our own requests and with an independent client; cuts, wrong bytes, two at once."""

from __future__ import annotations

import hashlib
import io
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from nffa_cli.node import sweeping
from tests.contract.node.parcels import (
    base64_of,
    chunk,
    committed,
    creation,
    delivered,
    frame,
    item,
    opened,
    pack,
    sha256,
)  # fmt: skip

DATA = bytes(range(256)) * 4096
"""A megabyte."""


@pytest.fixture
def depositor(node):
    """A client with the role of an instrument PC."""
    return node.as_("depositor")


@pytest.fixture
def ingest(depositor):
    """An ingest that waits for ``DATA``."""
    return opened(depositor, item("a", {"a.tif": DATA}))


@pytest.fixture
def upload(depositor, ingest):
    """The address of an upload of ``DATA`` that was just begun."""
    answer = depositor.post("/uploads", headers=creation(ingest, DATA))
    assert answer.status_code == 201, answer.text
    assert answer.headers["Upload-Offset"] == "0"
    return answer.headers["Location"]


def offset(client, upload) -> int:
    answer = client.head(upload, headers={"Tus-Resumable": "1.0.0"})
    assert answer.status_code == 200
    assert answer.headers["Upload-Length"] == str(len(DATA))
    assert answer.headers["Cache-Control"] == "no-store"
    return int(answer.headers["Upload-Offset"])


def cut(node, upload, headers, data: bytes, sent: int) -> None:
    """Send so many bytes of a chunk, then break the connection."""
    address = urlsplit(upload)
    with socket.create_connection((address.hostname, address.port)) as line:
        head = {**headers, "Host": address.netloc, "Content-Length": str(len(data))}
        line.sendall(f"PATCH {address.path} HTTP/1.1\r\n".encode())
        line.sendall("".join(f"{name}: {value}\r\n" for name, value in head.items()).encode() + b"\r\n")
        line.sendall(data[:sent])
        time.sleep(0.2)  # so that it has arrived when the line breaks


def until(condition, seconds=10.0):
    """Wait until a condition holds."""
    ends = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < ends
        time.sleep(0.02)
    return found


def test_it_says_what_it_speaks(node):
    answer = node.client.options("/uploads")
    assert answer.status_code == 204
    assert answer.headers["Tus-Version"] == "1.0.0"
    assert set(answer.headers["Tus-Extension"].split(",")) == {"creation", "checksum", "termination", "expiration"}
    assert answer.headers["Tus-Checksum-Algorithm"] == "sha256"


def test_chunks_come_one_after_the_other(node, depositor, ingest, upload):
    half = len(DATA) // 2
    answer = depositor.patch(upload, data=DATA[:half], headers=chunk(0, DATA[:half]))
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, str(half))
    assert offset(depositor, upload) == half
    assert depositor.patch(upload, data=DATA[half:], headers=chunk(half)).status_code == 204
    assert offset(depositor, upload) == len(DATA)
    (made,) = committed(depositor, ingest)["items"]
    assert depositor.get(f"/dataassets/{made['assets'][0]['assetId']}/content").content == DATA
    assert not list((node.config.data / "staging").iterdir())


def test_a_second_creation_finds_the_first(depositor, ingest, upload):
    depositor.patch(upload, data=DATA[:1000], headers=chunk(0))
    again = depositor.post("/uploads", headers=creation(ingest, DATA))
    assert (again.status_code, again.headers["Location"]) == (200, upload)
    assert again.headers["Upload-Offset"] == "1000"
    later = opened(depositor, item("b", {"b.tif": DATA}))
    assert depositor.post("/uploads", headers=creation(later, DATA)).headers["Location"] == upload


@pytest.mark.parametrize(("change", "status"), [
    ({"Upload-Offset": "5"}, 409), ({"Upload-Offset": "x"}, 400), ({"Content-Type": "text/plain"}, 415),
    ({"Tus-Resumable": None}, 412), ({"Tus-Resumable": "0.2.2"}, 412), ({"Upload-Checksum": "md5 AAAA"}, 400),
    ({"Upload-Checksum": f"sha256 {base64_of(hashlib.sha256(b'other').digest())}"}, 460),
])  # fmt: skip
def test_a_wrong_chunk_changes_nothing(depositor, upload, change, status):
    depositor.patch(upload, data=DATA[:100], headers=chunk(0))
    headers = {name: value for name, value in {**chunk(100), **change}.items() if value is not None}
    answer = depositor.patch(upload, data=DATA[100:200], headers=headers)
    assert answer.status_code == status
    assert answer.headers["Tus-Resumable"] == "1.0.0"
    assert answer.json()["status"] == status
    assert offset(depositor, upload) == 100


def test_a_body_beyond_the_end_is_refused(depositor, upload):
    assert depositor.patch(upload, data=DATA + b"x", headers=chunk(0)).status_code == 413
    streamed = depositor.patch(upload, data=iter([DATA, b"x"]), headers=chunk(0))
    assert streamed.status_code == 413
    assert offset(depositor, upload) == 0
    assert depositor.patch(upload, data=DATA, headers=chunk(0)).status_code == 204


def test_wrong_bytes_end_the_upload_and_are_seen_by_nobody(node, depositor, ingest, upload):
    wrong = DATA[:-1] + b"?"
    answer = depositor.patch(upload, data=wrong, headers=chunk(0, wrong))
    assert answer.status_code == 460
    assert depositor.head(upload, headers={"Tus-Resumable": "1.0.0"}).status_code == 404
    assert depositor.post(f"/ingests/{ingest['id']}:commit").status_code == 409
    assert not list((node.config.data / "staging").iterdir())
    assert depositor.post("/uploads", headers=creation(ingest, DATA)).status_code == 201


@pytest.mark.parametrize("proved", [True, False])
def test_of_a_chunk_that_is_cut_off_what_may_count_counts(node, depositor, ingest, upload, proved):
    head = chunk(0, DATA) if proved else chunk(0)
    headers = {**head, "Authorization": depositor.headers["Authorization"]}
    cut(node, upload, headers, DATA, 300_000)
    storage = node.app.state.storage
    until(lambda: not storage._busy)
    kept = offset(depositor, upload)
    assert kept == 0 if proved else 0 < kept <= 300_000
    answer = depositor.patch(upload, data=DATA[kept:], headers=chunk(kept, DATA[kept:]))
    assert answer.status_code == 204
    assert committed(depositor, ingest)["state"] == "complete"


def test_what_a_crash_left_of_a_proved_chunk_does_not_count(node, depositor, ingest, upload):
    depositor.patch(upload, data=DATA[:1000], headers=chunk(0))
    path = node.config.data / "staging" / f"upload-{upload.rpartition('/')[2]}"
    path.with_name(path.name + ".from").write_text("1000")
    with path.open("ab") as file:
        file.write(b"never proved")
    assert offset(depositor, upload) == 1000
    assert depositor.patch(upload, data=DATA[1000:], headers=chunk(1000)).status_code == 204


def test_a_whole_that_a_crash_left_unproved_is_proved_when_asked_for(node, depositor, ingest, upload):
    path = node.config.data / "staging" / f"upload-{upload.rpartition('/')[2]}"
    path.write_bytes(DATA)
    assert offset(depositor, upload) == len(DATA)
    assert committed(depositor, ingest)["state"] == "complete"


@contextmanager
def half_sent(node, upload):
    """Send a chunk of which one part is there and the rest comes when the block ends; it arrives whole."""
    begun, go_on = threading.Event(), threading.Event()

    def slowly():
        yield DATA[:1000]
        begun.set()
        go_on.wait(10)
        yield DATA[1000:]

    with ThreadPoolExecutor(1) as other:
        sent = other.submit(node.as_("depositor").patch, upload, data=slowly(), headers=chunk(0))
        begun.wait(10)
        until(lambda: node.app.state.storage._busy)
        yield
        go_on.set()
        assert sent.result().status_code == 204


def test_one_writes_at_a_time(node, depositor, upload):
    with half_sent(node, upload):
        second = depositor.patch(upload, data=DATA, headers=chunk(0))
        deletion = depositor.delete(upload, headers={"Tus-Resumable": "1.0.0"})
    assert (second.status_code, deletion.status_code) == (423, 423)
    assert second.headers["Retry-After"] == "1"


def test_no_transaction_is_open_while_bytes_flow(node, depositor, upload):
    with half_sent(node, upload):
        delivered(depositor, (item("b", {"b.tif": b"two"}), [b"two"]))


def test_an_upload_ends_when_it_is_given_up_or_waited_too_long(node, depositor, ingest, upload):
    with node.database.write() as connection:
        connection.exec_driver_sql("UPDATE upload SET expires_at = '2020-01-01T00:00:00.000000Z'")
    tus = {"Tus-Resumable": "1.0.0"}
    assert depositor.head(upload, headers=tus).status_code == 410
    assert depositor.patch(upload, data=DATA, headers=chunk(0)).status_code == 410
    fresh = depositor.post("/uploads", headers=creation(ingest, DATA)).headers["Location"]
    assert fresh != upload
    depositor.patch(fresh, data=DATA[:10], headers=chunk(0))
    assert depositor.delete(fresh, headers=tus).status_code == 204
    assert depositor.head(fresh, headers=tus).status_code == 404
    assert not list((node.config.data / "staging").iterdir())


@pytest.mark.parametrize(("change", "status"), [
    ({"Tus-Resumable": "2"}, 412), ({"Upload-Length": ""}, 400), ({"Upload-Length": "7"}, 409),
    ({"Upload-Length": str(10**14)}, 413), ({"Upload-Metadata": "ingest !"}, 400), ({"Upload-Metadata": ""}, 400),
    ({"Upload-Defer-Length": "1"}, 400),
    ({"Upload-Metadata": f"ingest {base64_of('x')},sha256 {base64_of('0' * 64)}"}, 404),
])  # fmt: skip
def test_a_wrong_creation_is_refused(depositor, ingest, change, status):
    assert depositor.post("/uploads", headers=creation(ingest, DATA, **change)).status_code == status


def test_an_upload_is_its_owners(node, depositor, upload):
    other = node.as_("depositor", node.person("Bea", "depositor"))
    tus = {"Tus-Resumable": "1.0.0"}
    assert other.head(upload, headers=tus).status_code == 404
    assert other.patch(upload, data=DATA, headers=chunk(0)).status_code == 404
    assert other.delete(upload, headers=tus).status_code == 404
    assert node.client.patch(upload, data=DATA, headers=chunk(0)).status_code == 401


def test_a_file_of_no_bytes_is_there_when_it_is_begun(depositor):
    ingest = opened(depositor, item("a", {"a.txt": b""}))
    answer = depositor.post("/uploads", headers=creation(ingest, b""))
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (201, "0")
    assert committed(depositor, ingest)["state"] == "complete"


def test_an_independent_client_resumes_after_a_cut(node, depositor, ingest):
    client = pytest.importorskip("tusclient.client", reason="needs tuspy")
    token = depositor.headers["Authorization"]
    tus = client.TusClient(depositor.url + "/api/v1/uploads", headers={"Authorization": token})
    metadata = {"ingest": ingest["id"], "sha256": sha256(DATA)}
    options = {"chunk_size": 100_000, "metadata": metadata, "upload_checksum": False}
    first = tus.uploader(file_stream=io.BytesIO(DATA), **options)
    for _ in range(3):
        first.upload_chunk()
    cut(node, first.url, {**chunk(300_000), "Authorization": token}, DATA[300_000:400_000], 50_000)
    until(lambda: not node.app.state.storage._busy)
    second = tus.uploader(file_stream=io.BytesIO(DATA), url=first.url, **options)
    assert 300_000 < second.offset <= 350_000
    second.upload()
    assert committed(depositor, ingest)["state"] == "complete"


def test_small_files_come_in_one_request_each_or_all(depositor):
    parcel = item("a", {"a": b"one", "b": b"two", "c": b"three"})
    ingest = opened(depositor, parcel)
    address = f"/ingests/{ingest['id']}/content/{sha256(b'one')}"
    said = {"Content-Digest": f"sha-256=:{base64_of(hashlib.sha256(b'one').digest())}:"}
    other = {"Content-Digest": f"sha-256=:{base64_of(hashlib.sha256(b'two').digest())}:"}
    assert depositor.put(address, data=b"one", headers=other).status_code == 400
    assert depositor.put(address, data=b"two").status_code == 400
    assert depositor.put(f"/ingests/{ingest['id']}/content/{'0' * 64}", data=b"").status_code == 409
    assert depositor.put(address, data=b"one", headers=said).status_code == 201
    answer = depositor.post(
        f"/ingests/{ingest['id']}/pack", headers={"Content-Type": "application/vnd.nffa.pack"},
        data=frame(b"two") + frame(b"never asked for") + frame(b"wrong", sha256(b"three")) + frame(b"three"),
    ).json()  # fmt: skip
    assert answer["received"] == sorted([sha256(b"two"), sha256(b"three")])
    assert [each["sha256"] for each in answer["refused"]] == [sha256(b"never asked for")]
    assert committed(depositor, ingest)["state"] == "complete"


def test_of_a_pack_that_ends_early_the_whole_files_count(depositor):
    ingest = opened(depositor, item("a", {"a": b"one", "b": b"two"}))
    headers = {"Content-Type": "application/vnd.nffa.pack"}
    answer = depositor.post(f"/ingests/{ingest['id']}/pack", headers=headers, data=frame(b"one") + frame(b"two")[:-1])
    assert answer.status_code == 400
    assert depositor.get(f"/ingests/{ingest['id']}").json()["need"] == [{"sha256": sha256(b"two"), "size": 3}]
    assert depositor.post(f"/ingests/{ingest['id']}/pack", data=b"").status_code == 415


def test_what_nobody_refers_to_is_swept_and_nothing_else(node, depositor):
    delivered(depositor, (item("a", {"a": b"kept"}), [b"kept"]))
    given_up = opened(depositor, item("b", {"b": b"given up"}))
    pack(depositor, given_up, b"given up")
    depositor.post(f"/ingests/{given_up['id']}:cancel")
    waiting = opened(depositor, item("c", {"c": b"waiting", "d": DATA}))
    pack(depositor, waiting, b"waiting")
    upload = depositor.post("/uploads", headers=creation(waiting, DATA)).headers["Location"]
    depositor.patch(upload, data=DATA[:500], headers=chunk(0))
    storage = node.app.state.storage
    stray = storage.path(sha256(b"stray"))
    stray.parent.mkdir(parents=True, exist_ok=True)
    stray.write_bytes(b"stray")
    (storage.staged / "draft-of-the-dead").write_bytes(b"")
    young = sweeping.sweep(node.database, storage)
    assert (young.drafts, young.blobs, young.strays) == (1, 0, 0)
    swept = sweeping.sweep(node.database, storage, grace=-1)
    assert (swept.blobs, swept.strays) == (1, 1)
    assert storage.size(sha256(b"given up")) is None
    assert offset(depositor, upload) == 500
    depositor.patch(upload, data=DATA[500:], headers=chunk(500))
    (made,) = committed(depositor, waiting)["items"]
    assert depositor.get(f"/dataassets/{made['assets'][0]['assetId']}/content").content == b"waiting"


def test_twenty_at_once_lose_nothing(node):
    def deliver(number):
        client = node.as_("depositor")
        contents = {f"{n}.tif": f"{number} {n} ".encode() * 1000 for n in range(4)} | {"same.txt": b"the same for all"}
        parcels = [(item(f"{number}-{name}", {name: data}), [data]) for name, data in contents.items()]
        large = f"{number} ".encode() * 50_000
        ingest = opened(client, item(f"{number}-large", {"large.tif": large}))
        place = client.post("/uploads", headers=creation(ingest, large)).headers["Location"]
        for at in range(0, len(large), 70_000):
            part = large[at : at + 70_000]
            assert client.patch(place, data=part, headers=chunk(at, part)).status_code == 204
        done = committed(client, ingest)["items"] + delivered(client, *parcels)["items"]
        expected = [large, *contents.values()]
        ids = [each["assets"][0]["assetId"] for each in done]
        return all(
            client.get(f"/dataassets/{each}/content").content == data for each, data in zip(ids, expected, strict=True)
        )

    with ThreadPoolExecutor(20) as clients:
        assert all(clients.map(deliver, range(20)))
    with node.database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM measurement").scalar_one() == 20 * 6
        assert connection.exec_driver_sql("SELECT count(*) FROM proposal").scalar_one() == 1
