"""Every operation that the installed botocore knows: answered, and by whoever has the right to it alone."""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import botocore.session
import pytest
from botocore.model import ServiceModel, Shape

from tests.integration.local_aws.world import HOME, PARTNER, START, World, naming, policy, root
from tests.local_aws.answers import Response
from tests.local_aws.cloud import Cloud, Credentials
from tests.local_aws.kms.shapes import model

KMS = model()


def _members(operation: str) -> Mapping[str, Shape]:
    shape: Any = KMS.operation_model(operation).input_shape
    found: Mapping[str, Shape] = shape.members
    return found


_NAMES_OF_KEYS = frozenset({"KeyId", "TargetKeyId", "SourceKeyId", "DestinationKeyId"})
ON_KEYS = [name for name in KMS.operation_names if _NAMES_OF_KEYS & set(_members(name))]
TEXT = re.compile(r"<[^>]+>")
# Of the garbage that JSON can hold: what is none of the types, and the extremes of each.
GARBAGE: list[Any] = [
    None,
    "",
    "x",
    "é\u0000",
    "x" * 9000,
    -1,
    0,
    10**30,
    1.5,
    True,
    [],
    [None],
    ["x"],
    {},
    {"x": 1},
]


def _sent(cloud: Cloud, who: Credentials, service: str, operation: str, parameters: Any) -> Response:
    """The answer to what a client may send without looking at it; the signature is not what is tried."""
    scope = f"{who.access_key_id}/20300101/eu-central-1/{service}/aws4_request"
    signature = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature={'0' * 64}"
    headers = {"host": "127.0.0.1", "authorization": signature}
    service_model = _model(service)
    if "json" in service_model.protocols:
        target = f"{service_model.metadata['targetPrefix']}.{operation}"
        headers |= {"x-amz-target": target, "content-type": "application/x-amz-json-1.1"}
        return cloud.handle("POST", "http://127.0.0.1/", headers, json.dumps(parameters).encode())
    headers["content-type"] = "application/x-www-form-urlencoded"
    form = {"Action": operation, "Version": service_model.api_version} | parameters
    return cloud.handle("POST", "http://127.0.0.1/", headers, urlencode(form).encode())


@cache
def _model(service: str) -> ServiceModel:
    names = {"monitoring": "cloudwatch"}
    return botocore.session.get_session().get_service_model(names.get(service, service))


def _code(answer: Response, worst: int = 400) -> str:
    """The error's code, "" for success; fails where the answer is not of AWS's shape."""
    status, _, body = answer
    if status == 200:
        return ""
    assert 400 <= status <= worst, body
    if body.startswith(b"{"):
        found = json.loads(body)
        assert isinstance(found.get("message", found.get("Message")), str)
        return str(found["__type"]).rpartition("#")[2]
    code = ET.fromstring(body).findtext(".//{*}Code")  # noqa: S314 - our own answer
    assert code
    return code


@pytest.fixture
def cloud(world: World) -> Cloud:
    """The world's cloud, which takes anybody's word for who they are."""
    world.cloud.verifies_signatures = False
    return world.cloud


def test_every_operation_is_there(world: World) -> None:
    """Each operation of KMS's API model has an answer of its own: a new one fails here until it has."""
    assert world.cloud.kms.operations == set(KMS.operation_names)


@pytest.mark.parametrize("operation", KMS.operation_names)
def test_garbage(world: World, cloud: Cloud, operation: str) -> None:
    """Nothing, garbage for everything, and garbage for each member in turn: an answer of AWS's shape."""
    who, members = cloud.root(), list(_members(operation))
    rest = _minimal(world, operation)
    tried: list[Any] = [{}, *GARBAGE[4:], {"Unknown": 1}]
    tried += [dict.fromkeys(members, value) for value in GARBAGE]
    tried += [{**rest, name: value} for name in members for value in GARBAGE]
    for parameters in tried:
        _code(_sent(cloud, who, "kms", operation, parameters))


# What the world's root user is answered where the parameters are well-formed, and the key is symmetric.
_EXPECTED = {
    **dict.fromkeys(("CreateKey", "ListKeys", "ListAliases", "GenerateRandom", "ListRetirableGrants"), ""),
    **dict.fromkeys(("DeleteAlias", "UpdateAlias", "RetireGrant", "RevokeGrant"), "NotFoundException"),
    **dict.fromkeys(("Decrypt", "ReEncrypt"), "InvalidCiphertextException"),
    "CancelKeyDeletion": "KMSInvalidStateException",
    **dict.fromkeys(
        (
            *("Sign", "Verify", "GenerateMac", "VerifyMac", "DeriveSharedSecret"),
            *("Encapsulate", "Decapsulate"),
        ),
        "InvalidKeyUsageException",
    ),
    **dict.fromkeys(
        (
            *("GetPublicKey", "ReplicateKey", "UpdatePrimaryRegion"),
            *("GetParametersForImport", "ImportKeyMaterial", "DeleteImportedKeyMaterial"),
            *(name for name in KMS.operation_names if "CustomKeyStore" in name),
        ),
        "UnsupportedOperationException",
    ),
}


@pytest.mark.parametrize("operation", KMS.operation_names)
def test_rights(world: World, cloud: Cloud, operation: str) -> None:
    """Each operation is done for whom policies allow it, and refused to everybody else."""
    given = _minimal(world, operation)
    # Its ciphertext is of no key, and whether the grant exists comes before who may retire it.
    if operation not in ("Decrypt", "RetireGrant"):
        refused = _sent(cloud, cloud.session_for(world.app, "s"), "kms", operation, given)
        assert _code(refused) in ("AccessDeniedException", "NotFoundException")
        assert _code(refused) == "AccessDeniedException" or operation in ("DeleteAlias", "UpdateAlias")
        world.allow(world.app, *(f"kms:{name}" for name in KMS.operation_names if name != operation))
        again = _sent(cloud, cloud.session_for(world.app, "s"), "kms", operation, given)
        assert _code(again) == _code(refused) or operation == "CreateKey"
    world.allow(world.app, "kms:*")
    assert _code(_sent(cloud, cloud.session_for(world.app, "s"), "kms", operation, given)) == _EXPECTED.get(
        operation, ""
    )


@pytest.mark.parametrize("operation", ON_KEYS)
def test_rights_of_other_accounts(world: World, cloud: Cloud, operation: str) -> None:
    """A caller of another account, allowed everything by key policy and IAM, does what AWS lets it do."""
    world.cloud.put_key_policy(world.key, policy(naming([root(), root(PARTNER)], "kms:*")))
    world.allow(world.partner, "kms:*")
    given = _minimal(world, operation)
    found = _code(_sent(cloud, cloud.session_for(world.partner, "s"), "kms", operation, given))
    across = re.search(r"Cross-account use\W+Yes", TEXT.sub("", KMS.operation_model(operation).documentation))
    if operation == "UpdateAlias":
        assert found == "NotFoundException"
    elif operation == "ListAliases":
        assert found == ""
    else:
        assert found == (_EXPECTED.get(operation, "") if across else "AccessDeniedException")


@pytest.mark.parametrize("operation", ON_KEYS)
def test_aliases(world: World, cloud: Cloud, operation: str) -> None:
    """An operation takes an alias for its key where its documentation says so, and nowhere else."""
    members = _members(operation)
    world.as_root().create_alias(AliasName="alias/named", TargetKeyId=world.key)
    for name in _NAMES_OF_KEYS & set(members):
        documented = "alias/ExampleAlias" in TEXT.sub("", members[name].documentation)
        # KMS's page on aliases lists these two; their parameters' documentation leaves it out.
        takes = documented or operation in ("GenerateMac", "VerifyMac")
        for alias in ("alias/named", f"arn:aws:kms:eu-central-1:{HOME}:alias/named"):
            given = _minimal(world, operation) | {name: alias}
            found = _code(_sent(cloud, cloud.root(), "kms", operation, given))
            expected = _EXPECTED.get(operation, "")
            assert (found == expected) is takes or expected in ("NotFoundException",), (name, alias, found)
            assert takes or found in ("NotFoundException", "InvalidArnException")


OTHERS = ["dynamodb", "events", "iam", "logs", "monitoring", "sns", "sqs", "sts"]


@pytest.mark.parametrize("service", OTHERS)
def test_other_services(cloud: Cloud, service: str) -> None:
    """The other services answer all their operations too, whatever is sent: with 500 where moto cannot."""
    who, nobody = cloud.root(), cloud.session_for(cloud.create_role("nobody", []), "s")
    for operation in _model(service).operation_names:
        for parameters in ({}, {"Bogus": "x"}):
            refused = _code(_sent(cloud, nobody, service, operation, parameters), worst=404)
            assert refused or operation == "GetCallerIdentity"
            _code(_sent(cloud, who, service, operation, parameters), worst=500)


def _minimal(world: World, operation: str) -> dict[str, Any]:
    """Well-formed parameters: all that are required, by the model or by the documentation."""
    shape: Any = KMS.operation_model(operation).input_shape
    chosen = {
        "KeyId": world.key,
        "TargetKeyId": world.key,
        "DestinationKeyId": world.key,
        "AliasName": "alias/x",
        "GrantId": "0" * 64,
        "Policy": json.dumps(policy(naming(root(), "kms:*"))),
        "Tags": [{"TagKey": "a", "TagValue": "b"}],
        "CustomKeyStoreId": "cks-1234567890abcdef0",
        "PublicKey": "eA==",
    }
    also: dict[str, dict[str, Any]] = {
        "CreateGrant": {"GranteePrincipal": world.partner, "Operations": ["Encrypt"]},
        "ListRetirableGrants": {"RetiringPrincipal": world.expiry},
        "RetireGrant": {"KeyId": world.key, "GrantId": "0" * 64},
        "Decrypt": {"CiphertextBlob": "eHh4"},
        "ReEncrypt": {"CiphertextBlob": "eHh4", "SourceKeyId": world.key},
        "GenerateDataKey": {"KeySpec": "AES_256"},
        "GenerateDataKeyWithoutPlaintext": {"KeySpec": "AES_256"},
        "GenerateDataKeyPair": {"KeyPairSpec": "ECC_NIST_P256"},
        "GenerateDataKeyPairWithoutPlaintext": {"KeyPairSpec": "ECC_NIST_P256"},
        "GenerateRandom": {"NumberOfBytes": 1},
        "ReplicateKey": {"ReplicaRegion": "eu-west-1"},
        "UpdatePrimaryRegion": {"PrimaryRegion": "eu-west-1"},
    }
    required = {
        name: chosen[name] if name in chosen else _value(shape.members[name])
        for name in shape.required_members
    }
    return required | also.get(operation, {})


def _value(shape: Any) -> Any:
    by_type = {"blob": "eHh4", "integer": 365, "boolean": True, "timestamp": int(START.timestamp())}
    if shape.type_name == "list":
        return [_value(shape.member)]
    if shape.type_name == "string":
        return shape.enum[0] if shape.enum else "name"
    return by_type[shape.type_name]
