"""A key as people name it, by its name, its id or its ARN, and as the API takes it."""

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from grant_broker.client.errors import GrantBrokerError
from grant_broker.domain.arns import key_id_of, region_of

if TYPE_CHECKING:
    from grant_broker.api.shapes.keys import Key
    from grant_broker.api.shapes.third_parties import Offer

_ID = re.compile(r"(?:[a-z0-9-]{1,32}:)?(?:mrk-[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
"""KMS's key ids, the Region before one that replicas share. A name of the register may look so as well."""


def path_id_of(key_arn: str) -> str:
    """The id of a key in the API's paths: with its Region where replicas in other Regions share it."""
    key_id = key_id_of(key_arn)
    return f"{region_of(key_arn)}:{key_id}" if key_id.startswith("mrk-") else key_id


def get_path_id(named: str, managed: Iterable["Key"]) -> str:
    """The id, in the API's paths, of the managed key that is named; GrantBrokerError."""
    found = _find_arn(named, managed)
    if found is None:
        raise GrantBrokerError(f"no managed key is called {named!a}. Next: list them with `keys managed`")
    return path_id_of(found)


def name_or_arn(named: str, list_keys: Callable[[], Iterable["Key | Offer"]]) -> str:
    """What the API's bodies and searches take for a key: an id is looked up, all else passes as it is."""
    return (_find_arn(named, list_keys()) if _ID.fullmatch(named) else None) or named


def _find_arn(named: str, keys: Iterable["Key | Offer"]) -> str | None:
    """Find the ARN of a key by name, ARN or id; a name goes first, and of replicas the first one."""
    known = {key["name"]: key["key_arn"] for key in keys}
    ways: tuple[Callable[[str], str], ...] = (str, path_id_of, key_id_of)
    by_arn = (arn for way in ways for arn in known.values() if way(arn) == named)
    return known.get(named) or next(by_arn, None)
