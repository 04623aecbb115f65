"""`grant-broker uninstall`: everything that must be over before the stack may be deleted."""

import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from grant_broker.client.api_command import Api, ApiCommand, yes_option
from grant_broker.client.arguments import SPAN
from grant_broker.client.errors import ConflictError, NotFoundError
from grant_broker.client.exit_codes import DONE, NO_ANSWER
from grant_broker.client.key_naming import path_id_of
from grant_broker.client.printing import printable, working

if TYPE_CHECKING:
    from grant_broker.api.shapes.requests import RequestSeen

_REASON = "the broker is being taken down"
_PAUSE = 2.0  # seconds between two looks
_TO_REVOKE = ("approved", "issuing", "active")
_LIVE = ("issuing", "active", "ending")
_NEXT = """\
No request holds a grant, and KMS lists none of the broker's on the keys that it shows to the security team.
Nothing new comes, whoever opens a key: a block stands. Should you change your mind:
   grant-broker revocations lift {block}
Next, in this order:
1. Look at the metric LiveGrants on the stack's dashboard: reconcile counts by KMS every five minutes, on all
   keys. Go on when it has been 0 twice.
2. Delete the stack: sam delete. Deleted before that, its grants live until somebody ends them by hand.
3. Delete what it leaves, where you need it no more: both tables (records and the whole trail), the functions'
   logs, the queue of lost events, the role of expiry, and the founding scenario's key if there is one; what
   that key encrypted is lost with it. The archive's bucket, if there is one, once S3 lets anybody.
4. Take the broker's statements (Issue, ReadKey, ReadPolicy, End, Compare) out of the policies of the keys:"""


@click.command("uninstall", cls=ApiCommand)
@click.option("--timeout", type=SPAN, default="15m", show_default=True, help="For how long at most.")
@yes_option
@click.pass_obj
def command(api: Api, *, timeout: timedelta, yes: bool) -> int:
    """Block everything, end every grant, wait until none is left; then say what to delete.

    It closes every key as well. Whoever of the security team opens one meanwhile opens it to nobody: the
    block stands. Exit code 4 where a grant is left when the time is over: the same command again goes on.
    """
    api.confirm("Block everything, close every key, and end every grant of the broker now?", yes=yes)
    block = _block_everything(api)
    keys = _close_keys(api)
    deadline = time.monotonic() + timeout.total_seconds()
    with working("ending every grant; Ctrl-C leaves everything blocked"):
        while left := _find_left(api, block, keys):
            if time.monotonic() > deadline:
                for each in left:
                    api.say(f"not ended yet: {each}")
                api.say("GET /security/events (type end_failed) says why. Next: the same command again")
                return NO_ANSWER
            time.sleep(_PAUSE)
    click.echo(_NEXT.format(block=block))
    for arn in keys:
        click.echo(f"   {printable(arn)}")
    return DONE


def _block_everything(api: Api) -> str:
    """Revoke and block all, unless an earlier run has; the id of the revocation whose block stands."""
    for each in api.client.security.list_revocations():
        if each["all"] and each["blocked_until"] is None:
            return each["id"]
    return api.client.security.revoke_many(all=True, reason=_REASON)["id"]


def _close_keys(api: Api) -> list[str]:
    """Close each managed key to new grants; their ARNs."""
    arns = [key["key_arn"] for key in api.client.security.list_keys()]
    for arn in arns:
        try:
            api.client.security.close_key(path_id_of(arn))
        except NotFoundError:
            # Somebody else has closed it meanwhile.
            continue
    return arns


def _find_left(api: Api, block: str, keys: Sequence[str]) -> list[str]:
    """Find what is not over yet: by the revocation, then by the records, then by KMS's own lists."""
    if left := api.client.security.get_revocation(block)["left"]:
        return [f"{left} of revocation {block}"]
    records = [f"{request['id']}, {request['status']}" for request in _revoke_and_list(api)]
    return records or list(_find_at_kms(api, keys))


def _revoke_and_list(api: Api) -> list["RequestSeen"]:
    """Revoke one by one what a revocation of all has left, if any; what is not over yet."""
    for request in _of_status(api, *_TO_REVOKE):
        try:
            api.client.security.revoke(request["id"], reason=_REASON)
        except ConflictError:
            # It has moved on since it was listed: the next look sees where to.
            continue
    return list(_of_status(api, *_LIVE))


def _of_status(api: Api, *statuses: str) -> Iterator["RequestSeen"]:
    for status in statuses:
        # Read to the end first: what is revoked meanwhile leaves the list.
        yield from list(api.client.security.list_requests(status=status))


def _find_at_kms(api: Api, keys: Sequence[str]) -> Iterator[str]:
    """Find keys on which KMS lists grants of the broker's, whatever the records say."""
    for arn in keys:
        try:
            report = api.client.security.get_access(path_id_of(arn))
        except ConflictError:
            # KMS does not list this key's grants to the security team: LiveGrants counts them.
            continue
        if count := sum("request_id" in entry["through"] for entry in report["items"]):
            yield f"{count} grants that KMS lists on {arn}"
