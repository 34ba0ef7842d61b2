"""LiteLLM's custom_auth for the tests: gives each key of keys.json its user, team and organisation.

LiteLLM keeps keys in a database; this stands in for it, so that the tests need none.
"""

import json
from pathlib import Path

from litellm.proxy._types import ProxyException, UserAPIKeyAuth

KEYS = json.loads(Path(__file__).with_name("keys.json").read_text())


async def user_api_key_auth(request, api_key: str) -> UserAPIKeyAuth:
    identity = KEYS.get(api_key)
    if identity is None:
        raise ProxyException(
            message="Authentication Error, invalid key",
            type="auth_error",
            param="api_key",
            code=401,
        )
    return UserAPIKeyAuth(api_key=api_key, **identity)
