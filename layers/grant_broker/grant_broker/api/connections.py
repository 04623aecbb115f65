"""The connections that a first call would wait for: opened in the init phase instead."""

import logging
from collections.abc import Mapping
from threading import Thread

from grant_broker.api_broker import ApiBroker
from grant_broker.domain.errors import BrokerError, DatabaseRefused

_LOG = logging.getLogger(__name__)
_ON_LAMBDA = "AWS_LAMBDA_INITIALIZATION_TYPE"
_LONGEST = 3.0  # seconds; Lambda gives the init phase 10, and begins it again after that


def connect(broker: ApiBroker, environment: Mapping[str, str]) -> None:
    """On Lambda: read one key of the register, and its policy, so that both connections stand.

    To load the certificate authorities and shake hands takes a fifth of the CPU of a cold start. What fails
    here fails nobody: a call that needs the same is told.
    """
    if _ON_LAMBDA not in environment:
        return
    reading = Thread(target=_read, args=(broker,), daemon=True)
    reading.start()
    reading.join(_LONGEST)


def _read(broker: ApiBroker) -> None:
    try:
        for key in broker.store.lists.list_keys(limit=1, after=None).records:
            broker.kms.get_key_policy(key.document.key_arn)
    except (BrokerError, DatabaseRefused, ValueError):
        _LOG.warning("no connection in the init phase", exc_info=True)
