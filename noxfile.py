"""The version matrix: every supported pair of Python and Django, and the lowest Django REST framework."""

from __future__ import annotations

from pathlib import Path

import nox

nox.options.default_venv_backend = "uv|venv"
nox.options.reuse_existing_virtualenvs = True

CELLS = [
    ("3.11", "5.2", "djangorestframework~=3.16.0"),
    ("3.12", "5.2", "djangorestframework"),
    ("3.12", "6.0", "djangorestframework"),
    ("3.13", "6.1", "djangorestframework"),
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
    if session.venv_backend == "venv":
        session.run("python", "-m", "pip", "install", "-q", "--upgrade", "pip")
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
    left_out = ["browser", "looks", "admin/test_portal_browser.py", "faults", "docs", *([] if newest else ["races"])]
    for database in ("sqlite", "postgres") if newest else ("sqlite",):
        command = ("pytest", "-q", *(f"--ignore=tests/{name}" for name in left_out), *session.posargs)
        session.run(*command, env={"TEST_DB": database})
