"""``manage.py portal_rollup``: keeps the table of counts small."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from portal.contrib.keys.models import KeyUsage
from portal.contrib.keys.usage_rollup import due, roll_up
from portal.management.batches import add_batch_option, batch_size
from portal.management.output import add_json_option, write


class Command(BaseCommand):
    """Folds hours that are long ago into days, and deletes what is older than USAGE_RETENTION."""

    help = (
        "Turn old hourly counts of the use of keys into daily ones, and delete the oldest. Safe to stop at any time and to "
        "run again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        add_batch_option(parser)
        parser.add_argument("--dry-run", action="store_true", help="count and change nothing")
        add_json_option(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Fold and delete until nothing is left that is old enough."""
        batch = batch_size(options, KeyUsage)
        if options["dry_run"]:
            done, name = due(), "would_roll_up"
            text = "Would fold {folded} hours into days and delete {deleted} counts."
        else:
            done, name = roll_up(batch), "rolled_up"
            text = "Folded {folded} hours into days and deleted {deleted} counts."
        write(self.stdout, {name: asdict(done)}, text.format(**asdict(done)), as_json=options["json"])
