"""The bytes of data assets: whole and in parts, with their digest, under safe names."""

from __future__ import annotations

import base64
import hashlib

import pytest

from nffa_cli.node import content
from tests.contract.node.parcels import asset, delivered, item

DATA = bytes(range(256)) * 4
ETAG = f'"{hashlib.sha256(DATA).hexdigest()}"'


@pytest.fixture
def there(node):
    """A client, and the address of content that it may read."""
    client = node.as_("depositor")
    (made,) = delivered(client, (item("a", {"a.tif": DATA}), [DATA]))["items"]
    return client, f"/dataassets/{made['assets'][0]['assetId']}/content"


def test_it_comes_with_its_digest(there):
    client, address = there
    for answer in (client.get(address), client.head(address)):
        assert answer.headers["ETag"] == ETAG
        assert answer.headers["Content-Length"] == str(len(DATA))
        assert answer.headers["Content-Type"] == "image/tiff"
        assert answer.headers["Content-Disposition"].startswith('attachment; filename="a.tif"')
        digest = base64.b64encode(hashlib.sha256(DATA).digest()).decode()
        assert answer.headers["Repr-Digest"] == f"sha-256=:{digest}:"
    assert client.head(address).content == b""


@pytest.mark.parametrize(('headers', 'status', 'first', 'last'), [
    ({"Range": "bytes=0-0"}, 206, 0, 0), ({"Range": "bytes=100-"}, 206, 100, 1023), ({"Range": "bytes=-5"}, 206, 1019, 1023),
    ({"Range": "bytes=1000-5000"}, 206, 1000, 1023), ({"Range": "bytes=0-1,5-6"}, 200, 0, 1023),
    ({"Range": "bytes=5-1"}, 200, 0, 1023), ({"Range": "lines=1-2"}, 200, 0, 1023), ({"Range": "bytes=-"}, 200, 0, 1023),
    ({"Range": "bytes=5-9", "If-Range": ETAG}, 206, 5, 9), ({"Range": "bytes=5-9", "If-Range": '"other"'}, 200, 0, 1023),
    ({"If-None-Match": '"other"'}, 200, 0, 1023), ({"If-Match": ETAG}, 200, 0, 1023),
])  # fmt: skip
def test_a_range_is_answered_as_rfc_9110_says(there, headers, status, first, last):
    client, address = there
    answer = client.get(address, headers=headers)
    assert answer.status_code == status
    assert answer.content == DATA[first : last + 1]
    if status == 206:
        assert answer.headers["Content-Range"] == f"bytes {first}-{last}/1024"


@pytest.mark.parametrize(('headers', 'status'), [
    ({"Range": "bytes=1024-"}, 416), ({"Range": "bytes=-0"}, 416), ({"If-None-Match": f'"x", {ETAG}'}, 304),
    ({"If-None-Match": f"W/{ETAG}"}, 304), ({"If-Match": '"other"'}, 412),
])  # fmt: skip
def test_where_there_is_nothing_to_send_nothing_is_sent(there, headers, status):
    client, address = there
    answer = client.get(address, headers=headers)
    assert (answer.status_code, answer.content) == (status, b"")
    assert answer.headers["ETag"] == ETAG


def test_it_is_not_there_for_who_may_not_read_it(node, there):
    _, address = there
    absent = f"/dataassets/{'0' * 8}-0000-7000-8000-{'0' * 12}/content"
    for client in (node.client, node.as_("reader"), node.as_("depositor", node.person("Bea", "depositor"))):
        hidden, missing = client.get(address), client.get(absent)
        assert hidden.status_code == missing.status_code == 404
        assert not {"ETag", "Repr-Digest"} & set(hidden.headers)


def test_what_a_browser_would_run_comes_as_mere_bytes(node):
    client = node.as_("depositor")
    page = b"<script>alert(1)</script>"
    parcel = item("a", {})
    parcel["assets"] = [asset("a.html", page, mediaType="text/html", dataAssetName='../"x".html\r\nSet-Cookie: a')]
    (made,) = delivered(client, (parcel, [page]))["items"]
    answer = client.get(f"/dataassets/{made['assets'][0]['assetId']}/content")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Content-Disposition"].count('"') == 2


@pytest.mark.parametrize("name", ["a.tif", "ä ö.tif", '"', "..", "a/b", "\n", "%41", "x" * 300, ""])
def test_a_disposition_holds_one_plain_name(name):
    text = content.disposition(name)
    text.encode("ascii")
    assert "\n" not in text
    assert "/" not in text.partition("filename*")[0].partition(";")[2]
