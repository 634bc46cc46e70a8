"""The page about deploying, followed with a real PostgreSQL, Redis and gunicorn; server configuration is read, not run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from configparser import ConfigParser

import pytest
from django.conf import settings

from tests.docs.follower import Follower
from tests.docs.markdown import steps
from tests.redis import redis_server

PAGE = "how-to/deploy.md"
BLOCKS = {step.language: step.text for step in steps(PAGE) if step.language in {"ini", "nginx", "cron"}}
#: What of a request holds the code of a portal link.
HOLDS_THE_QUERY = {"$request", "$request_uri", "$args", "$query_string", "$is_args", "$http_referer"}


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    """Return the environment of the server: a database of its own in the PostgreSQL of the tests, and a Redis."""
    import psycopg

    at = settings.DATABASES["default"]
    with psycopg.connect(host=at["HOST"], user=at["USER"], dbname="postgres", autocommit=True) as database:
        database.execute("CREATE DATABASE deployed")
        with redis_server() as redis:
            yield {
                "DJANGO_SETTINGS_MODULE": "mysite.production",
                "SECRET_KEY": "gW3kM9x-Qv7LzN2pR8tYbC4dF6hJ1sA5uE0iO_wXqZmKnBvT8fDy",
                "DB_NAME": "deployed",
                "DB_USER": at["USER"],
                "DB_PASSWORD": "",
                "DB_HOST": at["HOST"],
                "CACHE_URL": redis.url,
            }
        database.execute("DROP DATABASE deployed WITH (FORCE)")


@pytest.mark.skipif("postgres" not in settings.DATABASES["default"]["ENGINE"], reason="the page is about PostgreSQL")
def test_the_page(follower: Follower, environment: dict[str, str]) -> None:
    follower.environment.update(environment)
    follower.follow(PAGE)
    assert [step.language for step in follower.left] == ["ini", "nginx", "cron"]
    log = (follower.folder / "server.log").read_text()
    assert "createSession 200" in log
    assert "pst_" not in log
    proxied = (
        "-H 'Host: portal.example.com' -H 'X-Forwarded-Proto: https' -H 'X-Forwarded-For: 198.51.100.9, 192.0.2.7'"
    )
    (created,) = (step for step in steps(PAGE) if step.language == "sh" and "createSession" in step.text)
    follower.run(created.text.partition("\n")[2].replace("curl ", f"curl {proxied} "))
    code = json.loads(follower.said)["data"]["sessionId"]
    # nginx wrote the last address; the one before it, a client made up.
    follower.run(
        "python manage.py shell -v0 -c 'from portal.models import *; print(PortalEvent.objects.first().address)'"
    )
    assert follower.said == "192.0.2.7\n"
    # The limits are counted where all processes see them.
    follower.run("python -c \"import os, redis; print(redis.from_url(os.environ['CACHE_URL']).keys())\"")
    assert "throttle:create_session" in follower.said
    follower.run(f"curl {proxied} 'http://127.0.0.1:8000/portal/my-portal/?session={code}'")
    assert "Continue to My product" in follower.said
    assert re.search(r'href="/static/portal/portal\.[0-9a-f]{12}\.css"', follower.said)
    assert code not in (follower.folder / "server.log").read_text()


def nginx_directives(text: str) -> list[list[str]]:
    """Return the directives of an nginx configuration, each as its words; a block's opening counts as one."""
    words = re.findall(r"""'[^']*'|"[^"]*"|[{};]|[^\s{};'"]+""", re.sub(r"(?m)^\s*#.*$", "", text))
    found: list[list[str]] = []
    current: list[str] = []
    depth = 0
    for word in words:
        if word in {"{", "}", ";"}:
            depth += {"{": 1, "}": -1, ";": 0}[word]
            assert depth >= 0
            # A closing brace ends no directive; a semicolon and an opening brace end one that has words.
            assert bool(current) == (word != "}"), (word, current)
            if current:
                found.append(current)
            current = []
        else:
            current.append(word)
    assert (depth, current) == (0, [])
    return found


def test_nginx_logs_no_query_and_is_the_one_trusted_proxy() -> None:
    directives = nginx_directives(BLOCKS["nginx"])
    formats = {words[1]: " ".join(words[2:]) for words in directives if words[0] == "log_format"}
    logs = [words[1:] for words in directives if words[0] == "access_log"]
    # One for each server: nginx's own default holds the query.
    assert len(logs) == len([words for words in directives if words[0] == "server"]) == 2
    for log in logs:
        if log != ["off"]:
            assert HOLDS_THE_QUERY.isdisjoint(re.findall(r"\$\w+", formats[log[1]]))
    headers = {words[1]: words[2] for words in directives if words[0] == "proxy_set_header"}
    assert headers == {
        "Host": "$host",
        "X-Forwarded-For": "$proxy_add_x_forwarded_for",
        "X-Forwarded-Proto": "$scheme",
    }
    (production,) = (step.text for step in steps(PAGE) if "mysite/production.py" in step.before and step.language)
    assert '"TRUSTED_PROXIES": 1,' in production
    (bind,) = re.findall(r'^bind = "(.*)"$', "\n".join(s.text for s in steps(PAGE) if s.language), re.MULTILINE)
    assert ["proxy_pass", f"http://{bind}"] in directives


def test_nginx_lets_browsers_keep_names_with_a_hash_and_no_others() -> None:
    directives = nginx_directives(BLOCKS["nginx"])
    ((pattern, kept),) = (words for words in directives if words[0].startswith('"~'))
    assert kept == '"public, max-age=31536000, immutable"'
    assert re.search(pattern.strip('"~'), "/static/portal/portal.0123456789ab.css")
    assert not re.search(pattern.strip('"~'), "/static/portal/portal.css")
    assert ["default", "no-cache"] in directives
    assert ["add_header", "Cache-Control", "$keep"] in directives
    # The packed files that the page makes.
    assert ["gzip_static", "on"] in directives
    assert any("gzip -9" in step.text for step in steps(PAGE) if step.language == "sh")


def test_systemd_and_cron_run_what_the_page_runs() -> None:
    unit = ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read_string(BLOCKS["ini"])
    assert set(unit) == {"DEFAULT", "Unit", "Service", "Install"}
    commands = [step.text.strip() for step in steps(PAGE) if step.language == "sh"]
    assert unit["Service"]["ExecStart"].endswith("/.venv/bin/gunicorn mysite.wsgi")
    assert "gunicorn mysite.wsgi" in commands
    when = re.fullmatch(r"([\d*/,-]+ ){5}cd (\S+) && set -a && \. (\S+) && \.venv/bin/(.*)\n", BLOCKS["cron"])
    assert when
    assert when[2] == unit["Service"]["WorkingDirectory"]
    assert when[3] == unit["Service"]["EnvironmentFile"]
    assert when[4] in commands
