"""``manage.py portal_openapi``: prints the OpenAPI document."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.management.output import add_json_option, write


class Command(BaseCommand):
    """Prints the OpenAPI document of the operations that this project serves."""

    help = "Print the OpenAPI document of the HTTP API as YAML. Needs the extra 'openapi'."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        add_json_option(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the document."""
        try:
            from drf_spectacular.renderers import OpenApiYamlRenderer
        except ImportError:
            text = "The OpenAPI document needs drf-spectacular: pip install 'django-customer-portal[openapi]'"
            raise CommandError(text) from None
        from portal.api.openapi import document

        made = document()
        write(self.stdout, made, OpenApiYamlRenderer().render(made).decode(), as_json=options["json"])
