"""Runs a hundred callers of Authlib's client over httpx. Prints the number of failed calls and the longest wait as JSON."""

import asyncio
import json
import sys
import time
from importlib.metadata import version

import httpx
from authlib.integrations.httpx_client import AsyncOAuth2Client


async def main(url, trouble, callers, first_life):
    # No leeway, since the first token expires after seconds.
    client = AsyncOAuth2Client(
        "show-1",
        "s3cr3t",
        token_endpoint=f"{url}/token",
        token_endpoint_auth_method="client_secret_post",
        grant_type="client_credentials",
        leeway=0,
        timeout=60,
        trust_env=False,
    )

    async def call():
        try:
            return (await client.get(f"{url}/Customer/jggkh3")).status_code == 200
        except Exception:
            return False

    async with client:
        await client.fetch_token()
        assert await call()
        if trouble == "revoked":
            async with httpx.AsyncClient(trust_env=False) as operator:
                await operator.get(f"{url}/revoke")
        else:
            await asyncio.sleep(first_life + 0.1)
        start = time.monotonic()
        served = await asyncio.gather(*(call() for _ in range(callers)))
        seconds = time.monotonic() - start
    versions = f"Authlib {version('authlib')}, httpx {version('httpx')}, Python {sys.version.split()[0]}"
    print(json.dumps({"failed": served.count(False), "seconds": seconds, "versions": versions}))


asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])))
