"""Uploading logos in the admin (security rows 36 and 37)."""

from __future__ import annotations

import io
import sys

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from portal.images import MAX_BYTES
from portal.models import PortalConfig, PortalEvent, PortalLogo
from tests.admin.forms import submit
from tests.admin.test_portal_form import ADD, change_url, errors

pytestmark = pytest.mark.django_db


def image(kind="PNG", color="red"):
    out = io.BytesIO()
    Image.new("RGB", (40, 40), color).save(out, kind)
    return SimpleUploadedFile(f"my logo.{kind.lower()}", out.getvalue())


def logos(config):
    return {logo.dark: logo.name for logo in PortalLogo.objects.filter(config=config)}


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_upload_and_remove(operator, config, kind):
    answer = submit(operator, change_url(config), logo=image(kind), dark_logo=image(kind, "blue"))
    assert answer.status_code == 302
    config.refresh_from_db()
    assert logos(config) == {False: config.logo_file, True: config.logo_dark_file}
    assert config.logo_file != config.logo_dark_file
    assert operator.get(f"/my-portal/{config.logo_file}").status_code == 200
    page = operator.get(change_url(config)).content.decode()
    assert f'<a href="https://portal.example.com/my-portal/{config.logo_file}">{config.logo_file}</a>' in page
    changes = PortalEvent.objects.filter(kind="portal.changed").values_list("actor_id", "detail__fields")
    assert sorted(changes) == [("ada", ["logo_dark_file"]), ("ada", ["logo_file"])]
    submit(operator, change_url(config), **{"logo-clear": "on"})
    dark = config.logo_dark_file
    config.refresh_from_db()
    assert (config.logo_file, config.logo_dark_file) == ("", dark)
    assert logos(config) == {True: dark}
    submit(operator, change_url(config), **{"dark_logo-clear": "on"})
    assert logos(config) == {}


def test_upload_with_a_new_portal(operator):
    assert submit(operator, ADD, slug="my-portal", logo=image()).status_code == 302
    config = PortalConfig.objects.get()
    assert logos(config) == {False: config.logo_file}


def test_a_new_logo_takes_the_place_of_the_old_one(operator, config):
    submit(operator, change_url(config), logo=image())
    config.refresh_from_db()
    old = config.logo_file
    submit(operator, change_url(config), logo=image(color="blue"), display_name="Southwind")
    config.refresh_from_db()
    assert logos(config) == {False: config.logo_file}
    assert config.logo_file != old
    assert config.display_name == "Southwind"


@pytest.mark.parametrize(
    ("upload", "message"),
    [
        (
            SimpleUploadedFile("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
            "Upload a PNG, JPEG or WebP image.",
        ),
        (SimpleUploadedFile("a.png", b"\x89PNG" + b"x" * MAX_BYTES), "The image may have at most 100 KB."),
        (image("GIF"), "Upload a PNG, JPEG or WebP image."),
    ],
)
@pytest.mark.parametrize("field", ["logo", "dark_logo"])
def test_what_is_no_logo(operator, config, upload, message, field):
    upload.seek(0)
    assert errors(submit(operator, change_url(config), **{field: upload})) == [message]
    assert logos(config) == {}


def test_without_pillow(operator, config, monkeypatch):
    upload = image()
    monkeypatch.setitem(sys.modules, "PIL", None)
    (message,) = errors(submit(operator, change_url(config), logo=upload))
    assert message == "Uploaded logos need Pillow: pip install 'django-customer-portal[images]'"
    assert logos(config) == {}
