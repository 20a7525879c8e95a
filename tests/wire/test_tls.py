"""TLS is verified: certificates that are self-signed, expired or somebody else's are refused before a token is sent."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from nffa_cli.destinations.http import Connection
from nffa_cli.destinations.patience import Patience
from nffa_cli.errors import ConfigError, Refused
from tests.wire.answering import answering, said_json

QUICK = Patience(budget=0.5, first=0.01)


def certificate(folder, name, *, issuer=None, host="127.0.0.1", days=(-1, 1), authority=False):
    """Write NAME.pem and NAME.key and return (certificate, key)."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    names = [x509.IPAddress(ip_address(host)) if host[0].isdigit() else x509.DNSName(host)]
    begins, ends = (datetime.now(UTC) + timedelta(days=each) for each in days)
    builder = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key()).serial_number(x509.random_serial_number()).not_valid_before(begins)
        .not_valid_after(ends).add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )  # fmt: skip
    made = builder.sign(issuer[1] if issuer else key, hashes.SHA256())
    (folder / f"{name}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / f"{name}.key").write_bytes(secret)
    return made, key


def context(folder, name):
    found = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    found.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    return found


@pytest.mark.parametrize(("name", "more", "trusted"), [
    ("self-signed", {}, False), ("expired", {"days": (-9, -2)}, True), ("not-yet", {"days": (2, 9)}, True),
    ("wrong-host", {"host": "other.example"}, True), ("unknown-authority", {}, False),
])  # fmt: skip
def test_a_certificate_that_is_not_to_be_trusted_is_refused(tmp_path, name, more, trusted):
    authority = certificate(tmp_path, "authority", authority=True)
    certificate(tmp_path, name, issuer=None if name == "self-signed" else authority, **more)
    bundle = tmp_path / "authority.pem" if trusted else None
    with answering(lambda asked: said_json({}), context=context(tmp_path, name)) as server:
        connection = Connection(server.url, ca_bundle=bundle, authorise=lambda fresh: "Bearer canary", patience=QUICK)
        with pytest.raises(Refused, match="certificate") as error:
            connection.send("GET", "me", wants_json=True)
        assert "ca_bundle" in error.value.hint
        assert error.value.exit_status == 5
        assert not server.asked


def test_a_facilitys_own_authority_is_trusted_where_it_is_named(tmp_path):
    authority = certificate(tmp_path, "authority", authority=True)
    certificate(tmp_path, "server", issuer=authority)
    with answering(lambda asked: said_json({"ok": 1}), context=context(tmp_path, "server")) as server:
        connection = Connection(server.url, ca_bundle=tmp_path / "authority.pem", patience=QUICK)
        assert connection.send("GET", "me", wants_json=True).value == {"ok": 1}
    with pytest.raises(ConfigError):
        Connection("https://a.example", ca_bundle=tmp_path / "absent.pem")


def test_nothing_in_the_tree_turns_it_off():
    from tests.unit.test_architecture import PACKAGE

    for path in PACKAGE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "verify=False" not in text.replace(" ", ""), path
        assert "CERT_NONE" not in text, path
        assert "_create_unverified" not in text, path
