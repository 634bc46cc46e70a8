"""``{% element %}``, ``|moment`` and ``|visible``, for the pages.

An element is one small template per kind of thing on a page, so that a host restyles by overriding a few files.

.. code-block:: django

    {% element "notice" kind="warning" %}Your key ends <b>tomorrow</b>.{% endelement %}

renders ``portal/elements/notice.html`` with ``kind`` and, as ``slot``, what stands between the tags. An element sees what
it is given and nothing else of the page.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django import template
from django.template.base import FilterExpression, NodeList, Parser, Token, token_kwargs
from django.template.context import Context
from django.utils.dates import MONTHS_3
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal import texts

__all__ = ["element", "moment", "visible"]

register = template.Library()


class ElementNode(template.Node):
    """Renders an element around its content."""

    def __init__(self, name: FilterExpression, options: dict[str, FilterExpression], nodelist: NodeList) -> None:
        self.name = name
        self.options = options
        self.nodelist = nodelist

    def render(self, context: Context) -> SafeString:
        """Return the element's HTML."""
        values: dict[str, Any] = {name: option.resolve(context) for name, option in self.options.items()}
        # Rendered template output: what in it came from a user has been escaped on the way.
        values["slot"] = self.nodelist.render(context)
        found = context.template.engine.get_template(f"portal/elements/{self.name.resolve(context)}.html")  # type: ignore[union-attr]
        return found.render(context.new(values))


@register.tag
def element(parser: Parser, token: Token) -> ElementNode:
    """Parse ``{% element "name" option=value … %}…{% endelement %}``."""
    _, *bits = token.split_contents()
    if not bits:
        raise template.TemplateSyntaxError('{% element %} needs the name of an element, for example "button".')
    name = parser.compile_filter(bits.pop(0))
    options = token_kwargs(bits, parser)
    if bits:
        raise template.TemplateSyntaxError(f"{{% element %}} takes option=value after the name, not {bits[0]!r}.")
    nodelist = parser.parse(("endelement",))
    parser.delete_first_token()
    return ElementNode(name, options, nodelist)


@register.filter
def moment(value: datetime) -> SafeString:
    """Return ``<time>`` for an aware datetime: UTC text that says so; the script shows the reader's own clock."""
    value = value.astimezone(UTC)
    machine = value.replace(tzinfo=None).isoformat(timespec="seconds")
    # What date_format makes of "j M Y, H:i", at a quarter of its cost: a list has one in each row.
    human = f"{value.day} {MONTHS_3[value.month].title()} {value.year}, {machine[11:16]}"
    return format_html('<time datetime="{}Z" data-local>{} UTC</time>', machine, human)


@register.filter
def visible(value: str) -> str:
    """Return a name that others gave, with the numbers of what hides in it; see :func:`portal.texts.visible`."""
    return texts.visible(value)
