"""Pictures of the figures, where matplotlib is installed (the extra `benchmarks`)."""

from pathlib import Path

from grant_broker.client.costs import monthly
from tests.benchmarks.sweep import DUE, QUOTA, cleared, late


def draw(folder: Path) -> list[Path]:
    """Draw the sweep, the lateness and the cost into a folder, as PNG."""
    folder.mkdir(parents=True, exist_ok=True)
    return [_sweep(folder / "sweep.png"), _lateness(folder / "lateness.png"), _cost(folder / "cost.png")]


def _sweep(path: Path) -> Path:
    from matplotlib.figure import Figure  # noqa: PLC0415 - an extra

    drawn = Figure(figsize=(7, 4))
    axes = drawn.subplots()
    for name, one_way in (("one way", True), ("both ways", False)):
        at = cleared(one_way=one_way).at
        axes.step([0, *at], range(len(at) + 1), where="post", label=name)
    axes.set(xlabel="seconds", ylabel="grants ended", title=f"{DUE} due at once, {QUOTA}/s an operation")
    axes.legend()
    drawn.savefig(path)
    return path


def _lateness(path: Path) -> Path:
    from matplotlib.figure import Figure  # noqa: PLC0415 - an extra

    drawn = Figure(figsize=(7, 4))
    axes = drawn.subplots()
    axes.hist([1000 * each for each in late().late], bins=40)
    axes.set(xlabel="milliseconds after its second", ylabel="grants", title="500 grants over a minute")
    drawn.savefig(path)
    return path


def _cost(path: Path) -> Path:
    from matplotlib.figure import Figure  # noqa: PLC0415 - an extra

    drawn = Figure(figsize=(7, 4))
    axes = drawn.subplots()
    grants = [10 * 2**step for step in range(16)]
    bills = [monthly(requests=each, live=each / 300, ends=each) for each in grants]
    axes.loglog(grants, [bill.compute_and_database for bill in bills], label="Lambda and DynamoDB")
    axes.loglog(grants, [bill.total for bill in bills], label="all")
    axes.set(xlabel="grants a month", ylabel="USD a month", title="What a stack costs")
    axes.legend()
    drawn.savefig(path)
    return path
