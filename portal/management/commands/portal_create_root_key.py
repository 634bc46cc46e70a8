"""``manage.py portal_create_root_key``: makes a root key and prints it, once."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from portal.management.output import add_json_option, plain_errors, write
from portal.models import RootKey
from portal.permissions import MINT_ANY_SESSION


class Command(BaseCommand):
    """Makes a root key and prints it."""

    help = "Create a root key and print it. It cannot be shown again."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("name", help="where it is used, for example 'Billing backend'")
        parser.add_argument(
            "--permission",
            action="append",
            metavar="P",
            help="what it may do, repeatable; by default mint any session and nothing else; '*' is everything",
        )
        add_json_option(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the key."""
        with plain_errors():
            root_key, key = RootKey.objects.issue(options["name"], options["permission"] or MINT_ANY_SESSION)
        write(
            self.stdout,
            {"id": root_key.public_id, "key": key},
            f"{key}\n\nThis is root key “{root_key.name}” ({root_key.public_id}). Save it now: it cannot be shown again.",
            as_json=options["json"],
        )
