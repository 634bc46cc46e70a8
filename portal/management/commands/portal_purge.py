"""``manage.py portal_purge``: deletes sessions that ended and keys that were revoked long ago, and old events."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from portal import clock
from portal.conf import portal_settings
from portal.keystore import get_key_store
from portal.management.batches import add_batch_option, batch_size, until_none
from portal.management.output import add_json_option, write
from portal.models import PortalEvent, PortalSession


class Command(BaseCommand):
    """Deletes, in batches, what ended or was revoked before PURGE_AFTER, and events from before EVENT_RETENTION."""

    help = (
        "Delete sessions, events and revoked keys that are old enough. Safe to stop at any time and to run again; made for "
        "cron."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        add_batch_option(parser)
        parser.add_argument("--dry-run", action="store_true", help="count and delete nothing")
        add_json_option(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Delete until nothing is left that is old enough."""
        batch = batch_size(options, PortalSession)
        now = clock.now()
        ended_before, events_before = now - portal_settings.PURGE_AFTER, now - portal_settings.EVENT_RETENTION
        sessions, events = PortalSession.objects, PortalEvent.objects
        if options["dry_run"]:
            # A store deletes what is left of revoked keys and does not count it.
            counts = {
                "sessions": sessions.ended_before(ended_before).count(),
                "events": events.before(events_before).count(),
            }
            name, text = "would_delete", "Would delete {sessions} sessions and {events} events."
        else:
            counts = {
                "sessions": until_none(partial(sessions.purge, ended_before, batch)),
                "events": until_none(partial(events.purge, events_before, batch)),
                # Last: a store elsewhere may be away, and then the rest is done.
                "keys": until_none(partial(get_key_store().purge, ended_before, batch)),
            }
            name, text = "deleted", "Deleted {sessions} sessions, {events} events and {keys} revoked keys."
        write(self.stdout, {name: counts}, text.format(**counts), as_json=options["json"])
