"""Mass revocations: end all that is selected, see how far it is, lift its block."""

from grant_broker.api.openapi.routes.operation import Operation
from grant_broker.api.query import PAGED
from grant_broker.api.shapes.revocations import MassRevocation, MassRevocationMade
from grant_broker.api.shapes.third_parties import Page
from grant_broker.domain.mass_revocations import MassRevocationAsked

_REVOCATION = "/security/revocations/{revocation_id}"

REVOCATIONS = (
    Operation(
        "post_mass_revocation",
        "POST",
        "/security/revocations",
        "Block what is selected, and end all of it: the kill switch.",
        {202: MassRevocationMade},
        body=MassRevocationAsked,
        repeatable=True,
        follow=("get_mass_revocation", "delete_mass_revocation"),
    ),
    Operation(
        "get_mass_revocations",
        "GET",
        "/security/revocations",
        "Mass revocations, newest first.",
        {200: Page[MassRevocation]},
        query=PAGED,
    ),
    Operation(
        "get_mass_revocation",
        "GET",
        _REVOCATION,
        "How far a mass revocation is, and what it blocks.",
        {200: MassRevocation},
    ),
    Operation(
        "delete_mass_revocation",
        "DELETE",
        _REVOCATION,
        "Lift its block; what was to end ends all the same.",
        {204: None},
        conflicts=True,
    ),
)
