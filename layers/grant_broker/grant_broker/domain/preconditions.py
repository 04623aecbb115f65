"""What a writer takes for the present version of a thing: where it is another one, nothing is written."""

from typing import NamedTuple

from grant_broker.domain.errors import PreconditionFailed


class Precondition(NamedTuple):
    """The versions of which one must be the present one; None: any, or none at all.

    An empty set holds for no version. `exists`: any version will do, but there must be one.
    """

    versions: frozenset[str] | None = None
    exists: bool = False

    def ensure(self, version: int | None) -> None:
        """PreconditionFailed unless the present version, None where there is nothing yet, was meant."""
        if self.versions is None and not self.exists:
            return
        if version is None:
            raise PreconditionFailed("there is nothing yet that could be changed: send it without If-Match")
        if not self.exists and str(version) not in (self.versions or ()):
            raise PreconditionFailed("read it again, and send the change with the ETag that it has now")


ANY = Precondition()
