"""``manage.py demo``: everything that ``make demo`` does after installing."""

from __future__ import annotations

import logging
import os
import socket
from contextlib import closing
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from config.api import KEYSPACE, PERMISSIONS
from config.seed import give_keys, quick_start_key
from config.views import CAPABILITIES, CURL_BODY, CUSTOMER, SLUG
from portal.models import PortalConfig, RootKey
from portal.shortcuts import create_portal_url

ROOT_KEY_NAME = "Demo backend"
ADMIN = "admin"


class Command(BaseCommand):
    """Prepares the demo and serves it. Running it again repairs what is missing and changes nothing else."""

    help = "Migrate, make a portal, a root key and API keys, print how to get in, and serve at http://127.0.0.1:8000."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--noreload", action="store_true", help="do not restart when a file changes")
        parser.add_argument("--prepare-only", action="store_true", help="do everything but serve")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the demo."""
        if not settings.DEBUG:
            raise CommandError("The demo has a fixed admin password, so it runs with DEBUG=1 only: make demo.")
        base = f"http://127.0.0.1:{options['port']}"
        # Whatever .env says: the links printed here, and the button, are for the server started here.
        settings.PORTAL["BASE_URL"] = base
        # The autoreloader runs this a second time in its child; it must not rotate the key that was just printed.
        if os.environ.get("RUN_MAIN") != "true":
            if not options["prepare_only"]:
                self._refuse_a_busy_port(options["port"])
            self._prepare(base)
        if not options["prepare_only"]:
            call_command("runserver", f"127.0.0.1:{options['port']}", verbosity=0, use_reloader=not options["noreload"])

    def _refuse_a_busy_port(self, port: int) -> None:
        """Stop before the running demo's root key is rotated away."""
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                raise CommandError(f"Something serves on port {port} already. Stop it, or: make demo PORT={port + 1}")

    def _prepare(self, base: str) -> None:
        # What the demo does to itself is not what a newcomer wants to read first.
        logging.getLogger("portal.audit").setLevel(logging.WARNING)
        call_command("migrate", verbosity=0)
        config, _ = PortalConfig.objects.get_or_create(
            slug=SLUG,
            defaults={
                "display_name": "Northwind Maps",
                "primary_color": "#0f6b4f",
                "support_url": "mailto:help@northwind.example",
                "privacy_url": "https://northwind.example/privacy",
            },
        )
        # The ways back and to the API lead to the product as it is served now, which may be on another port than last time.
        wanted: dict[str, Any] = {
            "enabled": True,
            "keyspace_id": KEYSPACE,
            "return_url": f"{base}/",
            "return_origins": [base],
            "api_url": f"{base}{reverse('tiles')}",
        }
        if not config.key_permissions:
            wanted |= {
                "key_prefix": "nw_live",
                "key_never_expires": True,
                "key_permissions": PERMISSIONS,
                "key_default_permissions": PERMISSIONS[:1],
            }
        if any(getattr(config, name) != value for name, value in wanted.items()):
            for name, value in wanted.items():
                setattr(config, name, value)
            config.save()
        give_keys(config)
        api_key = quick_start_key(config)
        root_key = RootKey.objects.filter(name=ROOT_KEY_NAME).first()
        key = root_key.rotate().secret if root_key else RootKey.objects.issue(ROOT_KEY_NAME).secret
        users = get_user_model()._default_manager
        if not users.filter(username=ADMIN).exists():
            users.create_superuser(ADMIN, password=ADMIN)
        link = create_portal_url(SLUG, CUSTOMER["id"], CAPABILITIES, display_name=CUSTOMER["name"])
        logging.getLogger("portal.audit").setLevel(logging.NOTSET)
        self.stdout.write(
            f"""
  The product     {base}/            press “Manage API keys”
  A portal link   {link}
                  works once, for 15 minutes
  The admin       {base}/admin/      {ADMIN} / {ADMIN}   (portals, keys, sessions, events)

  The same from any backend:

  curl -X POST {base}/v2/portal.createSession \\
    -H "Authorization: Bearer {key}" -H "Content-Type: application/json" \\
    -d '{CURL_BODY}'

  The product's own API, with a key of {CUSTOMER["name"]}, until you revoke it in the portal:

  curl {config.api_url} -H "Authorization: Bearer {api_key}"

  Stop with Control-C. Run it again whenever you like: it keeps its data and prints a new root key, link and API key.
"""
        )
