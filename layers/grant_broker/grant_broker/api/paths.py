"""Where a call was sent: the API's own path, and what stands before it in the URL that the caller used."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote


def own_path(event: Mapping[str, Any]) -> str:
    """The path below stage and base path, its parameters percent-encoded.

    Made from the resource that API Gateway matched, and not from the path, which under a custom domain starts
    with the base path: so no base path can be taken for a part of the API.
    """
    parameters: Mapping[str, str] = event.get("pathParameters") or {}
    return re.sub(
        r"\{(\w+)\}",
        lambda name: quote(parameters[name[1]], safe="", errors="surrogatepass"),
        event["resource"],
    )


def base_path(event: Mapping[str, Any]) -> str:
    """What the caller's URL has before the API's own path: the stage, or a custom domain's base path."""
    used: str = event["requestContext"]["path"].rstrip("/")
    return "/".join(used.split("/")[: -event["resource"].count("/")])
