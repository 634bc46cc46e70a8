"""What a form may bring, settled before anything of it is read (security requirement 26)."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any, NoReturn

from django.core.exceptions import TooManyFilesSent
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest

from .refusals import Refused

__all__ = ["MAX_FORM_BYTES", "limit_body"]

#: As of the API's bodies. Our longest form is far below it.
MAX_FORM_BYTES = 256 * 1024

_LENGTH = re.compile(r"[0-9]{1,6}")


def limit_body(request: HttpRequest) -> None:
    """Refuse a form that no page of ours sends: one that is large or of unknown length. One with a file fails when read.

    Anybody can send one. Django limits what it keeps of the fields, but writes files to disk as they come, and that is done
    before our code has seen the proof that the form is ours.

    :raises Refused: by its headers. Without a length, WSGI would read nothing, and ASGI everything.
    """
    if request.method != "POST":
        return
    length = request.META.get("CONTENT_LENGTH") or ""
    if not _LENGTH.fullmatch(length) or int(length) > MAX_FORM_BYTES:
        raise Refused("bad_request")
    # Whatever a middleware of the host's has read already is read.
    with suppress(AttributeError):
        request.upload_handlers = [_NoFiles(request)]


class _NoFiles(FileUploadHandler):
    """Takes no file. Not an empty list of handlers: with that, Django reads the parts in one piece."""

    def new_file(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse as Django does above its own limit, after which it does not look at the form again."""
        raise TooManyFilesSent
