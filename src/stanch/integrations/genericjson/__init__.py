"""Any sender of JSON: a mapping in the configuration says where things stand in it."""

from stanch.integrations.genericjson.source import GenericJson, Mapping

__all__ = ["GenericJson", "Mapping"]
