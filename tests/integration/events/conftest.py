"""The tables that the tests of the audit trail share."""

from tests.integration.reconcile.conftest import scene

__all__ = ["scene"]
