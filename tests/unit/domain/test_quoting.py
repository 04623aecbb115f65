"""What others wrote, in a mail."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from grant_broker.domain.mail import compose_digest
from grant_broker.domain.quoting import quoted
from tests.support.announcements import NOW, told_of


def test_untrusted() -> None:
    """What others wrote cannot leave its line or its quotation marks, nor be followed as a link."""
    text = 'approved"\r\nBy: \u202ealice\x7f https://evil.example ' + "x" * 400
    notice = told_of("active", reason=text)
    message = compose_digest([notice]).message
    assert message.isascii()
    assert "\x7f" not in message
    [line] = [each for each in message.split("\n") if each.startswith('"reason"')]
    assert "https://" not in line
    assert line.endswith(' (cut)"')
    assert len(notice.text.split("\n")) == 8
    assert "Text in quotation marks was written by others" in message


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | st.text() | st.just(NOW),
        lambda parts: st.lists(parts) | st.dictionaries(st.text(), parts),
    )
)
def test_any_value_is_one_line_of_ascii_json(value: Any) -> None:
    """No value leaves its line, its quotation marks or the alphabet."""
    line = quoted(value)
    assert line.isascii()
    assert line.isprintable()
    assert "://" not in line
    json.loads(line)


def test_long_and_deep_values_are_cut() -> None:
    """Of long texts, lists and objects a part is shown, and how much is not."""
    assert quoted("x" * 301) == f'"{"x" * 300} (cut)"'
    assert quoted(["a"] * 22).endswith('"a", "(2 cut)"]')
    assert json.loads(quoted({f"{number:02d}": True for number in range(22)}))["(cut)"] == 2
    assert quoted([[["a", {"b": ["c"]}]]]) == """[[["a", "{'b': ['c']}"]]]"""
