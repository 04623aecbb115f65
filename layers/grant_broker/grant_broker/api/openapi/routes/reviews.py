"""Reviews of what somebody else did: see them, sign them off."""

from grant_broker.api.openapi.routes.operation import Operation
from grant_broker.api.query import PAGED
from grant_broker.api.shapes.reviews import Review
from grant_broker.api.shapes.third_parties import Page
from grant_broker.domain.reviews import Look

REVIEWS = (
    Operation(
        "get_reviews",
        "GET",
        "/security/reviews",
        "The reviews that are owed, newest first.",
        {200: Page[Review]},
        query=PAGED,
    ),
    Operation(
        "post_review",
        "POST",
        "/security/reviews/{kind}/{review_id}",
        "Sign off what somebody else did.",
        {200: Review},
        body=Look,
        conflicts=True,
        repeatable=True,
    ),
)
