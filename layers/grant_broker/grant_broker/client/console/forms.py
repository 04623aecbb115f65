"""What the console's forms have in common."""

import uuid

from flask import request


def form_key() -> str:
    """What a form carries as its Idempotency-Key, so that sending it twice does its work once."""
    return request.form.get("once") or str(uuid.uuid4())


def typed(name: str) -> str | None:
    """A field of the form without spaces around; None where it is empty or not there."""
    return request.form.get(name, "").strip() or None
