"""How the tests run: the whole suite on every core and with its coverage, what is named at once and alone.

How hard the property tests look: by default the same examples each time; `soak` looks long and anew.
"""

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.local_aws.cloud import Cloud
from tests.support.reports import Report, Reports

_PATIENT = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
# The same examples at each run: what fails here fails for everybody. `soak` looks for new ones, and for more.
settings.register_profile(
    "default", deadline=None, derandomize=True, suppress_health_check=_PATIENT, print_blob=True
)
settings.register_profile("soak", deadline=None, suppress_health_check=_PATIENT, print_blob=True)
settings.load_profile("default")


def _whole(config: pytest.Config) -> bool:
    """Whether nothing was named, so that all of `testpaths` runs."""
    return config.args_source is not pytest.Config.ArgsSource.ARGS


def _measured(config: pytest.Config) -> bool:
    """Whether coverage is measured; a worker of xdist does as its master does."""
    worker: dict[str, object] | None = getattr(config, "workerinput", None)
    return _whole(config) if worker is None else "cov_master_host" in worker


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """A test that is named needs no second process; None leaves the number to xdist."""
    return None if _whole(config) else 0


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where a DynamoDB of its maker's own listens: tests of what is stored run on it too."""
    parser.addoption("--dynamodb-endpoint", metavar="URL", help="use this DynamoDB instead of moto's")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """The coverage of a few tests says nothing, and would fail its gate."""
    Cloud.dynamodb = config.getoption("--dynamodb-endpoint")
    config.pluginmanager.register(Reports(), "measured")
    if not _measured(config):
        config.pluginmanager.unregister(name="_cov")


@pytest.fixture(scope="session")
def report(request: pytest.FixtureRequest) -> Report:
    """Where a test leaves what it measured: a title and lines, shown at the end."""
    plugin: Reports = request.config.pluginmanager.getplugin("measured")
    return plugin.found


class _OneStack(LoadScopeScheduling):
    """Test by test to whoever is free, but those that share a running stack stay in one process."""

    def _split_scope(self, nodeid: str) -> str:
        return "end_to_end" if nodeid.startswith("tests/end_to_end/") else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """xdist's own groups are lost on pytest 9: it writes them into an attribute that is no more."""
    return _OneStack(config, log)
