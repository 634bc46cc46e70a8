"""Uploaded logos: decoded, written anew and served from here (ui-spec 2.5, security row 37)."""

from __future__ import annotations

import io
import re
import sys
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from portal.images import MAX_SIDE, ImageError, clean_image
from portal.models import PortalConfig, PortalLogo

pytestmark = pytest.mark.django_db


def picture(form="PNG", size=(64, 48), color=(200, 30, 30), **options):
    out = io.BytesIO()
    Image.new("RGB", size, color).save(out, form, **options)
    return out.getvalue()


@pytest.mark.parametrize(("form", "extension"), [("PNG", "png"), ("JPEG", "jpg"), ("WEBP", "webp")])
def test_the_three_kinds_are_written_anew(form, extension):
    image = clean_image(picture(form))
    assert image.extension == extension
    assert Image.open(io.BytesIO(image.content)).size == (64, 48)


def test_nothing_that_came_along_is_kept():
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    data = picture("JPEG", exif=exif)
    assert b"taken at home" in data
    assert b"taken at home" not in clean_image(data).content
    polyglot = picture() + b"<script>alert(1)</script>"
    assert b"script" not in clean_image(polyglot).content


def test_a_large_logo_is_scaled_down():
    image = clean_image(picture(size=(2000, 500)))
    assert max(Image.open(io.BytesIO(image.content)).size) == MAX_SIDE


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "PNG, JPEG or WebP"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>', "PNG, JPEG or WebP"),
        (picture("GIF"), "PNG, JPEG or WebP"),
        (picture()[:40], "PNG, JPEG or WebP"),
        (picture() + b"\0" * 102_400, "100 KB"),
        (picture(size=(4001, 4000)), "too many pixels"),
    ],
    ids=["empty", "svg", "gif", "cut off", "heavy", "bomb"],
)
def test_what_is_refused(data, words):
    with pytest.raises(ImageError, match=words):
        clean_image(data)


def test_without_pillow_the_extra_is_named(monkeypatch):
    data = picture()
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match=r"django-customer-portal\[images\]"):
        clean_image(data)


def sources(client):
    html = client.get("/my-portal/").content.decode()
    return re.findall(r'(?:src|srcset)="(/my-portal/logo[^"]*)"', html)


def test_it_is_served_from_here_and_kept(client, config):
    config.logo_url = "https://cdn.example.com/logo.png"
    config.save()
    logo = PortalLogo.objects.store(config, picture())
    (address,) = sources(client)
    assert address == f"/my-portal/{logo}"
    answer = client.get(address)
    assert (answer["Content-Type"], answer.content) == ("image/png", logo.content)
    assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "cdn.example.com/logo" not in client.get("/my-portal/").content.decode()


def test_a_dark_logo_is_for_dark_pages(client, config):
    PortalLogo.objects.store(config, picture())
    assert 'class="logo tile"' in client.get("/my-portal/").content.decode()
    PortalLogo.objects.store(config, picture(color=(9, 9, 9)), dark=True)
    dark, light = sources(client)
    assert dark != light
    assert client.get(dark).content != client.get(light).content
    assert 'class="logo tile"' not in client.get("/my-portal/").content.decode()


def test_a_new_logo_replaces_the_old_one(client, config):
    PortalLogo.objects.store(config, picture())
    (old,) = sources(client)
    PortalLogo.objects.store(config, picture(color=(1, 2, 3)))
    (new,) = sources(client)
    assert PortalLogo.objects.count() == 1
    answer = client.get(old)
    assert (answer.status_code, answer["Location"]) == (302, new)


def test_without_a_logo_there_is_none(client, config):
    assert client.get("/my-portal/logo.0123456789ab.png").status_code == 404
    assert client.get("/my-portal/logo.0123456789ab.svg").status_code == 404


def test_pages_never_read_the_image(client, config, django_assert_num_queries):
    PortalLogo.objects.store(config, picture())
    with django_assert_num_queries(1) as queries:
        client.get("/my-portal/signed-out/")
    assert "portallogo" not in queries[0]["sql"]


def test_the_command(config, tmp_path):
    path = tmp_path / "logo.png"
    path.write_bytes(picture())
    out = StringIO()
    call_command("portal_set_logo", "my-portal", str(path), stdout=out)
    config = PortalConfig.objects.get()
    assert config.logo_file in out.getvalue()
    call_command("portal_set_logo", "my-portal", str(path), "--dark", "--json", stdout=out)
    assert PortalConfig.objects.get().logo_dark_file == config.logo_file
    path.write_bytes(b"<svg/>")
    for arguments in (("my-portal", str(path)), ("nowhere", str(path)), ("my-portal", str(tmp_path / "none"))):
        with pytest.raises(CommandError):
            call_command("portal_set_logo", *arguments)
