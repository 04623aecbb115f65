"""Aliases, tags, and the pages in which an account's keys are listed."""

from datetime import timedelta

import pytest

from tests.integration.local_aws.world import (
    DENIED,
    HOME,
    START,
    World,
    code,
    naming,
    policy,
    root,
    statement,
)


def test_aliases(world: World) -> None:
    """An alias needs the right on itself and on its keys; a key answers to it once it is there."""
    create = world.role(world.app).create_alias
    given = {"AliasName": "alias/a", "TargetKeyId": world.key}
    assert code(create, **given) == DENIED
    alias = statement("kms:*Alias", Resource=f"arn:aws:kms:eu-central-1:{HOME}:alias/a")
    world.cloud.put_role_policies(world.app, [policy(alias)])
    assert code(create, **given) == DENIED
    world.cloud.put_role_policies(world.app, [policy(alias, statement("kms:*Alias", Resource=world.key))])
    assert code(create, **given) == ""
    assert code(create, **given) == "AlreadyExistsException"
    kms = world.as_root()
    assert kms.describe_key(KeyId="alias/a")["KeyMetadata"]["Arn"] == world.key
    other = world.cloud.create_key(policy(naming(root(), "kms:*")))
    move = {"AliasName": "alias/a", "TargetKeyId": other}
    assert code(world.role(world.app).update_alias, **move) == DENIED
    kms.update_alias(**move)
    assert [a["TargetKeyId"] for a in kms.list_aliases(KeyId=other)["Aliases"]] == [other.rpartition("/")[2]]
    assert kms.list_aliases(KeyId=world.key)["Aliases"] == []
    kms.delete_alias(AliasName="alias/a")
    assert code(kms.describe_key, KeyId="alias/a") == "NotFoundException"
    assert code(kms.create_alias, AliasName="alias/aws/a", TargetKeyId=other) == "NotAuthorizedException"
    assert code(kms.create_alias, AliasName="a", TargetKeyId=other) == "ValidationException"
    assert code(world.role(world.app).list_aliases) == code(world.role(world.app).list_keys) == DENIED


@pytest.mark.parametrize(
    "names", [["a", "a"], [f"k{number}" for number in range(51)], ["aws:a"], ["AWS:a"], ["a", "Aws:b"]]
)
def test_wrong_tags(world: World, names: list[str]) -> None:
    """A tag twice, more than fifty, or one of AWS's own names is no set of tags."""
    kms, tags = world.as_root(), [{"TagKey": name, "TagValue": "v"} for name in names]
    assert code(kms.tag_resource, KeyId=world.key, Tags=tags) == "TagException"
    assert code(kms.create_key, Tags=tags) == "TagException"
    assert len(kms.list_keys()["Keys"]) == 1
    assert kms.list_resource_tags(KeyId=world.key)["Tags"] == []
    if len(names) <= 2 and any(":" in name for name in names):
        assert code(kms.untag_resource, KeyId=world.key, TagKeys=names) == "TagException"


def test_many_tags(world: World) -> None:
    """A key takes fifty tags in all, listed in pages; one more replaces or is refused."""
    kms = world.as_root()
    tags = [{"TagKey": f"k{number:02}", "TagValue": "v"} for number in range(50)]
    kms.tag_resource(KeyId=world.key, Tags=tags[:30])
    kms.tag_resource(KeyId=world.key, Tags=tags[30:])
    kms.tag_resource(KeyId=world.key, Tags=[{"TagKey": "k00", "TagValue": "w"}])
    one_more = [{"TagKey": "another", "TagValue": "v"}]
    assert code(kms.tag_resource, KeyId=world.key, Tags=one_more) == "TagException"
    first = kms.list_resource_tags(KeyId=world.key, Limit=30)
    assert (len(first["Tags"]), first["Truncated"], first["Tags"][0]["TagValue"]) == (30, True, "w")
    assert len(kms.list_resource_tags(KeyId=world.key, Marker=first["NextMarker"])["Tags"]) == 20
    assert code(kms.list_resource_tags, KeyId=world.key, Limit=51) == "ValidationException"


def test_pages_of_keys_and_aliases(world: World) -> None:
    """Keys and aliases come in pages of the size that is asked for, up to KMS's own limits."""
    kms = world.as_root()
    for number in range(5):
        kms.create_key()
        kms.create_alias(AliasName=f"alias/a{number}", TargetKeyId=world.key)
    for name, listed, most in (("list_keys", "Keys", 1000), ("list_aliases", "Aliases", 100)):
        whole = getattr(kms, name)()
        assert whole["Truncated"] is False
        pages = list(kms.get_paginator(name).paginate(PaginationConfig={"PageSize": 2}))
        assert [len(page[listed]) for page in pages] == ([2, 2, 2] if listed == "Keys" else [2, 2, 1])
        assert [each for page in pages for each in page[listed]] == whole[listed]
        assert code(getattr(kms, name), Limit=most) == ""
        assert code(getattr(kms, name), Limit=most + 1) == "ValidationException"
        other = {"list_keys": kms.list_aliases, "list_aliases": kms.list_keys}[name]
        assert code(other, Marker=pages[0]["NextMarker"]) == "InvalidMarkerException"
    of_key = kms.list_aliases(KeyId=world.key, Limit=2)
    assert code(kms.list_aliases, Marker=of_key["NextMarker"]) == "InvalidMarkerException"
    assert (of_key["Aliases"][0]["CreationDate"], of_key["Aliases"][0]["LastUpdatedDate"]) == (START, START)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a", "ValidationException"),
        ("alias/", "ValidationException"),
        ("alias/a:b", "ValidationException"),
        ("alias/a b", "ValidationException"),
        ("alias/aws/a", "NotAuthorizedException"),
        ("alias/" + "a" * 251, "ValidationException"),
        ("alias/a/b_c-D9", ""),
    ],
)
def test_names_of_aliases(world: World, name: str, expected: str) -> None:
    """An alias has its prefix, no colon, and none of AWS's names."""
    kms = world.as_root()
    assert code(kms.create_alias, AliasName=name, TargetKeyId=world.key) == expected
    assert code(kms.describe_key, KeyId=name) == ("NotFoundException" if expected else "")


@pytest.mark.parametrize(
    ("old", "new", "fits"),
    [
        (("RSA_2048", "SIGN_VERIFY"), ("ECC_NIST_P256", "SIGN_VERIFY"), True),
        (("HMAC_224", "GENERATE_VERIFY_MAC"), ("HMAC_512", "GENERATE_VERIFY_MAC"), True),
        (("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"), ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"), True),
        (("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"), ("RSA_2048", "ENCRYPT_DECRYPT"), False),
        (("RSA_2048", "SIGN_VERIFY"), ("RSA_2048", "ENCRYPT_DECRYPT"), False),
        (("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"), ("HMAC_256", "GENERATE_VERIFY_MAC"), False),
    ],
)
def test_moved_aliases(world: World, old: tuple[str, str], new: tuple[str, str], *, fits: bool) -> None:
    """An alias moves between keys of one type and usage only, and keeps the day on which it was made."""
    kms = world.as_root()
    first, second = (
        kms.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["KeyId"] for spec, usage in (old, new)
    )
    kms.create_alias(AliasName="alias/a", TargetKeyId=first)
    world.now[0] += timedelta(days=1)
    moved = code(kms.update_alias, AliasName="alias/a", TargetKeyId=second)
    assert moved == ("" if fits else "ValidationException")
    (alias,) = kms.list_aliases()["Aliases"]
    assert alias["TargetKeyId"] == (second if fits else first)
    assert (alias["CreationDate"], alias["LastUpdatedDate"]) == (START, world.now[0] if fits else START)


def test_most_aliases(world: World) -> None:
    """A key has at most fifty aliases."""
    kms = world.as_root()
    for number in range(50):
        kms.create_alias(AliasName=f"alias/a{number}", TargetKeyId=world.key)
    assert code(kms.create_alias, AliasName="alias/b", TargetKeyId=world.key) == "LimitExceededException"


def test_tags_and_rotation(world: World) -> None:
    """What moto keeps of a key is reached by who may, within the key's account."""
    kms, key = world.as_root(), {"KeyId": world.key}
    kms.tag_resource(**key, Tags=[{"TagKey": "a", "TagValue": "b&Action=DeleteAlias"}])
    assert kms.list_resource_tags(**key)["Tags"] == [{"TagKey": "a", "TagValue": "b&Action=DeleteAlias"}]
    kms.untag_resource(**key, TagKeys=["a"])
    assert kms.list_resource_tags(**key)["Tags"] == []
    kms.enable_key_rotation(**key)
    assert kms.get_key_rotation_status(**key)["KeyRotationEnabled"]
    kms.update_key_description(**key, Description="new")
    assert kms.describe_key(**key)["KeyMetadata"]["Description"] == "new"
    assert code(world.role(world.app).enable_key_rotation, **key) == DENIED
    assert code(world.role(world.app).untag_resource, **key, TagKeys=["a"]) == DENIED
