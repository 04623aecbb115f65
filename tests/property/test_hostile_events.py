"""Items that somebody wrote into the table as audit events: none holds up those around it."""

import json
from typing import Any
from unittest import mock

from hypothesis import example, given
from hypothesis import strategies as st

from grant_broker.aws.items import item_of
from grant_broker.domain.mail import compose_digest
from tests.support.announcements import Sent, channels_to, event
from tests.support.context import Context
from tests.support.environments import load_handler

handler = load_handler("events")

# As Lambda hands them over: numbers as texts, bytes in base64.
_NUMBERS = st.sampled_from(
    ["0", "-1", "1.5", "1E+125", "-9.9E-125", "99999999999999999999999999999999999999"]
)
_SCALARS = st.one_of(
    st.text().map(lambda text: {"S": text}),
    _NUMBERS.map(lambda number: {"N": number}),
    st.sampled_from([{"B": "AA=="}, {"BOOL": True}, {"NULL": True}, {"SS": ["a", "b"]}, {"NS": ["1", "2"]}]),
    st.just({"BS": ["AA=="]}),
)
VALUES: Any = st.recursive(
    _SCALARS,
    lambda parts: (
        st.lists(parts, max_size=3).map(lambda found: {"L": found})
        | st.dictionaries(st.text(), parts, max_size=3).map(lambda found: {"M": found})
    ),
    max_leaves=8,
)
_GOOD = item_of(event(1))


@given(st.sampled_from(sorted(_GOOD)), st.none() | VALUES)
@example("detail", {"M": {"x": {"B": "AA=="}}})
@example("detail", {"M": {"notify": {"L": []}, "drift": {"M": {}}, "answer_by": {"N": "1E+125"}}})
@example("at", {"S": "9999-12-31T23:59:59.999Z"})
@example("sequence", {"N": "1E+125"})
@example("type", {"S": "submitted"})
def test_a_hostile_event_holds_up_no_other(name: str, value: Any) -> None:
    """Whatever an attribute of an event becomes, or where it is missing, the others are told as ever."""
    sent = Sent()
    channels = channels_to(sent)
    hostile = {key: given for key, given in (_GOOD | {name: value}).items() if given is not None}
    images = [item_of(event(2)), hostile, item_of(event(3))]
    records = [
        {"eventID": str(place), "dynamodb": {"SequenceNumber": str(place), "NewImage": image}}
        for place, image in enumerate(images)
    ]
    told = mock.patch.object(handler, "channels", return_value=channels)
    with told, mock.patch.object(handler, "measure"):
        answer = handler.lambda_handler({"Records": records}, Context())
    assert answer == {"batchItemFailures": []}
    assert {"id-2", "id-3"} <= set(_ids(sent))
    assert compose_digest(sent.notices).message.isascii()


def _ids(sent: Sent) -> list[Any]:
    return [json.loads(entry["Detail"])["id"] for entry in sent.entries]
