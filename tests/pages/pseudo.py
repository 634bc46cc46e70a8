"""Two languages that do not exist: texts 40 % longer, and texts from right to left. They find what is not translated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from django.utils.translation import trans_real

#: Codes that Django ships a catalog for, borrowed because a language must exist to be chosen.
LONG, RIGHT_TO_LEFT = "de", "ar"

_PLACEHOLDERS = re.compile(r"(%\(\w+\)[sd]|<[^>]*>)")
_ACCENTED = str.maketrans("aeiounAEIOUN", "áéíóúñÁÉÍÓÚÑ")
_ARABIC = str.maketrans("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", "ابتثجحخدذرزسشصضطظعغفقكلمنه" * 2)


def longer(text: str) -> str:
    body = "".join(p if _PLACEHOLDERS.fullmatch(p) else p.translate(_ACCENTED) for p in _PLACEHOLDERS.split(text))
    # In words of ten characters, as long languages have them.
    return f"⟦{body}{' ~~~~~~~~~' * max(1, len(text) * 2 // 50)}⟧"


def arabic(text: str) -> str:
    body = "".join(p if _PLACEHOLDERS.fullmatch(p) else p.translate(_ARABIC) for p in _PLACEHOLDERS.split(text))
    return f"⟦{body}⟧"


class Pseudo(trans_real.DjangoTranslation):
    """Derives every translation from its source text."""

    def __init__(self, language: str, derive) -> None:
        super().__init__(language)
        self.derive = derive

    def gettext(self, message: str) -> str:
        return self.derive(message) if message else message

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        return self.derive(singular if number == 1 else plural)

    def pgettext(self, context: str, message: str) -> str:
        return self.derive(message)


@contextmanager
def pseudo_languages() -> Iterator[None]:
    before = dict(trans_real._translations)
    for language, derive in ((LONG, longer), (RIGHT_TO_LEFT, arabic)):
        trans_real._translations[language] = Pseudo(language, derive)
    try:
        yield
    finally:
        trans_real._translations.clear()
        trans_real._translations.update(before)
