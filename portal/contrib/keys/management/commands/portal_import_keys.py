"""``manage.py portal_import_keys``: takes over keys that another system made, by their hashes."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.contrib.keys.management.importing import Import
from portal.contrib.keys.management.progress import Progress
from portal.contrib.keys.management.records import FORMATS, FileRefused
from portal.contrib.keys.models import ApiKey
from portal.keystore.base import Owner
from portal.management.batches import add_batch_option, batch_size
from portal.management.output import add_json_option, write
from portal.models import PortalConfig

#: Where the database is not SQLite.
DEFAULT_BATCH = 1000


class Command(BaseCommand):
    """Imports a file, in batches; what is in already is skipped, so that it can be run again."""

    help = "Import API keys by the SHA-256 hashes of their secrets. Safe to stop at any time and to run again."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("file", type=Path, help="CSV with a header, or JSON lines")
        parser.add_argument("--portal", metavar="SLUG", help="whose keys they are, where a row names no keyspace")
        parser.add_argument(
            "--format", choices=[*FORMATS], metavar="F", help="csv or jsonl; else the file's suffix says"
        )
        parser.add_argument("--report", type=Path, metavar="FILE", help="write all refused rows there, as CSV")
        add_batch_option(parser, elsewhere=DEFAULT_BATCH, what="transaction")
        parser.add_argument("--dry-run", action="store_true", help="check the rows and import nothing")
        add_json_option(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Import the file, and say what became of its rows."""
        batch = batch_size(options, ApiKey, elsewhere=DEFAULT_BATCH)
        kind = options["format"] or _format(options["file"])
        keyspace_id = _keyspace(options["portal"])
        with ExitStack() as files:
            try:
                file = files.enter_context(options["file"].open("rb"))
                report = options["report"] and files.enter_context(
                    options["report"].open("w", newline="", encoding="utf-8")
                )
            except OSError as error:
                raise CommandError(f"Cannot open {error.filename}: {error.strerror}.") from None
            run = Import(keyspace_id, batch, dry_run=options["dry_run"], report=report, progress=Progress(self.stderr))
            try:
                run.run(file, kind)
            except FileRefused as error:
                raise CommandError(str(error)) from None
        self._tell(run, dry_run=options["dry_run"], as_json=options["json"])
        if refused := run.counts["refused"]:
            # Status 1, so that a script notices.
            raise CommandError(f"Rows that were refused: {refused}.")

    def _tell(self, run: Import, *, dry_run: bool, as_json: bool) -> None:
        imported, skipped, refused = (run.counts[name] for name in ("imported", "skipped", "refused"))
        name, word = ("would_import", "Would import") if dry_run else ("imported", "Imported")
        lines = [f"{word} {imported} keys. Skipped {skipped} that are there already, refused {refused}."]
        lines += [
            f"Line {row.line}: {row.column}: {row.reason}" if row.column else f"Line {row.line}: {row.reason}"
            for row in run.refused
        ]
        if refused > len(run.refused):
            lines.append("… and more: --report has them all.")
        refusals = [row._asdict() for row in run.refused]
        values = {name: imported, "skipped": skipped, "refused": refused, "refusals": refusals}
        write(self.stdout, values, "\n".join(lines), as_json=as_json)


def _format(path: Path) -> str:
    for kind, suffixes in FORMATS.items():
        if path.suffix.lower() in suffixes:
            return kind
    raise CommandError("The file's name does not say what it is. Give --format csv or --format jsonl.")


def _keyspace(slug: str | None) -> str:
    """Return the keyspace of the portal; empty when there is no slug."""
    if slug is None:
        return ""
    config = PortalConfig.objects.filter(slug=slug).first()
    if config is None:
        raise CommandError("There is no portal of this name.")
    return Owner(config, "").keyspace_id
