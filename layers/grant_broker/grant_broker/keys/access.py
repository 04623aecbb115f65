"""Who can use a key: read its policy and all its grants, and answer within one Lambda's limits."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from grant_broker.access_report import AccessEntry, AccessReport, AccessTally, Identity, KeyPolicies
from grant_broker.access_report.grants import entry_of
from grant_broker.access_report.identities import delegated_accounts
from grant_broker.aws.kms import KmsReader
from grant_broker.broker import Broker
from grant_broker.domain.errors import Fault, InvalidRequest, KmsRefused, Unavailable
from grant_broker.domain.listed_grant import ListedGrant
from grant_broker.keys.key_policy import find_key_policy

# The API's functions have 25 s. A key at KMS's limit of 50,000 grants takes 500 calls.
_LONGEST = timedelta(seconds=20)


@dataclass(frozen=True)
class AccessPage:
    """A part of a key's access report; `after` is where the next page starts, None at the end.

    The first page has the access by the key policies, and `report` with findings and counts over all.
    """

    entries: list[AccessEntry]
    report: AccessReport | None
    after: str | None


def get_first_page(broker: Broker, key_arn: str, *, limit: int) -> AccessPage:
    """Access by the key policy, findings and counts over every grant, and the first `limit` grants.

    Unavailable where KMS answers too slowly for one call of the API; the command line has no such limit.
    """
    until = broker.clock() + _LONGEST
    tally = AccessTally(key_arn, retiring_principal=broker.settings.retiring_principal)
    grants, place = broker.kms.list_grants_page(key_arn, limit=limit)
    entries = [tally.add(grant) for grant in grants]
    for grants in _rest(broker.kms, key_arn, place):
        if broker.clock() > until:
            raise Unavailable(
                "KMS lists this key's grants too slowly: use `grant-broker access`", retry_after=30
            )
        for grant in grants:
            tally.add(grant)
    report = tally.report(get_key_policies(broker.kms, key_arn))
    return AccessPage([*report.entries, *entries], report, place)


def get_next_page(broker: Broker, key_arn: str, *, limit: int, after: str) -> AccessPage:
    """The next `limit` grants."""
    try:
        grants, place = broker.kms.list_grants_page(key_arn, limit=limit, marker=after)
    except KmsRefused as error:
        if error.code != "InvalidMarkerException":
            raise
        raise InvalidRequest(Fault("cursor", "KMS does not know this place any more: start again")) from error
    own = broker.settings.retiring_principal
    return AccessPage([entry_of(grant, own) for grant in grants], None, place)


def get_whole(
    kms: KmsReader,
    key_arn: str,
    *,
    retiring_principal: str | None,
    read_identities: Callable[[set[str]], Sequence[Identity] | None],
) -> AccessPage:
    """The whole report in one page, with every grant and every finding.

    `read_identities` gives the roles and users of those accounts to whose IAM the key policy leaves
    something, as far as it can read them; None where it cannot.
    """
    policies = get_key_policies(kms, key_arn)
    accounts = delegated_accounts(policies, key_arn)
    identities = read_identities(accounts) if accounts else None
    tally = AccessTally(key_arn, retiring_principal=retiring_principal)
    grants, place = kms.list_grants_page(key_arn)
    entries = [tally.add(grant) for grant in grants]
    for grants in _rest(kms, key_arn, place):
        entries += [tally.add(grant) for grant in grants]
    report = tally.report(policies, identities=identities, most_of_a_kind=None)
    return AccessPage([*report.entries, *entries], report, None)


def get_key_policies(kms: KmsReader, key_arn: str) -> KeyPolicies:
    """The key's policies as far as KMS shows them to this caller."""
    try:
        names = tuple(kms.list_key_policies(key_arn))
    except KmsRefused:
        names = None
    return KeyPolicies(find_key_policy(kms, key_arn), names)


def _rest(kms: KmsReader, key_arn: str, place: str | None) -> Iterator[list[ListedGrant]]:
    while place:
        grants, place = kms.list_grants_page(key_arn, marker=place)
        yield grants
