"""Make calls with Unkey's own client and tell what came of each: one line of JSON in, one line of JSON out.

In and out are those of js/call.mjs. The client is the environment's, or the one in the folder that is the first argument.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import re
import sys
from typing import Any
from urllib.parse import urlsplit

if len(sys.argv) > 1:
    sys.path.insert(0, sys.argv[1])

import httpx
from unkey.py import Unkey


def snake(name: str) -> str:
    """Return the client's name of an operation or member of the contract."""
    return re.sub("([A-Z])", r"_\1", name).lower()


def operations(portal: Any) -> list[str]:
    """Return the contract's names of the operations that the client has; each is there a second time, asynchronous."""
    names = [name for name in vars(type(portal)) if not name.startswith("_") and not name.endswith("_async")]
    return [re.sub("_(.)", lambda found: found[1].upper(), name) for name in names]


def parameters(method: Any, call: dict[str, Any]) -> dict[str, Any]:
    """Return what ``method`` is called with: members one by one, or in one ``request`` where they have several forms."""
    members = {snake(name): value for name, value in call["request"].items()}
    given = {"request": members} if "request" in inspect.signature(method).parameters else members
    return {**given, "security": {"portal_session": call["cookie"]}} if "cookie" in call else given


def exchange(response: httpx.Response) -> dict[str, Any]:
    """Return what went over the wire."""
    return {
        "path": urlsplit(str(response.request.url)).path,
        "status": response.status_code,
        "redirected": response.is_redirect,
        "sent": dict(response.request.headers),
        "headers": dict(response.headers),
        "body": response.text,
    }


def dumped(model: Any) -> Any:
    return None if model is None else model.model_dump(mode="json", by_alias=True)


def told(error: Exception) -> dict[str, Any]:
    """Return an error's class and what the client read of it."""
    data = getattr(error, "data", None)
    return {
        "name": type(error).__name__,
        "statusCode": getattr(error, "status_code", None),
        "message": str(error),
        "meta": dumped(getattr(data, "meta", None)),
        "error": dumped(getattr(data, "error", None)),
    }


async def run(call: dict[str, Any]) -> dict[str, Any]:
    exchanges: list[dict[str, Any]] = []

    def note(response: httpx.Response) -> None:
        response.read()
        exchanges.append(exchange(response))

    async def note_async(response: httpx.Response) -> None:
        await response.aread()
        exchanges.append(exchange(response))

    # As the client would make them itself, but for the hooks; and without certificates, which take long to load.
    options: Any = {"follow_redirects": True, "verify": False}
    with httpx.Client(**options, event_hooks={"response": [note]}) as client:
        async with httpx.AsyncClient(**options, event_hooks={"response": [note_async]}) as async_client:
            unkey = Unkey(
                root_key=call.get("rootKey"),
                server_url=call["serverURL"],
                client=client,
                async_client=async_client,
                # No repeats: a failing test should fail at once.
                retry_config=None,
                timeout_ms=30_000,
            )
            if "operation" not in call:
                return {"result": operations(unkey.portal), "exchanges": []}
            try:
                method = getattr(unkey.portal, snake(call["operation"]))
                answer = method(**parameters(method, call))
                answer = await answer if inspect.isawaitable(answer) else answer
            except Exception as error:
                return {"error": told(error), "exchanges": exchanges}
    return {"result": dumped(getattr(answer, "result", answer)), "exchanges": exchanges}


for line in sys.stdin:
    print(json.dumps(asyncio.run(run(json.loads(line)))), flush=True)
