"""Which mails a key asks for."""

from typing import Literal, TypeAlias

Notify: TypeAlias = Literal["exceptions", "all"]
"""What is mailed of a request that a standing approval covers: exceptions to its normal course, or all."""
