"""Database routers of hosts that read from a replica. The replica here does not exist, so that a wrong read fails."""


class ReadsElsewhere:
    def db_for_read(self, model, **hints):
        return "replica" if model._meta.app_label == "portal" else None

    def db_for_write(self, model, **hints):
        return "default"

    def allow_relation(self, *objects, **hints):
        return True


class SessionsElsewhere(ReadsElsewhere):
    """Sessions are read from the replica, portals are not."""

    def db_for_read(self, model, **hints):
        return "replica" if model.__name__ == "PortalSession" else "default"


class ElsewhereRouter:
    """Everything is in a database that does not exist."""

    def db_for_read(self, model, **hints):
        return "elsewhere"

    db_for_write = db_for_read
