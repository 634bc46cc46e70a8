"""What of a page a browser would send or a person would read."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

from django.http import HttpResponseBase

__all__ = ["Form", "Page"]


@dataclass
class Form:
    """A form as it stands: its ``action`` and the values of its fields by name."""

    action: str
    values: dict[str, str] = field(default_factory=dict)


class Page(HTMLParser):
    """The ``source`` of an answer, its forms, its ``heading`` and the ``text`` below; what there is not is empty."""

    def __init__(self, response: HttpResponseBase) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._read: dict[str, str] = {}
        self._element = ""
        self._in_form = False
        # What is streamed has no content.
        self.source: str = getattr(response, "content", b"").decode(response.charset, "replace")
        self.feed(self.source)

    @property
    def heading(self) -> str:
        """The first heading."""
        return " ".join(self._read.get("h1", "").split())

    @property
    def text(self) -> str:
        """The first paragraph below the heading."""
        return " ".join(self._read.get("p", "").split())

    def form(self, action: str) -> Form | None:
        """Return the first form whose address ends in ``action``, or None."""
        return next((form for form in self.forms if form.action.endswith(action)), None)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a form, a field of one, or one of the two texts."""
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._in_form = True
            self.forms.append(Form(given.get("action", "")))
        elif tag == "input" and self._in_form and "name" in given:
            self.forms[-1].values[given["name"]] = given.get("value", "")
        elif (tag == "h1" or (tag == "p" and "h1" in self._read)) and tag not in self._read:
            self._element = tag
            self._read[tag] = ""

    def handle_endtag(self, tag: str) -> None:
        """End what the tag began."""
        if tag == "form":
            self._in_form = False
        elif tag == self._element:
            self._element = ""

    def handle_data(self, data: str) -> None:
        """Collect the text that is being read."""
        if self._element:
            self._read[self._element] += data
