"""`grant-broker encrypt`: the shortest use of a grant."""

import base64
from typing import BinaryIO

import click

from grant_broker.client.api_command import Api, ApiCommand
from grant_broker.client.errors import GrantBrokerError, NotGrantedError
from grant_broker.client.grant import MOST_BYTES
from grant_broker.client.kms import kms_with_grant


@click.command("encrypt", cls=ApiCommand)
@click.argument("request_id", metavar="ID")
@click.argument("plaintext", type=click.File("rb"), metavar="[FILE]", default="-")
@click.option("--out", type=click.File("wb", lazy=True), help="Write the ciphertext here, as it is.")
@click.pass_obj
def command(api: Api, *, request_id: str, plaintext: BinaryIO, out: BinaryIO | None) -> None:
    """Encrypt at most 4,096 bytes of FILE, or of the standard input, under a grant.

    Prints the ciphertext as base64, unless --out is given. KMS is called by you, with the grant's token,
    encryption context and key.
    """
    data = plaintext.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise GrantBrokerError(
            f"KMS encrypts at most {MOST_BYTES:,} bytes. Next: for files of any size take the keyring of "
            "grant_broker.client.encryption_sdk"
        )
    request = api.client.get_request(request_id)
    if request["status"] != "active":
        raise NotGrantedError(request)
    kms = kms_with_grant(api.session, request["key"], lambda: request)
    ciphertext = kms.encrypt(KeyId=request["key"], Plaintext=data)["CiphertextBlob"]
    if out:
        out.write(ciphertext)
        return
    text = base64.b64encode(ciphertext).decode()
    api.show({"ciphertext": text, "key": request["key"]}, lambda: click.echo(text))
