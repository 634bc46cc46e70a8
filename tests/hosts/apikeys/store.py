from contextlib import contextmanager

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from portal import errors
from portal.keystore.base import IssuedKey, KeyState, KeyStore
from portal.keystore.listing import LAST, page_of

from .models import CustomerKey, KeyOwner, whose


class CustomerKeyStore(KeyStore):
    time_limit = None
    supports_create = supports_update = supports_reroll = supports_grace = supports_revoke = True

    def list_keys(self, owner, query):
        rows = CustomerKey.objects.of(owner)
        old = {row.key_id: row for row in rows if row.replaced}
        return page_of([row.as_key(old.get(row.key_id)) for row in rows if not row.replaced], query)

    def get_key(self, owner, key_id):
        rows = CustomerKey.objects.of(owner).filter(key_id=key_id).order_by("replaced")
        if not rows:
            raise errors.ApiKeyNotFound
        return rows[0].as_key(*rows[1:])

    def create_key(self, owner, new, *, request_id):
        with self.alone(owner, request=f"create {request_id}", name=new.name):
            limit = owner.config.key_limit
            if limit is not None and CustomerKey.objects.of(owner).filter(replaced=False).count() >= limit:
                raise errors.KeyLimitReached(limit)
            return self.issue(owner, request=f"create {request_id}", name=new.name, expiry_date=new.expires_at)

    def update_key(self, owner, key_id, changes, *, version=""):
        with self.alone(owner, key_id, name=changes.get("name")) as (key, rows):
            if version and version != key.version:
                raise errors.KeyChangedMeanwhile
            name, enabled = changes.get("name", key.name), changes.get("enabled", key.enabled)
            rows.update(name=name, enabled=enabled, revision=F("revision") + 1)
            end = changes.get("expires_at", key.expires_at)
            rows.filter(Q(replaced=False) | Q(expiry_date__gt=end or LAST)).update(expiry_date=end)
            return self.get_key(owner, key_id)

    def reroll_key(self, owner, key_id, *, grace, request_id):
        with self.alone(owner, key_id, request=f"{key_id} {request_id}") as (key, rows):
            if key.state(now := timezone.now()) is not KeyState.ACTIVE:
                raise errors.KeyNotActive
            rows.filter(replaced=True).update(revoked=True)
            rows.update(replaced=True, expiry_date=min(now + grace, key.expires_at or LAST))
            same = {"key_id": key_id, "key_created": key.created_at, "name": key.name, "expiry_date": key.expires_at}
            return self.issue(owner, request=f"{key_id} {request_id}", revision=int(key.version) + 1, **same)

    def end_old_secret(self, owner, key_id):
        with self.alone(owner, key_id) as (_, rows):
            rows.filter(replaced=True).update(revoked=True)
            return self.get_key(owner, key_id)

    def revoke_key(self, owner, key_id):
        with self.alone(owner, key_id) as (_, rows):
            rows.update(revoked=True)

    @contextmanager
    def alone(self, owner, key_id="", *, request="", name=""):
        with transaction.atomic():
            KeyOwner.objects.lock(owner)
            for earlier in CustomerKey.objects.filter(request=request, **whose(owner)):
                raise errors.KeyAlreadyCreated(earlier.key_id)
            key, rows = self.get_key(owner, key_id) if key_id else None, CustomerKey.objects.of(owner)
            if key and key.locked:
                raise errors.KeyLocked
            if rows.filter(replaced=False, name=name).exclude(key_id=key_id).exists():
                raise errors.KeyNameTaken
            yield key, rows.filter(key_id=key_id)

    def issue(self, owner, **values):
        row, secret = CustomerKey.objects.create_key(**whose(owner), **values)
        return IssuedKey(self.get_key(owner, row.key_id), secret)
