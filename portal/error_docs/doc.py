"""What the documentation says about one error, and the example that belongs to it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from portal.problem import ErrorCode, PortalError

__all__ = [
    "CHECK_SESSION",
    "CREATE_KEY",
    "CREATE_PORTAL",
    "DELETE_KEY",
    "ENABLE_KEY",
    "EXAMPLE_KEY_ID",
    "EXAMPLE_REQUEST_ID",
    "EXCHANGE_CODE",
    "LIST_KEYS",
    "MINT_SCOPED_SESSION",
    "MINT_SESSION",
    "REROLL_KEY",
    "VALUES",
    "ErrorDoc",
]

#: The ``requestId`` of every example.
EXAMPLE_REQUEST_ID = "req_8fKq2ZrT5wXc1Nvb"

#: The id of the key that examples speak of.
EXAMPLE_KEY_ID = "key_6Yd0rKqTn2bW8sVfPzXhLm"

#: What in the commands is the reader's own; a name with a dollar sign is a variable of the shell.
VALUES = {
    "$BASE_URL": "the address under which the portal is mounted, such as `https://example.com/portal`",
    "$ROOT_KEY": "a root key, `prk_…`",
    "$CODE": "an exchange code that was not used yet, `pst_…`: the `sessionId` that `portal.createSession` answers",
    "$TOKEN": "an access token, `pat_…`: the `token` that `portal.exchangeSession` answers",
    "$KEY_ID": "the id of an API key, `key_…`: a `keyId` that `portal.listKeys` answers",
    "my-portal": "the portal's slug",
    "user_123": "your id of the user",
}


def _post(operation: str, body: str, credential: str = "") -> str:
    lines = [f'curl -X POST "$BASE_URL/v2/portal.{operation}"']
    if credential:
        lines.append(f'-H "Authorization: Bearer {credential}"')
    return " \\\n  ".join([*lines, '-H "Content-Type: application/json"', f"-d {body}"])


#: The commands that most pages end with.
MINT_SESSION = _post(
    "createSession", """'{"slug": "my-portal", "externalId": "user_123", "permissions": ["keys:read"]}'""", "$ROOT_KEY"
)
MINT_SCOPED_SESSION = _post(
    "createSession", """'{"portal": "my-portal", "externalId": "user_123", "scopes": ["keys:read"]}'""", "$ROOT_KEY"
)
CREATE_PORTAL = _post(
    "createPortal",
    """'{"slug": "another-portal", "displayName": "Example", "keyspaceId": "another-keyspace"}'""",
    "$ROOT_KEY",
)
EXCHANGE_CODE = _post("exchangeSession", r'"{\"sessionId\": \"$CODE\"}"')
CHECK_SESSION = _post("getSession", "'{}'", "$TOKEN")
LIST_KEYS = _post("listKeys", "'{}'", "$TOKEN")
DELETE_KEY = _post("deleteKey", r'"{\"keyId\": \"$KEY_ID\"}"', "$TOKEN")
ENABLE_KEY = _post("updateKey", r'"{\"keyId\": \"$KEY_ID\", \"enabled\": true}"', "$TOKEN")
CREATE_KEY = _post("createKey", """'{"name": "Staging server"}'""", "$TOKEN")
REROLL_KEY = _post("rerollKey", r'"{\"keyId\": \"$KEY_ID\", \"expiration\": 3600000}"', "$TOKEN")


@dataclass(frozen=True, slots=True)
class ErrorDoc:
    """One error, for the person whose call was refused.

    Texts are plain English; what is typed stands between backticks, which is all the markup there is.

    :param example: the refusal as it is raised in the call that ``call`` describes; code, status and words are its own.
    :param title: what is wrong, as a heading.
    :param call: the call whose answer the example is, to go on from “The answer to”.
    :param happened: what the server found, in a sentence or two.
    :param causes: how that comes about, the most frequent first.
    :param fix: what to do.
    :param curl: a shell command that succeeds once that is done; it names :data:`VALUES`.
    :param mistakes: what people try that does not help, or makes it worse.
    :param related: the errors that are close to this one.
    """

    example: PortalError
    title: str
    call: str
    happened: str
    causes: tuple[str, ...]
    fix: str
    curl: str
    mistakes: tuple[str, ...]
    related: tuple[type[PortalError], ...]

    @property
    def entry(self) -> ErrorCode:
        """The error's row of the catalogue."""
        return self.example.entry()

    @property
    def name(self) -> str:
        """The error's name: its code with colons, ``err:unkey:authentication:missing``."""
        return "err:" + self.entry.code.replace("/", ":")

    @property
    def status(self) -> str:
        """The status as HTTP writes it, ``401 Unauthorized``."""
        return f"{int(self.entry.status)} {self.entry.title}"

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the example that are about the error."""
        return {"Content-Type": self.entry.content_type, **self.example.headers}

    @property
    def values(self) -> dict[str, str]:
        """The :data:`VALUES` that the command names, with what they are."""
        return {name: meaning for name, meaning in VALUES.items() if name in self.curl}

    def body(self, contract_base: str, own_base: str | None) -> str:
        """Return the example as indented JSON.

        :param contract_base: and ``own_base``, as :meth:`portal.problem.ErrorCode.type_url` takes them.
        """
        entry = self.entry
        error: dict[str, Any] = {
            "detail": self.example.detail,
            "status": int(entry.status),
            "title": entry.title,
            "type": entry.type_url(contract_base, own_base),
        }
        if entry.has_errors:
            error["errors"] = self.example.errors
        return json.dumps({"meta": {"requestId": EXAMPLE_REQUEST_ID}, "error": error}, indent=2, ensure_ascii=False)
