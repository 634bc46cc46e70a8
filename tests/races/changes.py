"""What an operator does while sessions are minted and exchanged, and how it is undone afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any

from portal.models import PortalConfig, PortalSession, RootKey
from tests import factories
from tests.factories import PortalConfigFactory, issue_root_key
from tests.races.calls import do, in_turn
from tests.races.crew import Call, Crew

KEYSPACE, OTHER_KEYSPACE = "ks_1", "ks_2"

_numbers = count()


@dataclass(frozen=True, slots=True)
class Scene:
    """One portal and one root key, fresh for each round."""

    slug: str
    root_key_pk: int
    root_key: str


def set_scene() -> Scene:
    number = next(_numbers)
    slug = f"race-{number}"
    PortalConfigFactory(slug=slug, keyspace_id=KEYSPACE)
    root_key, secret = issue_root_key(f"Backend {number}")
    return Scene(slug, root_key.pk, secret)


def mint_codes(scene: Scene, number: int) -> list[str]:
    """Mint in process, with the scene's root key, for as many end users."""
    config = PortalConfig.objects.get(slug=scene.slug)
    return [factories.mint(config, f"user_{n}", minted_by=scene.root_key_pk).secret for n in range(number)]


def live_from_before(scene: Scene) -> int:
    """Count the live sessions that a change should have ended: all but those minted for another keyspace since."""
    return PortalSession.objects.live().filter(config__slug=scene.slug, keyspace_id=KEYSPACE).count()


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that ends sessions (design decision 14).

    ``after`` is how a mint is answered once it is done; ``meanwhile`` what else a mint may hear while it is being done.
    """

    make: Callable[[Scene], None]
    undo: Callable[[Scene], None]
    after: tuple[int, str]
    meanwhile: frozenset[tuple[int, str]] = field(default=frozenset())

    def __str__(self) -> str:
        return self.make.__name__


def disable_portal(scene: Scene) -> None:
    _set_portal(scene, enabled=False)


def enable_portal(scene: Scene) -> None:
    _set_portal(scene, enabled=True)


def repoint_portal(scene: Scene) -> None:
    _set_portal(scene, keyspace_id=OTHER_KEYSPACE)


def point_portal_back(scene: Scene) -> None:
    _set_portal(scene, keyspace_id=KEYSPACE)


def delete_portal(scene: Scene) -> None:
    PortalConfig.objects.get(slug=scene.slug).delete()


def delete_portals(scene: Scene) -> None:
    """Delete as the admin's list does: the queryset, not the instance."""
    PortalConfig.objects.enabled().filter(slug=scene.slug).delete()


def make_portal_again(scene: Scene) -> None:
    PortalConfigFactory(slug=scene.slug, keyspace_id=KEYSPACE)


def disable_root_key(scene: Scene) -> None:
    RootKey.objects.get(pk=scene.root_key_pk).disable(end_sessions=True)


def enable_root_key(scene: Scene) -> None:
    root_key = RootKey.objects.get(pk=scene.root_key_pk)
    root_key.enabled = True
    root_key.save()


def _set_portal(scene: Scene, **values: object) -> None:
    config = PortalConfig.objects.get(slug=scene.slug)
    for name, value in values.items():
        setattr(config, name, value)
    config.save()


CHANGES = (
    Change(disable_portal, enable_portal, after=(403, "forbidden")),
    Change(repoint_portal, point_portal_back, after=(200, ""), meanwhile=frozenset({(503, "service_unavailable")})),
    Change(delete_portal, make_portal_again, after=(404, "portal_config_not_found")),
    Change(delete_portals, make_portal_again, after=(404, "portal_config_not_found")),
    Change(disable_root_key, enable_root_key, after=(403, "key_disabled")),
)


def race_a_change(crew: Crew, scene: Scene, change: Change, shares: Sequence[Sequence[Call]]) -> list[Any]:
    """Let one caller a share make its calls, the last one the change after its own, and return all calls' answers.

    The calls of the last share are what puts the change into the middle of the others'.
    """
    *others, before = shares
    operator = [*before, partial(do, partial(change.make, scene))]
    racing = crew.race([partial(in_turn, share) for share in (*others, operator)])
    return [answer for answers in racing for answer in answers if answer is not None]
