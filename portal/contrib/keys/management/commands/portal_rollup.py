"""``manage.py portal_rollup``: keeps the table of counts small."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections, router

from portal.contrib.keys.models import KeyUsage
from portal.contrib.keys.usage_rollup import due, roll_up
from portal.management.commands.portal_purge import BATCH, DEFAULT_BATCH
from portal.management.output import add_json_option, write


class Command(BaseCommand):
    """Folds hours that are long ago into days, and deletes what is older than USAGE_RETENTION."""

    help = (
        "Turn old hourly counts of the use of keys into daily ones, and delete the oldest. Safe to stop at any time and to "
        "run again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--batch", type=int, metavar="N", help="rows a batch; 250 on SQLite, 5000 elsewhere")
        parser.add_argument("--dry-run", action="store_true", help="count and change nothing")
        add_json_option(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Fold and delete until nothing is left that is old enough."""
        batch = options["batch"]
        if batch is None:
            batch = BATCH.get(connections[router.db_for_write(KeyUsage)].vendor, DEFAULT_BATCH)
        if batch < 1:
            raise CommandError("--batch must be 1 or more.")
        if options["dry_run"]:
            done, name, text = (
                due(),
                "would_roll_up",
                "Would fold {folded} hours into days and delete {deleted} counts.",
            )
        else:
            done, name, text = (
                roll_up(batch),
                "rolled_up",
                "Folded {folded} hours into days and deleted {deleted} counts.",
            )
        write(self.stdout, {name: asdict(done)}, text.format(**asdict(done)), as_json=options["json"])
