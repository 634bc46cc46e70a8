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
#: What asks nothing of the run's database, as in the Makefile: one database is enough.
ANY_DATABASE = [
    "test_brand.py",
    "test_demo.py",
    "test_package.py",
    "test_production.py",
    "test_properties.py",
    "test_properties_tokens.py",
]


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
    # Browsers, faults of processes and the documentation do not vary with the cell; races run in the newest, which also
    # has PostgreSQL. "make test" has everything on the oldest.
    newest = (session.python, django) == CELLS[-1][:2]
    left_out = ["browser", "looks", "admin/test_portal_browser.py", "faults", "docs", "test_sdk_js.py"]
    if not newest:
        left_out.append("races")
    for database in ("sqlite", "postgres") if newest else ("sqlite",):
        once = ANY_DATABASE if database == "postgres" else []
        ignored = [f"--ignore=tests/{name}" for name in [*left_out, *once]]
        command = ("pytest", "-q", "-n", "logical", "--dist", "worksteal", *ignored, *session.posargs)
        session.run(*command, env={"TEST_DB": database})
