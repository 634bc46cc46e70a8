"""``manage.py portal_open``: prints a working link into a portal."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.core.management.base import BaseCommand, CommandParser

from portal.management.output import add_json_option, plain_errors, write
from portal.permissions import CAPABILITIES
from portal.shortcuts import create_portal_url


class Command(BaseCommand):
    """Mints a session and prints its link."""

    help = "Print a link into a portal for one end user. It works once, for CODE_TTL (15 minutes by default)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("slug", help="the portal")
        parser.add_argument("external_id", help="your id of the user")
        parser.add_argument(
            "--permission", action="append", metavar="P", help="repeatable; by default all capabilities"
        )
        parser.add_argument("--preview", action="store_true", help="look at everything and change nothing")
        parser.add_argument("--return-url", default="", metavar="U", help="where “Back to …” leads")
        add_json_option(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Mint the session."""
        with plain_errors():
            url = create_portal_url(
                options["slug"],
                options["external_id"],
                options["permission"] or CAPABILITIES,
                preview=options["preview"],
                return_url=options["return_url"],
            )
        code = parse_qs(urlsplit(url).query)["session"][0]
        write(self.stdout, {"session": code, "url": url}, url, as_json=options["json"])
