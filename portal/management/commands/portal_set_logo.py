"""``manage.py portal_set_logo``: makes an image the logo of a portal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.images import ImageError
from portal.management.output import add_json_option, write
from portal.models import PortalConfig, PortalLogo


class Command(BaseCommand):
    """Stores an image as a portal's logo."""

    help = "Make an image (PNG, JPEG or WebP, at most 100 KB) the logo of a portal. Needs the extra 'images'."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("slug", help="the portal")
        parser.add_argument("file", type=Path, help="the image")
        parser.add_argument("--dark", action="store_true", help="use it on dark pages only")
        add_json_option(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Store the image."""
        config = PortalConfig.objects.filter(slug=options["slug"]).first()
        if config is None:
            raise CommandError("There is no portal of this name.")
        try:
            logo = PortalLogo.objects.store(config, options["file"].read_bytes(), dark=options["dark"])
        except OSError as error:
            raise CommandError(f"Cannot read {options['file']}: {error.strerror}.") from None
        except (ImageError, ImportError) as error:
            raise CommandError(str(error)) from None
        write(self.stdout, {"file": logo.name}, f"Stored {logo.name}.", as_json=options["json"])
