"""``manage.py portal_purge``: deletes sessions that ended long ago."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections, router

from portal import clock
from portal.conf import portal_settings
from portal.management.output import add_json_option, write
from portal.models import PortalSession

#: SQLite stops every other writer while a batch runs, so its batches are small.
BATCH = {"sqlite": 250}
DEFAULT_BATCH = 5000
PAUSE_SECONDS = 0.005


class Command(BaseCommand):
    """Deletes, in batches, the sessions that ended before PURGE_AFTER."""

    help = "Delete sessions that ended long ago. Safe to stop at any time and to run again; made for cron."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--batch", type=int, metavar="N", help="rows a batch; 250 on SQLite, 5000 elsewhere")
        parser.add_argument("--dry-run", action="store_true", help="count and delete nothing")
        add_json_option(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Delete until nothing is left that is old enough."""
        before = clock.now() - portal_settings.PURGE_AFTER
        batch = options["batch"]
        if batch is None:
            batch = BATCH.get(connections[router.db_for_write(PortalSession)].vendor, DEFAULT_BATCH)
        if batch < 1:
            raise CommandError("--batch must be 1 or more.")
        if options["dry_run"]:
            count = PortalSession.objects.ended_before(before).count()
            write(self.stdout, {"would_delete": count}, f"Would delete {count} sessions.", as_json=options["json"])
            return
        total = 0
        while deleted := PortalSession.objects.purge(before, batch):
            total += deleted
            time.sleep(PAUSE_SECONDS)
        write(self.stdout, {"deleted": total}, f"Deleted {total} sessions.", as_json=options["json"])
