"""Tags of keys."""

from collections.abc import Mapping, Sequence

from tests.local_aws.answers import AwsError, Response, ok
from tests.local_aws.kms.access import Access, Asked, KmsCall
from tests.local_aws.kms.pages import Limits, page

_MOST = 50
_OF_TAGS = Limits(50, 50)


class Tags:
    """TagResource, UntagResource, ListResourceTags."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def tag(self, call: KmsCall) -> Response:
        """TagResource."""
        key, tags = self._access.key(call), read_tags(call.parameters["Tags"])
        self._access.require(call, key, Asked(call.operation, context=tag_context(tags)))
        key.require_not_pending()
        if len(key.tags | tags) > _MOST:
            raise _too_many()
        key.tags |= tags
        return ok({})

    def untag(self, call: KmsCall) -> Response:
        """UntagResource."""
        key, names = self._access.key(call), call.parameters["TagKeys"]
        _check_names(names)
        self._access.require(call, key, Asked(call.operation, context={"aws:TagKeys": names}))
        key.require_not_pending()
        key.tags = {name: value for name, value in key.tags.items() if name not in names}
        return ok({})

    def list(self, call: KmsCall) -> Response:
        """ListResourceTags."""
        key = self._access.key(call)
        self._access.require(call, key, Asked(call.operation))
        shown = [{"TagKey": name, "TagValue": value} for name, value in key.tags.items()]
        return ok(page(call, "Tags", shown, _OF_TAGS, [key.arn]))


def read_tags(given: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Tags by name. Raises TagException for what AWS does not take as a set of tags."""
    tags = {tag["TagKey"]: tag["TagValue"] for tag in given}
    if len(tags) < len(given):
        raise AwsError("TagException", "Duplicate tag keys")
    if len(tags) > _MOST:
        raise _too_many()
    _check_names(list(tags))
    return tags


def tag_context(tags: Mapping[str, str]) -> dict[str, object]:
    """The condition keys of tags that a request brings; none where it brings none."""
    if not tags:
        return {}
    return {"aws:TagKeys": list(tags), **{f"aws:RequestTag/{name}": value for name, value in tags.items()}}


def _check_names(names: Sequence[str]) -> None:
    if any(name.lower().startswith("aws:") for name in names):
        raise AwsError("TagException", "Tags beginning with aws: are reserved")


def _too_many() -> AwsError:
    return AwsError("TagException", "Too many tags")
