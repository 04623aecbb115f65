"""Whose a grant is by every sign of an AWS service, and what the files of an adoption are called."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from grant_broker.client.census.adopting import Adoption
from grant_broker.client.census.judging import GrantJudge
from grant_broker.client.census.seen import SeenKey, Tally
from grant_broker.domain.listed_grant import ListedGrant

NOW = datetime(2026, 3, 1, tzinfo=UTC)
KEY = SeenKey(
    arn="arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    region="eu-central-1",
    aliases=("alias/Orders & more",),
    manager="CUSTOMER",
    state="Enabled",
    spec="SYMMETRIC_DEFAULT",
    usage="ENCRYPT_DECRYPT",
    created_at=NOW,
    last_use=None,
)
GRANT = ListedGrant(
    grant_id="a" * 64,
    key_arn=KEY.arn,
    name="",
    grantee="arn:aws:iam::111122223333:role/application",
    retiring_principal=None,
    operations=("Encrypt",),
    constraints={"EncryptionContextEquals": {"tenant": "a"}},
    created_at=NOW - timedelta(days=3),
    issuing_account="arn:aws:iam::111122223333:root",
)
LINKED = "arn:aws:iam::111122223333:role/aws-service-role/rds.amazonaws.com/AWSServiceRoleForRDS"


@pytest.mark.parametrize(
    ("changes", "service"),
    [
        ({}, None),
        ({"retiring_principal": "arn:aws:iam::111122223333:role/application"}, None),
        ({"grantee": "rds.eu-central-1.amazonaws.com"}, "rds.eu-central-1.amazonaws.com"),
        ({"grantee": LINKED}, "rds.amazonaws.com"),
        ({"issuing_account": "dynamodb.amazonaws.com"}, "dynamodb.amazonaws.com"),
        ({"retiring_principal": "rds.eu-central-1.amazonaws.com"}, "rds.eu-central-1.amazonaws.com"),
        ({"retiring_principal": LINKED}, "rds.amazonaws.com"),
        ({"constraints": {"SourceArn": "arn:aws:s3:::bucket"}}, "an AWS service"),
        ({"constraints": {"EncryptionContextSubset": {"AWS:ebs:id": "vol-1"}}}, "ebs"),
    ],
)
def test_service(changes: dict[str, Any], service: str | None, tmp_path: Path) -> None:
    """Whatever bears one sign of a service is the service's, and no file of an adoption names it."""
    seen = GrantJudge(KEY.arn, NOW).judge(replace(GRANT, **changes))
    assert (seen.maker, seen.service) == ("service" if service else "human", service)
    adoption = Adoption(tmp_path / "new", duration=3600)
    adopt(adoption, KEY, seen.grant)
    adoption.end(Tally(), [])
    written = "".join(path.read_text() for path in (tmp_path / "new").rglob("*") if path.is_file())
    assert (GRANT.grant_id in written) == (service is None)


def adopt(adoption: Adoption, key: SeenKey, grant: ListedGrant) -> None:
    """Take one key with one grant in."""
    adoption.key(key)
    adoption.grant(key, GrantJudge(key.arn, NOW).judge(grant))
    adoption.end_of_key(key, Tally())


def test_a_young_id_is_no_deletion() -> None:
    """KMS may show a new principal by its id: only on a grant of some age is it a deleted one's."""
    by_id = replace(GRANT, grantee="AROAEXAMPLEEXAMPLE")
    judge = GrantJudge(KEY.arn, NOW)
    assert "grant_to_deleted_principal" in judge.judge(by_id).findings
    young = replace(by_id, created_at=NOW - timedelta(minutes=9), operations=("Decrypt",))
    assert "grant_to_deleted_principal" not in judge.judge(young).findings


def test_names(tmp_path: Path) -> None:
    """Keys are named for their alias, or their id; of two alike the second gets a number."""
    other = replace(KEY, region="us-east-1", arn=KEY.arn.replace("eu-central-1", "us-east-1"))
    bare = replace(KEY, arn=KEY.arn.replace("1234abcd", "9999abcd"), aliases=())
    adoption = Adoption(tmp_path / "new", duration=3600)
    for key in (KEY, other, bare):
        adopt(adoption, key, replace(GRANT, key_arn=key.arn))
    adoption.end(Tally(), [])
    files = sorted((tmp_path / "new" / "keys").iterdir())
    names = [line.split()[1] for file in files for line in file.read_text().splitlines() if "name:" in line]
    assert sorted(names) == ['"key-9999abcd"', '"orders-more"', '"orders-more-2"']


def test_a_key_that_the_broker_cannot_serve(tmp_path: Path) -> None:
    """A disabled key's grants have no replacement, and the key no limits."""
    adoption = Adoption(tmp_path / "new", duration=3600)
    adopt(adoption, replace(KEY, state="Disabled"), GRANT)
    adoption.end(Tally(), [])
    [line] = (tmp_path / "new" / "left.jsonl").read_text().splitlines()
    assert json.loads(line)["why"].startswith("the broker serves enabled")
    assert list((tmp_path / "new" / "keys").iterdir()) == []
