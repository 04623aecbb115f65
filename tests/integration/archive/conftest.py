"""The template with an archive, to which requests go 30 days after they were closed."""

from collections.abc import Iterator

import pytest
from moto.moto_api._internal.models import moto_api_backend

from tests.local_aws.s3 import Bucket
from tests.support.scene import InProcessStack


@pytest.fixture(scope="module")
def deployed() -> Iterator[InProcessStack]:
    """The template with an archive, to which requests go 30 days after they were closed."""
    yield InProcessStack.deploy(Archive="yes", ArchiveAfterDays="30", ArchiveRetentionDays="10")
    moto_api_backend.reset()


@pytest.fixture
def bucket(scene: InProcessStack) -> Bucket:
    """The archive's bucket, empty."""
    [found] = scene.cloud.s3.buckets.values()
    found.objects.clear()
    return found
