"""Forms that no page of ours sends (security requirement 26)."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from portal.pages.bodies import MAX_FORM_BYTES
from tests.factories import mint
from tests.pages.flow import field, heading, open_link

pytestmark = pytest.mark.django_db

FORM = "application/x-www-form-urlencoded"
UNREAD = "That didn’t work"


def fields_of(landing):
    html = landing.content.decode()
    return {name: field(html, name) for name in ("code", "form_token", "instead_of")}


@pytest.fixture
def landing(client, config):
    """Return the landing page's fields, in a browser that has the nonce."""
    return fields_of(open_link(client, mint(config).secret))


@pytest.fixture
def no_disk(settings, tmp_path):
    """Let every file that is written to disk fail, with a 500."""
    settings.FILE_UPLOAD_TEMP_DIR, settings.FILE_UPLOAD_MAX_MEMORY_SIZE = tmp_path / "nowhere", 0


def test_row_26_a_file_is_refused_before_it_is_written_anywhere(client, landing, no_disk):
    answer = client.post("/my-portal/enter/", {**landing, "f": SimpleUploadedFile("big.bin", b"x" * 100_000)})
    assert (answer.status_code, heading(answer)) == (400, UNREAD)
    # Nothing was spent: the same form without the file works.
    assert client.post("/my-portal/enter/", landing).status_code == 303


@pytest.mark.parametrize(
    "path", ["/errors/", "/health/live", "/my-portal/", "/my-portal/keys/", "/v2/portal.getSession"]
)
def test_row_26_nor_is_it_where_no_form_is(client, landing, no_disk, path):
    client.raise_request_exception = False
    file = SimpleUploadedFile("big.bin", b"x" * 100_000)
    assert client.post(path, {"f": file}).status_code in {401, 405, 415}


@pytest.mark.parametrize("length", [None, "", str(MAX_FORM_BYTES + 1), "99999999999", "9" * 5000, "-1", "1e3", "\xb2"])
@pytest.mark.parametrize("page", ["enter/", "keys/new/", "session/"])
def test_row_26_a_form_that_is_large_or_of_unknown_length_is_not_read(client, landing, page, length):
    # Of the announced length alone: nothing comes after it. Without one it is what gunicorn makes of a chunked body.
    length = {} if length is None else {"CONTENT_LENGTH": length}
    answer = client.generic("POST", f"/my-portal/{page}", content_type=FORM, HTTP_TRANSFER_ENCODING="chunked", **length)
    assert (answer.status_code, heading(answer)) == (400, UNREAD)


def test_row_26_the_largest_form_is_read(client, landing):
    form = "&".join(f"{name}={value}" for name, value in landing.items()) + "&padding="
    form += "x" * (MAX_FORM_BYTES - len(form))
    assert client.generic("POST", "/my-portal/enter/", form, content_type=FORM).status_code == 303


def test_what_a_hosts_middleware_read_before_is_taken(client, config, settings):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "tests.hosts.middleware.reads_form"]
    landing = fields_of(open_link(client, mint(config).secret))
    assert client.post("/my-portal/enter/", landing).status_code == 303
