"""What the broker does beside the founding scenario, a chapter each: `demo --full`.

The chapters share one stack, one after the other: each leaves the key's limits as it found them, and no
approval.
"""

from collections.abc import Callable

from tests.local_stack.demo.actors import Actors
from tests.local_stack.demo.emergency import break_glass
from tests.local_stack.demo.ends import ends_that_meet
from tests.local_stack.demo.extension import extension
from tests.local_stack.demo.history import history
from tests.local_stack.demo.oversight import oversight
from tests.local_stack.demo.people import approvers_and_requesters
from tests.local_stack.demo.regions import keys_of_other_regions
from tests.local_stack.demo.revocations import kill_switch
from tests.local_stack.demo.spreading import spreading
from tests.local_stack.demo.standing import standing_approval
from tests.local_stack.demo.told import people_are_told
from tests.local_stack.demo.usage import usage
from tests.local_stack.demo.windows import windows

FULL: tuple[Callable[[Actors], None], ...] = (
    standing_approval,
    approvers_and_requesters,
    extension,
    spreading,
    windows,
    ends_that_meet,
    break_glass,
    kill_switch,
    people_are_told,
    oversight,
    keys_of_other_regions,
    usage,
    history,
)
