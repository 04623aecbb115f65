"""The JSON Schema of what partners' buses are told, as the repository keeps it."""

import json

from grant_broker.domain.partner_events import VERSION, PartnerEvent


def text() -> str:
    """The document: JSON Schema 2020-12 of an EventBridge event's `detail`."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:grant-broker:partner-event:{VERSION}",
        **PartnerEvent.model_json_schema(mode="serialization"),
    }
    return json.dumps(schema, indent=1, ensure_ascii=True) + "\n"
