"""A deployed stack for fresh processes: AWS over TLS, since what TLS costs is part of a first request."""

import atexit
import json
import shutil
import ssl
import tempfile
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.local_aws import server
from tests.local_aws.cloud import Cloud
from tests.local_stack.brokers import Brokers
from tests.local_stack.deployment import Deployment
from tests.local_stack.proxy import matched, proxy_event
from tests.local_stack.triggers import routes
from tests.support.limits import limits

PARTNER = "444455556666"
_NO_LIMITS = dict.fromkeys(
    ("SubmissionsPerMinute", "OpenPerAccount", "OpenPerGrantee", "StoredBytesPerHour"), 10**9
)


@dataclass(frozen=True)
class Stage:
    """A stack whose AWS answers at `url`; `event` is a covered submission's, granted at once."""

    deployment: Deployment
    url: str
    authorities: Path
    event: Path

    def environment(self, function: str) -> dict[str, str]:
        """What a function's process is told, as on Lambda."""
        return self.deployment.process_environment(function, self.url) | {
            "AWS_CA_BUNDLE": str(self.authorities),
            "BENCHMARK_KEY": self.deployment.keys["partner_data"],
        }


@cache
def stage_for(authorities: Path) -> Stage:
    """Deploy the template, register its key, approve ahead; up until this process ends.

    `authorities` are those that botocore trusts: a process reads as many here as it does on Lambda.
    """
    deployment = Deployment.create(Cloud(lambda: datetime.now(UTC)), parameters=_NO_LIMITS)
    _approve_ahead(Brokers(deployment, lambda: datetime.now(UTC), time.sleep))
    home = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, home)
    certificate = _certificate(home)
    trusted = home / "authorities.pem"
    trusted.write_bytes(authorities.read_bytes() + certificate.read_bytes())
    event = home / "event.json"
    event.write_text(json.dumps(_submission(deployment)), "utf-8")
    return Stage(deployment, f"https://127.0.0.1:{_serve(deployment.cloud, certificate)}", trusted, event)


def _serve(cloud: Cloud, certificate: Path) -> int:
    listening = server.serve(cloud)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listening.socket = context.wrap_socket(listening.socket, server_side=True)
    threading.Thread(target=partial(listening.serve_forever, 0.1), daemon=True).start()
    return listening.server_port


def _approve_ahead(brokers: Brokers) -> None:
    alice = brokers.deployment.people["alice"].credentials
    key_arn = brokers.deployment.keys["partner_data"]
    made = [brokers.call(alice, "PUT", f"/security/keys/{key_arn.rpartition('/')[2]}", limits())]
    until = datetime.now(UTC) + timedelta(days=1)
    approval = {
        "key": key_arn, "account": PARTNER, "operations": ["Encrypt"], "encryption_context": {"tenant": "a"},
        "max_duration": "PT2H", "valid_until": f"{until:%Y-%m-%dT%H:%M:%SZ}", "reason": "benchmarks",
    }  # fmt: skip
    made.append(brokers.call(alice, "POST", "/security/approvals", approval))
    if [answer.status for answer in made] != [201, 201]:
        raise RuntimeError(str(made))


def _submission(deployment: Deployment) -> dict[str, Any]:
    partner = deployment.people["partner"]
    body = {
        "key": deployment.keys["partner_data"], "grantee": partner.grantee, "operations": ["Encrypt"],
        "encryption_context": {"tenant": "a"}, "duration": "PT5M", "reason": "nightly load",
    }  # fmt: skip
    found = matched(routes(deployment.template), "POST", "/requests")
    if found is None:
        raise KeyError("POST /requests")
    directory = deployment.cloud.directory
    return proxy_event(directory, partner.credentials, found[0], "/requests", body=json.dumps(body))


def _certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 that vouches for itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "local AWS")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "certificate.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path
