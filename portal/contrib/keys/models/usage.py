"""How often keys were presented: a row for each key, hour and outcome, and for a whole day once it is long ago.

Hours are numbers, counted from 1970 in UTC: no zone of a reader, a connection or a database can move them, and no change of
daylight saving time makes two of them one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple, Self

from django.db import connections, models
from django.utils.translation import gettext_lazy as _

from portal import clock
from portal.models.insert import column

from .api_key import ApiKey

__all__ = ["HOURS_A_DAY", "Count", "KeyUsage", "hour_of", "hours_within", "moment_of"]

HOURS_A_DAY = 24
_MILLISECONDS = 3_600_000


class Count(NamedTuple):
    """What is counted apart: of a key (its primary key), in an hour, with an outcome."""

    key: int
    hour: int
    outcome: str


def hour_of(moment: datetime) -> int:
    """Return the hour in which ``moment`` is."""
    return clock.to_milliseconds(moment) // _MILLISECONDS


def moment_of(hour: int) -> datetime:
    """Return when an hour begins, in UTC."""
    return clock.from_milliseconds(hour * _MILLISECONDS)


def hours_within(start: datetime, end: datetime, hours: int) -> tuple[int, int]:
    """Return the first hours of the buckets, of so many hours each, from ``start`` on and from ``end`` on."""
    first, last = (-(-clock.to_milliseconds(moment) // (hours * _MILLISECONDS)) * hours for moment in (start, end))
    return first, last


class KeyUsageQuerySet(models.QuerySet["KeyUsage"]):
    """Counts in bulk."""

    def add(self, counts: Mapping[Count, int]) -> None:
        """Add to what was counted, in one statement; keys that are gone are left out.

        Rows are locked in one order, so that of any number of processes who add none waits for another in a circle.
        """
        self._for_write = True
        connection = connections[self.db]
        quote = connection.ops.quote_name
        table = quote(self.model._meta.db_table)
        names = [quote(column(self.model, name)) for name in ("key", "hour", "outcome", "count")]
        rows = [(*count, number) for count, number in sorted(counts.items())]
        # Only names of our own models are formatted in; every value is a parameter. Both databases call the columns of
        # VALUES so.
        sql = (
            f"INSERT INTO {table} ({', '.join(names)}) "  # noqa: S608
            "SELECT v.column1, v.column2, v.column3, v.column4 "
            f"FROM (VALUES {', '.join(['(%s, %s, %s, %s)'] * len(rows))}) v, {quote(ApiKey._meta.db_table)} k "
            f"WHERE k.{quote('id')} = v.column1 ORDER BY v.column1, v.column2, v.column3 "
            # A key that is being deleted is waited for, and then it is gone; one that is here stays until the commit.
            f"{'FOR KEY SHARE OF k ' if connection.features.has_select_for_no_key_update else ''}"
            f"ON CONFLICT ({', '.join(names[:3])}) DO UPDATE SET {names[3]} = {table}.{names[3]} + excluded.{names[3]}"
        )
        with connection.cursor() as cursor:
            cursor.execute(sql, [value for row in rows for value in row])

    def take(self, limit: int) -> list[tuple[Count, int]]:
        """Delete up to ``limit`` of these, and return what they counted. Rows that somebody else holds are left out.

        Call it inside a transaction, first of all: it writes at once, so on SQLite it waits for another writer.
        """
        self._for_write = True
        connection = connections[self.db]
        quote = connection.ops.quote_name
        fields = ("key", "hour", "outcome")
        names = ", ".join(quote(column(self.model, name)) for name in fields)
        rows = self.order_by("hour").select_for_update(skip_locked=True).values_list(*fields)[:limit]
        chosen, parameters = rows.query.get_compiler(self.db).as_sql()
        with connection.cursor() as cursor:
            cursor.execute(
                f"WITH chosen AS MATERIALIZED ({chosen}) "  # noqa: S608 - SQL of the ORM, and names as above
                f"DELETE FROM {quote(self.model._meta.db_table)} WHERE ({names}) IN (SELECT * FROM chosen) "
                f"RETURNING {names}, {quote(column(self.model, 'count'))}",
                parameters,
            )
            return [(Count(key, hour, outcome), count) for key, hour, outcome, count in cursor.fetchall()]

    def within(self, start: datetime, end: datetime, hours: int) -> Self:
        """Return the counts of the buckets, of so many hours each, that begin from ``start`` on and before ``end``."""
        first, last = hours_within(start, end, hours)
        return self.filter(hour__gte=first, hour__lt=last)

    def each(self) -> models.Subquery:
        """Return how often a key was presented, as an expression for a queryset of keys; null where it never was.

        It reads what belongs to the owner's keys and nothing else. Joined and grouped it was twice as slow on SQLite, which
        sorts first; and PostgreSQL may read the counts of all users.
        """
        of_key = self.filter(key=models.OuterRef("pk")).order_by().values("key").annotate(sum=models.Sum("count"))
        return models.Subquery(of_key.values("sum"))

    def by_hour(self) -> Iterable[tuple[int, str, int]]:
        """Return the sums of all keys together, hour by hour: hour, outcome and sum.

        Days are not made of them here: of a column PostgreSQL knows how few values it has, and needs not sort to group.
        """
        rows = self.order_by().values_list("hour", "outcome").annotate(sum=models.Sum("count"))
        return ((hour, outcome, int(count)) for hour, outcome, count in rows)

    def sums(self, hours: int) -> Iterable[tuple[str, int, str, int]]:
        """Return the sums in buckets of so many hours: key id, first hour, outcome and sum; in this order."""
        sums = self.annotate(first=models.F("hour") - models.F("hour") % hours)
        rows = sums.values_list("key__public_id", "first", "outcome").annotate(sum=models.Sum("count"))
        return ((key, first, outcome, int(count)) for key, first, outcome, count in rows.order_by("first", "key_id"))


class KeyUsage(models.Model):
    """How often a key was presented in an hour, with one outcome. The first hour of a day that was folded has the day."""

    pk = models.CompositePrimaryKey("key_id", "hour", "outcome")
    # The primary key begins with it, and serves as its index.
    key = models.ForeignKey(
        "portal_keys.ApiKey", models.CASCADE, related_name="usage", db_index=False, verbose_name=_("key")
    )
    hour = models.IntegerField(_("hour"))
    #: One of :class:`~portal.keystore.base.Outcome`.
    outcome = models.CharField(_("outcome"), max_length=32)
    count = models.BigIntegerField(_("count"))

    objects = KeyUsageQuerySet.as_manager()

    class Meta:
        """Table options."""

        verbose_name = _("use of a key")
        verbose_name_plural = _("uses of keys")
        default_permissions = ()
        indexes = (models.Index(fields=("hour",), name="portal_keys_usage_hour"),)

    def __str__(self) -> str:
        return f"{self.outcome} {self.count}"
