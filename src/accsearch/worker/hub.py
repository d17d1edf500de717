"""The hub of models and data sets where it cannot be reached: use the cache at once, and say what else helps."""

import os
import socket
import ssl
import sys
from collections.abc import Mapping
from urllib.parse import urlsplit
from urllib.request import getproxies

from accsearch.config.hub_needs import Part, hub_needs
from accsearch.config.schema import Config

HUB = "https://huggingface.co"
SECONDS = 3.0
_OTHERWISE: Mapping[Part, str] = {
    "model": "a folder saved by diffusers as `model` needs no hub",
    "prompts": "prompts: {file: prompts.txt} needs no hub",
    "scorer": (
        "a smaller quality.model (ViT-B-32 with laion2b_s34b_b79k: 0.6 GB), a file as quality.pretrained, "
        "or --no-scorer"
    ),
}


def without_hub(part: Part) -> str:
    """Return what to do where the hub cannot be reached."""
    return (
        f"where the hub is out of reach: {_OTHERWISE[part]}; HF_ENDPOINT names a mirror, HF_HOME a cache "
        "filled elsewhere, and `accsearch doctor CONFIG` says what it lacks"
    )


def offline_without_hub(config: Config) -> str | None:
    """Tell the hub's client to stay offline where the configuration needs the hub and nothing answers.

    Returns a note then. Without it the client tries each file again for half a minute.
    """
    if os.environ.get("HF_HUB_OFFLINE") or not any(hub_needs(config)):
        return None
    endpoint = os.environ.get("HF_ENDPOINT") or HUB
    if is_reachable(endpoint):
        return None
    os.environ["HF_HUB_OFFLINE"] = "1"
    if (client := sys.modules.get("huggingface_hub.constants")) is not None:
        # In a worker that was forked it has read the environment already.
        vars(client)["HF_HUB_OFFLINE"] = True
    return f"the hub {endpoint} cannot be reached: only what is in the local cache is used"


def is_reachable(endpoint: str) -> bool:
    """Say whether a server answers at `endpoint`; true where a proxy stands between, which only its client can ask."""
    url = urlsplit(endpoint)
    if url.hostname is None or {"all", url.scheme} & getproxies().keys():
        return True
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        with socket.create_connection((url.hostname, port), timeout=SECONDS) as connection:
            if url.scheme == "https":
                # A wall may let the connection through and cut off what follows.
                ssl.create_default_context().wrap_socket(connection, server_hostname=url.hostname).close()
    except ssl.SSLCertVerificationError:
        # The client may have been given certificates of its own.
        return True
    except OSError:
        return False
    return True
