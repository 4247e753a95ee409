"""The Hugging Face hub where it can be reached, and at once what is kept of it on disk where it cannot.

The hub's clients try for half a minute before they give up on a network that is not there.
"""

from __future__ import annotations

import contextlib
import importlib
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from functools import cache
from typing import Any

_SECONDS = 5.0
# Where each client keeps whether it may ask; they read the environment once, when they are imported.
_SWITCHES = (("huggingface_hub.constants", "HF_HUB_OFFLINE"), ("datasets.config", "HF_HUB_OFFLINE"))


@contextlib.contextmanager
def hub() -> Iterator[None]:
    """Around calls of the hub's clients; what they raise without a network becomes a ConnectionError."""
    with asked_or_kept() as reason:
        try:
            yield
        except Exception as error:
            if reason is None:
                raise
            raise ConnectionError(f"{reason} and no copy is on disk") from error


@contextlib.contextmanager
def asked_or_kept() -> Iterator[str | None]:
    """As `hub`, with errors as the clients raise them; gives why the hub cannot be reached, or None."""
    constants: Any = None
    with contextlib.suppress(ModuleNotFoundError):
        constants = importlib.import_module("huggingface_hub.constants")
    asked = constants is not None and not constants.HF_HUB_OFFLINE
    reason = out_of_reach(constants.ENDPOINT) if asked else None
    if reason is None:
        yield None
        return
    with kept_alone():
        yield f"{constants.ENDPOINT} cannot be reached ({reason})"


@contextlib.contextmanager
def kept_alone() -> Iterator[None]:
    """The hub's clients that are imported give what is on disk, and ask for nothing."""
    with contextlib.suppress(ModuleNotFoundError):
        importlib.import_module("huggingface_hub.constants")
    with contextlib.ExitStack() as restored:
        for module, name in _SWITCHES:
            if (settings := sys.modules.get(module)) is not None:
                restored.callback(setattr, settings, name, getattr(settings, name))
                setattr(settings, name, True)
        yield


@cache
def out_of_reach(address: str) -> str | None:
    """Why no connection to an address can be made, or None: any answer, an error too, is one.

    Doubtful cases are left to the client that asks in earnest: certificates, and proxies it alone knows.
    """
    proxies = urllib.request.getproxies()
    if "all" in proxies or any(proxy.startswith("socks") for proxy in proxies.values()):
        return None
    try:
        with urllib.request.urlopen(urllib.request.Request(address, method="HEAD"), timeout=_SECONDS):
            return None
    except urllib.error.HTTPError as answer:
        answer.close()
        return None
    except urllib.error.URLError as error:
        reason = error.reason
        return str(reason) if isinstance(reason, OSError) and not isinstance(reason, ssl.SSLError) else None
    except (OSError, ValueError):
        return None
