"""Accounts that are named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grant_broker.domain.accounts import Account

if TYPE_CHECKING:
    from grant_broker.api.shapes import accounts as shapes


def account_view(account: Account) -> shapes.NamedAccount:
    """What the security team says of an account."""
    return {
        "account": account.document.account,
        "name": account.document.name,
        "contact": account.document.contact,
        "event_bus": account.document.event_bus,
    }
