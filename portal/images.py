"""Uploaded images: decoded and written anew, so that what we serve is pixels and nothing that came along with them.

Needs Pillow (the extra ``images``). An SVG is refused: it is a document that can hold scripts.
"""

from __future__ import annotations

import io
from typing import NamedTuple

__all__ = ["MAX_BYTES", "MAX_SIDE", "CleanImage", "ImageError", "clean_image"]

MAX_BYTES = 100 * 1024
#: Larger images are scaled down: a logo is shown at 36 pixels.
MAX_SIDE = 256
#: A small file can unfold to an image that fills the memory.
_MAX_PIXELS = 16_000_000
_FORMATS = {"PNG": ("png", "image/png"), "JPEG": ("jpg", "image/jpeg"), "WEBP": ("webp", "image/webp")}


class ImageError(ValueError):
    """The upload was refused; the text says what to upload instead."""


class CleanImage(NamedTuple):
    """An image as it is stored and served."""

    content: bytes
    extension: str
    content_type: str


def clean_image(data: bytes) -> CleanImage:
    """Return ``data``, a PNG, JPEG or WebP image, decoded and encoded again without its metadata.

    :raises ImageError: too large, of another kind, or damaged.
    :raises ImportError: Pillow is not installed; the text names the extra.
    """
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError:
        raise ImportError("Uploaded logos need Pillow: pip install 'django-customer-portal[images]'") from None
    if len(data) > MAX_BYTES:
        raise ImageError(f"The image may have at most {MAX_BYTES // 1024} KB.")
    try:
        with Image.open(io.BytesIO(data), formats=list(_FORMATS)) as image:
            if image.width * image.height > _MAX_PIXELS:
                raise ImageError("The image has too many pixels. Scale it down first.")
            extension, content_type = _FORMATS[image.format or ""]
            image.thumbnail((MAX_SIDE, MAX_SIDE))
            pixels = image.convert("RGB" if extension == "jpg" else "RGBA")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        if isinstance(error, ImageError):
            raise
        raise ImageError("Upload a PNG, JPEG or WebP image.") from None
    out = io.BytesIO()
    pixels.save(out, format={"jpg": "JPEG"}.get(extension, extension.upper()), optimize=True)
    return CleanImage(out.getvalue(), extension, content_type)
