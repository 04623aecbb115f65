"""`grant-broker encrypt`: the shortest use of a grant."""

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from grant_broker.client.api_command import Api, ApiCommand
from grant_broker.client.errors import GrantBrokerError, NotGrantedError
from grant_broker.client.grant import MOST_BYTES
from grant_broker.client.kms import kms_with_grant

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

    from grant_broker.api.shapes.third_parties import Request


@dataclass(frozen=True)
class _InUse:
    """A grant that was taken up before, for this one command."""

    request: "Request"
    kms: "KMSClient"


@click.command("encrypt", cls=ApiCommand)
@click.argument("request_id", metavar="ID")
@click.argument("plaintext", type=click.File("rb"), metavar="[FILE]", default="-")
@click.option("--out", type=click.Path(path_type=Path), help="Write the ciphertext here, as it is.")
@click.option(
    "--message", is_flag=True, help="Of any size, as a message of the AWS Encryption SDK; with --out."
)
@click.pass_obj
def command(api: Api, *, request_id: str, plaintext: BinaryIO, out: Path | None, message: bool) -> None:
    """Encrypt at most 4,096 bytes of FILE, or of the standard input, under a grant.

    Prints the ciphertext as base64, unless --out is given. KMS is called by you, with the grant's token,
    encryption context and key. With --message FILE may be of any size, and any AWS Encryption SDK reads it.
    """
    if message and out is None:
        raise click.UsageError("give --out with --message")
    data = b"" if message else _read(plaintext)
    request = api.client.get_request(request_id)
    if request["status"] in ("pending", "approved"):
        not_yet = f"request {request_id} is {request['status']}, and has no grant yet"
        raise GrantBrokerError(f"{not_yet}. Next: grant-broker wait {request_id} --take-up")
    if request["status"] != "active":
        raise NotGrantedError(request)
    grant = _InUse(request, kms_with_grant(api.session, request["key"], lambda: request))
    if message and out:
        _write_message(grant, plaintext, out)
        return
    ciphertext = grant.kms.encrypt(KeyId=request["key"], Plaintext=data)["CiphertextBlob"]
    if out:
        out.write_bytes(ciphertext)
        return
    text = base64.b64encode(ciphertext).decode()
    api.show({"ciphertext": text, "key": request["key"]}, lambda: click.echo(text))


def _read(plaintext: BinaryIO) -> bytes:
    data = plaintext.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise GrantBrokerError(f"KMS encrypts at most {MOST_BYTES:,} bytes. Next: give --message")
    return data


def _write_message(grant: _InUse, plaintext: BinaryIO, out: Path) -> None:
    try:
        from grant_broker.client.encryption_sdk import write_message  # noqa: PLC0415 - an extra of its own
    except ImportError as error:
        words = "the AWS Encryption SDK is not installed. Next: pip install grant-broker[encryption-sdk]"
        raise GrantBrokerError(words) from error
    write_message(grant, plaintext, out)
