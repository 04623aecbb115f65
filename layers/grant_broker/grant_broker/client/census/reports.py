"""A census as a table, as JSON and as a page of HTML, each written as it comes."""

import json
from collections.abc import Callable, Mapping
from html import escape
from string import Template

from grant_broker.client.census.seen import MEANINGS, SeenGrant, SeenKey, Tally, Unread
from grant_broker.client.printing import printable
from grant_broker.domain.times import format_time, format_time_or_none

Write = Callable[[str], object]
_STYLE = (
    ":root{color-scheme:light dark}body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;"
    "max-width:90rem;padding:0 1rem}h2{overflow-wrap:anywhere}table{border-collapse:collapse;width:100%}"
    "th,td{border-bottom:1px solid #8886;padding:.3rem .6rem;text-align:left;vertical-align:top;"
    "overflow-wrap:anywhere}.bad{font-weight:600}"
)
_ALLOWED = "default-src 'none'; style-src 'unsafe-inline'"
_HEAD = Template(
    '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    '<meta http-equiv="Content-Security-Policy" content="$allowed">\n'
    "<title>KMS grants</title>\n<style>$style</style>\n</head>\n<body>\n<main>\n<h1>KMS grants</h1>\n"
)
_COLUMNS = ("Grant", "Made by", "Grantee", "Operations", "Constraint", "Age", "To look at")


class TableReport:
    """Every key with its counts, and a line for each grant that neither the broker nor a service made."""

    def __init__(self, write: Write) -> None:
        self._write = write

    def key(self, key: SeenKey) -> None:
        """Print the key."""
        self._line(f"{key.arn}  {' '.join(key.aliases) or '-'}  {key.manager}, {key.state}, {last_use(key)}")

    def grant(self, key: SeenKey, seen: SeenGrant) -> None:  # noqa: ARG002 - all listeners have this form
        """Print the grant."""
        if seen.maker == "human":
            grant = seen.grant
            what = f"{grant.grantee}  {','.join(grant.operations)}  {_constraint(seen)}"
            self._line(f"  {grant.grant_id}  {what}  {seen.age_days} d  {' '.join(seen.findings) or '-'}")

    def end_of_key(self, key: SeenKey, tally: Tally) -> None:  # noqa: ARG002
        """Print its counts."""
        self._line(f"  {in_words(tally)}")

    def end(self, tally: Tally, unread: list[Unread]) -> None:
        """Print the counts of all."""
        self._line(f"{tally.keys} keys: {in_words(tally)}")
        for each in unread:
            self._line(f"not read: {each.what}: {each.why}")

    def _line(self, text: str) -> None:
        self._write(printable(text) + "\n")


class JsonReport:
    """One JSON document. ASCII alone, so that no text in it can steer a terminal."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._keys = self._grants = ""
        write('{"keys": [')

    def key(self, key: SeenKey) -> None:
        """Begin a key."""
        self._write(f'{self._keys}\n{json.dumps(key_view(key))[:-1]}, "grants": [')
        self._keys, self._grants = ",", ""

    def grant(self, key: SeenKey, seen: SeenGrant) -> None:  # noqa: ARG002
        """Write a grant."""
        self._write(f"{self._grants}\n {json.dumps(grant_view(seen))}")
        self._grants = ","

    def end_of_key(self, key: SeenKey, tally: Tally) -> None:  # noqa: ARG002
        """End a key."""
        counts = {name: value for name, value in tally.view.items() if name != "keys"}
        self._write(f'], "counts": {json.dumps(counts)}}}')

    def end(self, tally: Tally, unread: list[Unread]) -> None:
        """End the document."""
        not_read = [{"what": each.what, "why": each.why} for each in unread]
        self._write(f'\n], "counts": {json.dumps(tally.view)}, "not_read": {json.dumps(not_read)}}}\n')


class HtmlReport:
    """One page that loads nothing and runs nothing; whatever others wrote is text in it."""

    def __init__(self, write: Write) -> None:
        self._write = write
        write(_HEAD.substitute(style=_STYLE, allowed=_ALLOWED))

    def key(self, key: SeenKey) -> None:
        """Begin a key's table."""
        about = f"{' '.join(key.aliases) or 'no alias'}; {key.manager}, {key.state}, {last_use(key)}"
        head = "".join(f'<th scope="col">{name}</th>' for name in _COLUMNS)
        self._write(
            f"<section>\n<h2>{escape(key.arn)}</h2>\n<p>{escape(about)}</p>\n<table>\n<tr>{head}</tr>\n"
        )

    def grant(self, key: SeenKey, seen: SeenGrant) -> None:  # noqa: ARG002
        """Write a row."""
        grant = seen.grant
        maker = seen.service or seen.maker
        cells = (grant.grant_id, maker, grant.grantee, ", ".join(grant.operations), _constraint(seen))
        row = "".join(f"<td>{escape(cell)}</td>" for cell in (*cells, f"{seen.age_days} d"))
        self._write(f'<tr>{row}<td class="bad">{escape(", ".join(seen.findings))}</td></tr>\n')

    def end_of_key(self, key: SeenKey, tally: Tally) -> None:  # noqa: ARG002
        """End the table."""
        self._write(f"</table>\n<p>{escape(in_words(tally))}</p>\n</section>\n")

    def end(self, tally: Tally, unread: list[Unread]) -> None:
        """End the page."""
        self._write(f"<h2>All {tally.keys} keys</h2>\n<p>{escape(in_words(tally))}</p>\n<ul>\n")
        for code, meaning in MEANINGS.items():
            self._write(f"<li><code>{code}</code>: {escape(meaning)}</li>\n")
        for each in unread:
            self._write(f"<li>not read: {escape(each.what)}: {escape(each.why)}</li>\n")
        self._write("</ul>\n</main>\n</body>\n</html>\n")


def key_view(key: SeenKey) -> dict[str, object]:
    """A key for programs; `last_use` is null where KMS does not tell it."""
    use = key.last_use
    return {
        "key_arn": key.arn,
        "aliases": list(key.aliases),
        "manager": key.manager,
        "state": key.state,
        "created_at": format_time(key.created_at),
        "last_use": use
        and {
            "operation": use.operation,
            "at": format_time_or_none(use.at),
            "seen_since": format_time_or_none(use.since),
        },
    }


def grant_view(seen: SeenGrant) -> dict[str, object]:
    """A grant for programs."""
    grant = seen.grant
    return {
        "grant_id": grant.grant_id,
        "name": grant.name,
        "made_by": seen.maker,
        "service": seen.service,
        "grantee": grant.grantee,
        "operations": list(grant.operations),
        "constraint": dict(grant.constraints),
        "issued_by": grant.issuing_account,
        "retiring_principal": grant.retiring_principal,
        "created_at": format_time(grant.created_at),
        "age_days": seen.age_days,
        "findings": list(seen.findings),
    }


def in_words(tally: Tally) -> str:
    """The counts on one line."""
    makers = f"{tally.makers['human']} grants made by hand, {tally.makers['broker']} by the broker"
    found = "".join(f", {name}: {count}" for name, count in sorted(tally.findings.items()))
    oldest = f", the oldest {tally.oldest_days} d" if tally.makers["human"] else ""
    return f"{makers}, {tally.makers['service']} by AWS services{oldest}{found}"


def last_use(key: SeenKey) -> str:
    """The last use in words."""
    use = key.last_use
    if use is None:
        return "last use not told"
    if use.at is None:
        return f"no use seen since {format_time_or_none(use.since)}"
    return f"last used {format_time_or_none(use.at)} ({use.operation})"


def _constraint(seen: SeenGrant) -> str:
    constraints: Mapping[str, object] = seen.grant.constraints
    return json.dumps(constraints, sort_keys=True) if constraints else "no constraint"
