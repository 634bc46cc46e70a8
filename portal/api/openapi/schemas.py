"""JSON Schema in few words, for the description of answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portal.permissions import CAPABILITIES

__all__ = ["CAPABILITY", "Schema", "flag", "items", "moment", "number", "one_of", "record", "ref", "text"]

Schema = dict[str, Any]

#: One of the capabilities that sessions have.
CAPABILITY: Schema = {"type": "string", "enum": list(CAPABILITIES)}


def text(description: str, **more: Any) -> Schema:
    """Return the schema of a text; ``more`` are keywords of JSON Schema, such as ``pattern``."""
    return {"type": "string", "description": description, **more}


def one_of(values: Mapping[str, str], description: str) -> Schema:
    """Return the schema of a text that is one of ``values``, each with what it means."""
    meanings = "\n".join(f"- `{value}`: {meaning}" for value, meaning in values.items())
    return text(f"{description}\n\n{meanings}", enum=list(values))


def flag(description: str) -> Schema:
    """Return the schema of true or false."""
    return {"type": "boolean", "description": description}


def number(description: str, minimum: int = 0) -> Schema:
    """Return the schema of a whole number, ``minimum`` or more."""
    return {"type": "integer", "format": "int64", "minimum": minimum, "description": description}


def moment(description: str) -> Schema:
    """Return the schema of a time, which the API writes in Unix milliseconds."""
    return number(f"{description}, in Unix milliseconds")


def items(schema: Schema, description: str = "", **more: Any) -> Schema:
    """Return the schema of a list; ``more`` are keywords of JSON Schema, such as ``maxItems``."""
    return {"type": "array", "items": schema, **({"description": description} if description else {}), **more}


def record(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    """Return the schema of an object. What is ``optional`` is left out where there is nothing to say, and never null.

    Members that are not listed are not ruled out: a later release may add some.
    """
    members = {**required, **(optional or {})}
    return {"type": "object", "properties": members, **({"required": list(required)} if required else {})}


def ref(name: str, kind: str = "schemas") -> Schema:
    """Return a reference to one of the document's components.

    :param kind: which of them, as OpenAPI names them: ``schemas``, ``responses``, ``headers``, ``examples``.
    """
    return {"$ref": f"#/components/{kind}/{name}"}
