"""Reviews of what somebody else did."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from grant_broker.domain.recertification import Due, Signed
from grant_broker.domain.reviews import Owed, SignOff
from grant_broker.domain.times import format_time

if TYPE_CHECKING:
    from grant_broker.api.shapes import reviews as shapes


def owed_view(owed: Owed | Due, signed: SignOff | Signed | None, *, may_decide: bool) -> shapes.Review:
    """A review that is owed, with who signed it off if somebody has."""
    by = {"by": signed.by, "comment": signed.comment, "at": format_time(signed.at)} if signed else None
    return {
        "kind": owed.review,
        "id": owed.id,
        "key": owed.key_arn,
        "account": owed.account,
        "by": owed.by,
        "about": owed.about,
        "since": format_time(owed.since),
        "may_decide": may_decide,
        "signed_off": cast("shapes.SignOff | None", by),
    }
