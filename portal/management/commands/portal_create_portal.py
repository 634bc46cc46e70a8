"""``manage.py portal_create_portal``: makes a portal."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from portal.management.output import add_json_option, plain_errors, write
from portal.models import PortalConfig


class Command(BaseCommand):
    """Makes a portal and prints its id."""

    help = "Create a portal."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("slug", help="its name in addresses, for example my-portal")
        parser.add_argument("--name", default="", help="your product's name, as users know it")
        parser.add_argument(
            "--return-origin", action="append", default=[], metavar="O", help="an origin that users may be sent back to"
        )
        parser.add_argument(
            "--allowed-origin", action="append", default=[], metavar="O", help="an origin whose pages may call the API"
        )
        parser.add_argument("--return-url", default="", metavar="U", help="where “Back to …” leads")
        parser.add_argument("--keyspace", default="", metavar="K", help="which keys it shows, in the key store's words")
        add_json_option(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the portal."""
        config = PortalConfig(
            slug=options["slug"],
            display_name=options["name"],
            return_origins=options["return_origin"],
            allowed_origins=options["allowed_origin"],
            return_url=options["return_url"],
            keyspace_id=options["keyspace"],
        )
        with plain_errors():
            config.full_clean()
            config.save()
        write(
            self.stdout,
            {"id": config.public_id, "slug": config.slug},
            f"Created portal {config.slug} ({config.public_id}).",
            as_json=options["json"],
        )
