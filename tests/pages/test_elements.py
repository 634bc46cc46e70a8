"""A host restyles by overriding a few files: each element is really used, and the layouts' blocks are there."""

from __future__ import annotations

import copy

import pytest
from django.template import Context, Template, TemplateSyntaxError

from portal.pages import tabs

pytestmark = pytest.mark.django_db

#: Which states show an element.
USED = {
    "button": ["enter", "signed-out", "session", "not-found", "dead-link", "preview"],
    "logo": ["enter", "session", "no-session", "signed-out", "not-found"],
    "facts": ["session", "preview", "session-docs-only"],
    "notice": ["session", "not-found", "preview"],
    "tabs": ["session", "not-found"],
    "badge": ["keys", "key"],
    "copy": ["key", "reveal"],
    "error_summary": ["key-create-errors", "key-rotate-used"],
    "field": ["key-create", "key-edit", "key-rotate", "key-revoke"],
    "done": ["keys", "key", "key-old-ended"],
    "empty": ["keys-empty", "keys-no-match"],
    "filters": ["keys", "keys-no-match"],
    "search": ["keys", "keys-no-match"],
    "table": ["keys", "keys-limit", "usage"],
    "chart": ["usage", "key-usage"],
    "choose": ["usage", "usage-empty", "usage-unavailable"],
    "figures": ["usage", "usage-empty"],
    "legend": ["usage", "key-usage"],
}


@pytest.fixture
def override(settings, tmp_path):
    """Return a function that writes a host's own template, found before the app's."""
    settings.TEMPLATES = copy.deepcopy(settings.TEMPLATES)
    settings.TEMPLATES[0]["DIRS"] = [tmp_path]

    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    return write


@pytest.mark.parametrize("element", USED)
def test_an_overridden_element_is_on_every_page_that_uses_it(override, look, element):
    override(f"portal/elements/{element}.html", "MARKER{{ slot }}")
    for name in USED[element]:
        assert "MARKER" in look(name).content.decode()


def test_an_overridden_pages_element_is_below_the_table(override, look):
    override("portal/elements/pages.html", "MARKER{{ slot }}")
    assert "MARKER7 keys" in look("keys").content.decode()


@pytest.mark.parametrize(("layout", "name"), [("entrance", "enter"), ("inside", "session"), ("inside", "not-found")])
def test_an_overridden_layout_extends_ours(override, look, layout, name):
    source = '{% extends "portal/layouts/' + layout + '.html" %}{% block footer %}MARKER{% endblock %}'
    override(f"portal/layouts/{layout}.html", source)
    html = look(name).content.decode()
    assert "MARKER" in html
    assert "<main" in html


@pytest.mark.parametrize("block", ["head", "header", "preview", "body", "footer", "powered_by", "session_end"])
def test_the_documented_blocks_of_the_base(override, look, block):
    override(
        "portal/layouts/inside.html",
        '{% extends "portal/layouts/inside.html" %}{% block ' + block + " %}MARKER{% endblock %}",
    )
    assert "MARKER" in look("session").content.decode()


def test_a_hosts_own_base_templates_are_not_ours(override, look):
    for name in ("base.html", "layouts/base.html", "session.html", "elements/button.html", "404.html", "500.html"):
        override(name, "HOST")
    for name in ("session", "not-found", "error"):
        assert "HOST" not in look(name).content.decode()


def test_an_element_sees_what_it_is_given_and_no_more():
    template = Template('{% load portal %}{% element "logo" app_name=name %}{% endelement %}')
    assert ">N<" in template.render(Context({"name": "northwind", "logo_url": "https://cdn.example.com/x.png"}))
    escaped = Template('{% load portal %}{% element "button" href=url %}{{ label }}{% endelement %}')
    html = escaped.render(Context({"url": '"><script>', "label": "<b>"}))
    assert "<script>" not in html
    assert "&lt;b&gt;" in html


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("{% element %}{% endelement %}", "needs the name"),
        ('{% element "button" kind %}{% endelement %}', "option=value"),
    ],
)
def test_a_wrong_element_tag_says_how_it_is_written(source, words):
    with pytest.raises(TemplateSyntaxError, match=words):
        Template("{% load portal %}" + source)


def test_tabs_show_what_the_session_may_use(look, monkeypatch):
    monkeypatch.setattr(
        tabs,
        "TABS",
        (
            tabs.Tab("session", "Keys", "keys:read"),
            tabs.Tab("signed-out", "Usage", "analytics:read"),
            tabs.Tab("home", "Docs"),
        ),
    )
    html = look("session").content.decode()
    assert '<nav class="tabs" aria-label="Portal">' in html
    assert [label for label in ("Keys", "Usage", "Docs") if f">{label}</a>" in html] == ["Keys", "Usage", "Docs"]
    # One permitted tab needs no bar.
    assert 'class="tabs"' not in look("session-docs-only").content.decode()


def test_the_first_permitted_tab_is_where_one_lands(client, config, monkeypatch):
    from tests.factories import mint
    from tests.pages.flow import open_link, press_continue

    monkeypatch.setattr(tabs, "TABS", (tabs.Tab("session", "Keys", "keys:read"), tabs.Tab("signed-out", "Docs")))
    for granted, expected in ((["keys:read"], "/my-portal/session/"), (["a.b.c"], "/my-portal/signed-out/")):
        answer = press_continue(client, open_link(client, mint(config, granted=granted).secret))
        assert answer["Location"] == expected


def test_with_manifest_static_files(settings, tmp_path, look):
    from django.core.management import call_command

    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"},
    }
    call_command("collectstatic", interactive=False, verbosity=0)
    html = look("session").content.decode()
    assert 'href="/static/portal/portal.' in html
    assert 'href="/static/portal/portal.css"' not in html
