"""The version matrix: every supported pair of Python and Django, and the lowest Django REST framework."""

from __future__ import annotations

from pathlib import Path

import nox

# Not venv, whose pip is as old as the interpreter and may know no dependency groups.
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_existing_virtualenvs = True

CELLS = [
    ("3.11", "5.2", "djangorestframework~=3.16.0"),
    ("3.12", "5.2", "djangorestframework"),
    ("3.12", "6.0", "djangorestframework"),
    ("3.13", "6.1", "djangorestframework"),
]
#: Left out of every cell: what a browser, processes or packages of other languages do, and pure rules and texts. "make test"
#: and "make test-browser" have all of it, on the oldest.
LEFT_OUT = [
    "browser",
    "looks",
    "admin/test_portal_browser.py",
    "faults",
    "docs",
    "keystore/test_conformance.py",
    "keystore/test_listing.py",
    "keystore/test_memory.py",
    "test_brand.py",
    "test_error_docs.py",
    "test_package.py",
    "test_properties.py",
    "test_properties_tokens.py",
    "test_sdk_js.py",
]
#: Left out of the cells between the oldest and the newest: what takes long, and whole projects.
LONG = [
    "admin/test_large_tables.py",
    "test_demo.py",
    "test_production.py",
    "test_properties_api.py",
    "test_throttle.py",
]
#: Left out of the newest cell's PostgreSQL: what shows pages and asks little of the database.
PAGES = ["pages", "keystore", "test_demo.py", "test_production.py", "test_checks.py"]


def constraints(session: nox.Session) -> str:
    """Return constraints.txt without what a cell chooses itself."""
    chosen = ("django==", "djangorestframework==")
    lines = Path("constraints.txt").read_text().splitlines()
    path = Path(session.create_tmp()) / "constraints.txt"
    path.write_text("\n".join(line for line in lines if not line.lower().startswith(chosen)))
    return str(path)


@nox.session
@nox.parametrize(
    ("python", "django", "drf"), CELLS, ids=[f"python{python}-django{django}" for python, django, _ in CELLS]
)
def tests(session: nox.Session, django: str, drf: str) -> None:
    session.install(
        "-c",
        constraints(session),
        "-e",
        ".[demo]",
        "--group",
        "test",
        "--group",
        "postgres",
        f"django~={django}.0",
        drf,
    )
    # A dependency with a cap can move Django unasked; then the cell would prove nothing.
    session.run("python", "-c", f"import django; assert django.get_version().startswith('{django}.'), django.VERSION")
    ends = [python_and_django for *python_and_django, _ in (CELLS[0], CELLS[-1])]
    is_end, is_newest = [session.python, django] in ends, [session.python, django] == ends[-1]
    for database in ("sqlite", "postgres") if is_newest else ("sqlite",):
        left_out = [*LEFT_OUT, *([] if is_end else LONG), *([] if is_newest else ["races"])]
        if database == "postgres":
            left_out += PAGES
        ignored = [f"--ignore=tests/{name}" for name in left_out]
        command = ("pytest", "-q", "-n", "logical", "--dist", "worksteal", *ignored, *session.posargs)
        session.run(*command, env={"TEST_DB": database})
