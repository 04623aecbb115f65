"""Who can use a key: read its policy and all its grants, and answer within one Lambda's limits."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from grant_broker.access_report import Report, Tally
from grant_broker.access_report.grants import entry_of
from grant_broker.aws.kms import Kms
from grant_broker.broker import Broker
from grant_broker.domain.errors import Fault, InvalidRequest, KmsRefused, Unavailable
from grant_broker.domain.key_policy import Roles, advice

# The API's functions have 25 s. A key at KMS's limit of 50,000 grants takes 500 calls.
_LONGEST = timedelta(seconds=20)


def first_page(broker: Broker, key_arn: str, *, limit: int) -> tuple[dict[str, Any], str | None]:
    """Access by the key policy, findings and counts over every grant, the first grants; where they go on.

    Unavailable where KMS answers too slowly for one call of the API; the command line has no such limit.
    """
    until = broker.clock() + _LONGEST
    tally = Tally(key_arn, retiring_principal=broker.settings.retiring_principal)
    grants, place = broker.kms.entries(key_arn, limit=limit)
    entries = [tally.add(grant) for grant in grants]
    for grants in _rest(broker.kms, key_arn, place):
        if broker.clock() > until:
            raise Unavailable(
                "KMS lists this key's grants too slowly: use `grant-broker access`", retry_after=30
            )
        for grant in grants:
            tally.add(grant)
    report = tally.report(key_policy(broker.kms, key_arn))
    return _view(report, [entry.view() for entry in (*report.entries, *entries)]), place


def next_page(broker: Broker, key_arn: str, *, limit: int, after: str) -> tuple[dict[str, Any], str | None]:
    """The next grants; findings and counts came with the first answer."""
    try:
        grants, place = broker.kms.entries(key_arn, limit=limit, marker=after)
    except KmsRefused as error:
        if error.code != "InvalidMarkerException":
            raise
        raise InvalidRequest(Fault("cursor", "KMS does not know this place any more: start again")) from error
    own = broker.settings.retiring_principal
    items = [entry_of(grant, own).view() for grant in grants]
    return {"items": items, "findings": [], "counts": {}}, place


def whole(kms: Kms, key_arn: str, *, retiring_principal: str | None) -> dict[str, Any]:
    """The whole report, every grant in it."""
    tally = Tally(key_arn, retiring_principal=retiring_principal)
    grants, place = kms.entries(key_arn)
    entries = [tally.add(grant) for grant in grants]
    for grants in _rest(kms, key_arn, place):
        entries += [tally.add(grant) for grant in grants]
    report = tally.report(key_policy(kms, key_arn))
    return _view(report, [entry.view() for entry in (*report.entries, *entries)])


def policy_advice(broker: Broker, key_arn: str) -> dict[str, Any]:
    """What the key's policy must say for this stack, as a change of its present one where KMS shows that."""
    settings = broker.settings
    roles = Roles(
        requests=settings.requests_role,
        approvals=settings.approvals_role,
        expiry=settings.retiring_principal,
        reconcile=settings.reconcile_role,
    )
    return advice(roles, settings.grantable_operations, key_arn, key_policy(broker.kms, key_arn))


def key_policy(kms: Kms, key_arn: str) -> str | None:
    """The key policy, or None where KMS does not show it to this caller."""
    try:
        return kms.key_policy(key_arn)
    except KmsRefused:
        return None


def _rest(kms: Kms, key_arn: str, place: str | None) -> Iterator[list[dict[str, Any]]]:
    while place:
        grants, place = kms.entries(key_arn, marker=place)
        yield grants


def _view(report: Report, items: list[dict[str, Any]]) -> dict[str, Any]:
    findings = [finding.view() for finding in report.findings]
    return {"items": items, "findings": findings, "counts": report.counts}
