"""Writes the rows of an export into a Parquet file, as is usual in Python. Prints rows, time and memory as JSON."""

import json
import sys
import time
from importlib.metadata import version

import httpx
import pyarrow
import pyarrow.parquet


def main(url, thousands, path):
    start = time.monotonic()
    with httpx.Client(trust_env=False, timeout=600) as client:
        grant = {"grant_type": "client_credentials", "client_id": "show-1", "client_secret": "s3cr3t"}
        token = client.post(f"{url}/token", data=grant).raise_for_status().json()["access_token"]
        answer = client.post(f"{url}/Export/rows", json={"Count": thousands}, headers={"Authorization": f"Bearer {token}"})
        table = pyarrow.Table.from_pylist(answer.raise_for_status().json())
    pyarrow.parquet.write_table(table, path)
    seconds = time.monotonic() - start
    peak = 0
    try:
        with open("/proc/self/status") as status:
            peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    except OSError:
        pass
    versions = f"httpx {version('httpx')}, pyarrow {pyarrow.__version__}, Python {sys.version.split()[0]}"
    print(json.dumps({"rows": table.num_rows, "seconds": seconds, "peak": peak, "versions": versions}))


main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
