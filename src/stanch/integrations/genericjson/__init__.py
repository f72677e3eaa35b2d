"""Any sender of JSON: a mapping in the configuration says where things stand in it."""

from stanch.integrations.genericjson.source import FieldMapping, GenericJson

__all__ = ["FieldMapping", "GenericJson"]
