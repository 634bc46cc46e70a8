import uuid

from django.db import models
from django.utils import timezone
from rest_framework_api_key.models import AbstractAPIKey, BaseAPIKeyManager

from portal.keystore.base import Key, OldSecret


def new_key_id():
    return f"key_{uuid.uuid4().hex}"


def whose(owner):
    return {"keyspace_id": owner.keyspace_id, "external_id": owner.external_id}


class KeyOwnerManager(models.Manager):
    def lock(self, owner):
        names = list(whose(owner))
        self.bulk_create(
            [self.model(**whose(owner))], update_conflicts=True, unique_fields=names, update_fields=names[1:]
        )


class KeyOwner(models.Model):
    """A user at a portal; the row is there to be locked while the user's keys are counted and changed."""

    keyspace_id = models.CharField(max_length=256)
    external_id = models.CharField(max_length=256)

    objects = KeyOwnerManager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["keyspace_id", "external_id"], name="key_owner")]

    def __str__(self):
        return self.external_id


class CustomerKeyManager(BaseAPIKeyManager):
    def get_usable_keys(self):
        unexpired = models.Q(expiry_date=None) | models.Q(expiry_date__gt=timezone.now())
        return super().get_usable_keys().filter(unexpired, enabled=True, locked=False)

    def of(self, owner):
        current = models.Q(replaced=False) | models.Q(expiry_date__gt=timezone.now())
        return self.filter(current, revoked=False, **whose(owner))


class CustomerKey(AbstractAPIKey):
    """One secret. A key is the rows of one key_id: the present secret, and the replaced one until that ends."""

    key_id = models.CharField(max_length=36, default=new_key_id, db_index=True)
    key_created = models.DateTimeField(default=timezone.now)
    keyspace_id = models.CharField(max_length=256)
    external_id = models.CharField(max_length=256)
    name = models.CharField(max_length=100)
    enabled = models.BooleanField(default=True)
    locked = models.BooleanField(default=False)
    replaced = models.BooleanField(default=False)
    revision = models.PositiveIntegerField(default=1)
    request = models.CharField(max_length=300)

    objects = CustomerKeyManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["keyspace_id", "external_id", "request"], name="customer_key_request")
        ]

    def as_key(self, old=None):
        return Key(
            id=self.key_id,
            start=self.prefix,
            name=self.name,
            created_at=self.key_created,
            enabled=self.enabled,
            locked=self.locked,
            expires_at=self.expiry_date,
            old_secret=old and OldSecret(old.prefix, old.expiry_date),
            version=str(self.revision),
        )
