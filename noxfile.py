"""The version matrix: four pairs of Python and Django, and the lowest Django REST framework.

On each runs what can differ there; "make test" has everything, on the oldest pair.
"""

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
    "fuzz",
    "docs",
    "keystore/test_conformance.py",
    "keystore/test_listing.py",
    "keystore/test_memory.py",
    "keystore/test_usage_conformance.py",
    "sdk",
    "test_brand.py",
    "test_error_docs.py",
    "test_package.py",
    "test_properties.py",
    "test_properties_tokens.py",
]
#: All of the first cell: "make test" has the same Python and Django, so that only another REST framework is to be tried.
REST = [
    "api",
    "contrib/keys/test_authentication.py",
    "contrib/keys/test_verify_key_operation.py",
    "test_hosts.py",
    "test_http.py",
    "test_openapi.py",
    "test_openapi_live.py",
    "test_properties_api.py",
    "test_testing.py",
    "test_throttle.py",
    "test_unusual_hosts.py",
]
#: Left out where the same Django, in "make test", or the same Python and Django ran all of it a moment ago: pages, the
#: admin, and so on.
SEEN = [
    "admin",
    "api",
    "contrib/keys/test_admin.py",
    "contrib/keys/test_admin_actions.py",
    "contrib/keys/test_import.py",
    "hosts",
    "keystore",
    "pages",
    "test_checks.py",
    "test_demo.py",
    "test_hosts.py",
    "test_openapi.py",
    "test_openapi_live.py",
    "test_production.py",
    "test_properties_api.py",
    "test_throttle.py",
    "test_unusual_hosts.py",
]
#: Left out of the cells between the oldest and the newest: what takes long, and what "make test" has on the oldest.
SAME = [
    "admin",
    "contrib/keys/test_import.py",
    "keystore",
    "models",
    "pages",
    "test_checks.py",
    "test_demo.py",
    "test_production.py",
    "test_properties_api.py",
    "test_seed.py",
    "test_throttle.py",
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
        ".",
        "--group",
        "demo",
        "--group",
        "test",
        "--group",
        "postgres",
        f"django~={django}.0",
        drf,
    )
    # A dependency with a cap can move Django unasked; then the cell would prove nothing.
    session.run("python", "-c", f"import django; assert django.get_version().startswith('{django}.'), django.VERSION")
    cell = CELLS.index((session.python, django, drf))
    newest = cell == len(CELLS) - 1
    for database in ("sqlite", "postgres") if newest else ("sqlite",):
        left_out = list(LEFT_OUT)
        if not newest:
            left_out += SAME
        if database == "postgres" or django == CELLS[cell - 1][1]:
            left_out += SEEN
        if database != "postgres":
            left_out.append("races")
        chosen = [f"tests/{name}" for name in REST] if cell == 0 else [f"--ignore=tests/{name}" for name in left_out]
        session.run(
            "pytest", "-q", "-n", "logical", "--dist", "worksteal", *chosen, *session.posargs, env={"TEST_DB": database}
        )
