"""What AWS documents in two ways or not at all, tried: each probe says what came, beside what was read."""

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from grant_broker.client.doctor.bench import ALLOWED, CONTEXT, Bench
from grant_broker.client.doctor.findings import Finding, fault, unknown, well
from grant_broker.domain.arns import region_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_DENIED, _INVALID = "AccessDeniedException", "ValidationException"
_DRY = "DryRunOperationException"
_LAMBDAS = "alias/aws/lambda"
_LEADING = "dynamodb:LeadingKeys"
_FOUNDING = f"before {_DENIED}, agreed {ALLOWED}, other context {_DENIED}, Decrypt {_DENIED}, after {_DENIED}"
# An account of AWS's own documents.
_ANOTHER_ACCOUNT = "123456789012"


class NotProbedError(Exception):
    """What the probe needs is not here; the words say what to give."""


@dataclass(frozen=True)
class Probe:
    """A reading: `expected` is what the strict local KMS does, `observe` finds what AWS does.

    `means` says what to do where AWS is otherwise.
    """

    expected: str
    observe: Callable[[Bench], str]
    means: str


def conform(bench: Bench, probes: Mapping[str, Probe]) -> Iterator[tuple[str, Finding]]:
    """Run each probe; a mismatch is a fault."""
    for name, probe in probes.items():
        try:
            came = probe.observe(bench)
        except NotProbedError as error:
            yield name, unknown("not probed", str(error))
        except (BotoCoreError, ClientError) as error:
            yield name, unknown(f"not probed: {error}", "run it as an administrator of an account for trials")
        else:
            if came == probe.expected:
                yield name, well(f"match: {came}")
            else:
                words = f"mismatch: {came}, and the local KMS says {probe.expected}"
                yield name, fault(words, probe.means)


def _empty_constraint(bench: Bench) -> str:
    given = {"GranteePrincipal": bench.role, "Operations": ["Encrypt"], "KeyId": bench.key, "DryRun": True}
    constraints = {"EncryptionContextSubset": dict[str, str]()}
    return bench.outcome(_INVALID, bench.kms.create_grant, Constraints=constraints, **given)


def _missing_foreign_key(bench: Bench) -> str:
    region, missing = region_of(bench.key), uuid.uuid4()
    arn = f"arn:aws:kms:{region}:{_ANOTHER_ACCOUNT}:key/{missing}"
    return bench.outcome(_DENIED, bench.kms.describe_key, KeyId=arn)


def _context_keys(bench: Bench) -> str:
    """The role may create grants where kms:EncryptionContextKeys is there: with pairs, and not without."""
    given = {"GranteePrincipal": bench.role, "Operations": ["Encrypt"], "KeyId": bench.key, "DryRun": True}
    pairs = {"EncryptionContextEquals": CONTEXT}
    with_pairs = bench.outcome(_DRY, bench.grantee.create_grant, Constraints=pairs, **given)
    return f"{with_pairs} with pairs, {bench.outcome(_DENIED, bench.grantee.create_grant, **given)} without"


def _case(bench: Bench) -> str:
    token = bench.grant()["GrantToken"]
    given = {"KeyId": bench.key, "Plaintext": b"p", "GrantTokens": [token]}
    other = {"tenant": "a"}
    return bench.outcome(ALLOWED, bench.grantee.encrypt, EncryptionContext=other, **given)


def _young_grantee(bench: Bench) -> str:
    """Made first, so that the role is young."""
    return _kind(bench.get_grant(bench.grant()["GrantId"])["GranteePrincipal"])


def _retired_role(bench: Bench) -> str:
    """Last, since the role goes."""
    grant = bench.grant()["GrantId"]
    bench.delete_role()
    shown = bench.get_grant(grant)
    return f"grantee {_kind(shown['GranteePrincipal'])}, retiring {_kind(shown['RetiringPrincipal'])}"


def _kind(principal: str) -> str:
    return "an ARN" if principal.startswith("arn:") else "an id"


def _second_policy(bench: Bench) -> str:
    names = bench.kms.list_key_policies(KeyId=bench.key)["PolicyNames"]
    policy = bench.kms.get_key_policy(KeyId=bench.key)["Policy"]
    put = bench.kms.put_key_policy
    came = bench.outcome(_INVALID, put, KeyId=bench.key, PolicyName="AWS_RAM", Policy=policy)
    return f"{','.join(names)}; {came}"


def _issuing_account(bench: Bench) -> str:
    key = bench.foreign_key
    if key is None:
        raise NotProbedError("give --foreign-key: a key of another account on which you may grant and revoke")
    grant = bench.grant(key)["GrantId"]
    bench.at_end(f"a grant on {key}", lambda: bench.kms.revoke_grant(KeyId=key, GrantId=grant))
    issuer = bench.get_grant(grant, key)["IssuingAccount"]
    return "the caller's account" if issuer == f"arn:aws:iam::{bench.account}:root" else issuer


def _leading_keys(bench: Bench) -> str:
    """A Deny on one table's other partitions, and a transaction over both tables."""
    database: DynamoDBClient = bench.session.client("dynamodb")
    open_table, fenced = (_make_table(bench, database, name) for name in ("open", "fenced"))
    outside = {"ForAnyValue:StringNotLike": {_LEADING: "used#*"}}
    bench.put_role_policy(
        "write",
        {"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": [open_table, fenced]},
        {"Effect": "Deny", "Action": "dynamodb:PutItem", "Resource": fenced, "Condition": outside},
    )
    write = bench.as_role().client("dynamodb").transact_write_items
    fine = bench.outcome(ALLOWED, write, TransactItems=[_put(open_table, "other"), _put(fenced, "used#1")])
    other = bench.outcome(_DENIED, write, TransactItems=[_put(open_table, "used#2"), _put(fenced, "other")])
    return f"{fine} by its own key, {other} by another's"


def _make_table(bench: Bench, database: "DynamoDBClient", name: str) -> str:
    table = f"{bench.tag}-{name}"
    database.create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    bench.at_end(f"the table {table}", lambda: database.delete_table(TableName=table))
    database.get_waiter("table_exists").wait(TableName=table)
    return f"arn:aws:dynamodb:{region_of(bench.key)}:{bench.account}:table/{table}"


def _put(table_arn: str, key: str) -> dict[str, object]:
    return {"Put": {"TableName": table_arn.rpartition("/")[2], "Item": {"pk": {"S": key}}}}


def _lambda_alias(bench: Bench) -> str:
    """Whether a policy can tell Lambda's own key by the alias that the fences name."""
    try:
        found = bench.kms.describe_key(KeyId=_LAMBDAS)["KeyMetadata"]
    except bench.kms.exceptions.NotFoundException as error:
        raise NotProbedError(
            "make a Lambda function with environment variables in this Region first"
        ) from error
    statement = {
        "Effect": "Allow",
        "Action": "kms:DescribeKey",
        "Resource": "*",
        "Condition": {"ForAnyValue:StringEquals": {"kms:ResourceAliases": _LAMBDAS}},
    }
    bench.put_role_policy("lambda", statement)
    came = bench.outcome(ALLOWED, bench.grantee.describe_key, KeyId=found["Arn"])
    return f"managed by {found['KeyManager']}, {came} by its alias"


def _founding(bench: Bench) -> str:
    """Nothing without a grant, the agreed context alone under it, nothing once it is revoked."""
    orders, salaries = {"dataset": "orders"}, {"dataset": "salaries"}
    encrypt = partial(bench.grantee.encrypt, KeyId=bench.key, Plaintext=b"p")
    before = bench.outcome(_DENIED, encrypt, EncryptionContext=orders)
    grant = bench.grant(context=orders)
    tokens = [grant["GrantToken"]]
    agreed = bench.outcome(ALLOWED, encrypt, EncryptionContext=orders, GrantTokens=tokens)
    others = bench.outcome(_DENIED, encrypt, EncryptionContext=salaries, GrantTokens=tokens)
    cipher = bench.kms.encrypt(KeyId=bench.key, Plaintext=b"p", EncryptionContext=orders)["CiphertextBlob"]
    decrypt = partial(bench.grantee.decrypt, CiphertextBlob=cipher, EncryptionContext=orders)
    opened = bench.outcome(_DENIED, decrypt, GrantTokens=tokens)
    bench.kms.revoke_grant(KeyId=bench.key, GrantId=grant["GrantId"])
    after = bench.outcome(_DENIED, encrypt, EncryptionContext=orders)
    return f"before {before}, agreed {agreed}, other context {others}, Decrypt {opened}, after {after}"


PROBES: Mapping[str, Probe] = MappingProxyType(
    {
        "empty constraint": Probe(
            _INVALID, _empty_constraint, "KMS takes an empty constraint: keep the fences that refuse one"
        ),
        "missing foreign key": Probe(
            _DENIED,
            _missing_foreign_key,
            "a deleted key of another account is told apart: revise its closing",
        ),
        "EncryptionContextKeys": Probe(
            f"{_DRY} with pairs, {_DENIED} without",
            _context_keys,
            "key policies must not ask for kms:EncryptionContextKeys on CreateGrant: take Null out of Issue",
        ),
        "young grantee": Probe("an ARN", _young_grantee, "an id on a young grant is no proof of deletion"),
        "case in constraints": Probe(ALLOWED, _case, "constraints are exact: say so to third parties"),
        "second key policy": Probe(
            f"default; {_INVALID}",
            _second_policy,
            "who may put a second policy opens the key: watch for it",
        ),
        "IssuingAccount": Probe(
            "the caller's account", _issuing_account, "whose grant it is must be decided otherwise"
        ),
        "leading keys": Probe(
            f"{ALLOWED} by its own key, {_DENIED} by another's",
            _leading_keys,
            "the fence MarksUsedOnly stops the closing of records: take it out until it is mended",
        ),
        "alias of Lambda's key": Probe(
            f"managed by AWS, {ALLOWED} by its alias",
            _lambda_alias,
            "the fence DecryptsForLambdaOnly lets another key through",
        ),
        "founding scenario": Probe(
            _FOUNDING,
            _founding,
            "the promise is not kept here: do not use the broker before it is understood why",
        ),
        "retired role": Probe(
            "grantee an id, retiring an id", _retired_role, "reconcile must tell deleted principals otherwise"
        ),
    }
)
