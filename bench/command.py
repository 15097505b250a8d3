"""Measures the command `perenso`: its start and its exports in turns with programs in Python, and a load. Prints a table.

Usage: command.py PERENSO DIRECTORY, where DIRECTORY has the rivals' programs `python`, `http`, `aws` and `dlt`. A rival that is not
there is left out. The rows come from a server in a process of its own; CPU and memory are those of the client's whole process.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROWS = 200_000
TURNS = 3
STARTS = 20
FORMATS = ["xlsx", "parquet", "csv"]
LOADED = 1_000_000
CATALOG = [{"id": "rows", "name": "Rows", "parameters": []}]


def row(n):
    """Returns a row as the other benchmarks have it."""
    n = n % 1000 + 1
    return {
        "orderID": f"SO-{n:06}",
        "line": n % 40 + 1,
        "customerID": str(5000 + n % 700),
        "productID": f"P-{n * 37 % 100_000:05}",
        "description": f"Tumbler with lid, 0.{n % 9 + 1} l, box of 12",
        "quantity": n % 144 + 1,
        "unitPrice": float(f"{n % 90 + 1}.{n % 100:02}"),
        "deliveryDate": f"2025-07-{n % 28 + 1:02}",
        "confirmed": n % 3 != 0,
        "warehouseID": f"WH{7000 + n % 600}",
    }


def serve():
    """Serves tokens, the catalog and the rows, and prints its address."""
    rows = json.dumps([row(n) for n in range(ROWS)]).encode()
    token = json.dumps({"access_token": "t", "token_type": "bearer", "expires_in": 3600}).encode()

    class Handler(BaseHTTPRequestHandler):
        def respond(self, body):
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self):
            self.respond(json.dumps(CATALOG).encode())

        def do_POST(self):
            self.respond(token if self.path == "/token" else rows)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


def rows_of(url):
    import httpx

    return httpx.post(f"{url}/Export/rows", headers={"Authorization": "Bearer t"}, timeout=60).json()


def xlsxwriter(url, path):
    from datetime import datetime

    from xlsxwriter import Workbook

    rows = rows_of(url)
    # What it offers for many rows: each is written at once, and strings are not collected.
    workbook = Workbook(path, {"constant_memory": True, "default_date_format": "yyyy-mm-dd"})
    sheet = workbook.add_worksheet()
    sheet.write_row(0, 0, list(rows[0]))
    for number, fields in enumerate(rows, 1):
        fields["deliveryDate"] = datetime.fromisoformat(fields["deliveryDate"])
        for column, value in enumerate(fields.values()):
            sheet.write(number, column, value)
    workbook.close()


def dlt(url, directory, file_format):
    os.environ.update({"RUNTIME__DLTHUB_TELEMETRY": "false", "DATA_WRITER__DISABLE_COMPRESSION": "true"})
    import dlt as library

    destination = library.destinations.filesystem(bucket_url=directory)
    pipeline = library.pipeline("rows", destination=destination, dataset_name="rows", pipelines_dir=f"{directory}/state")
    pipeline.run(rows_of(url), table_name="rows", loader_file_format=file_format)


def peak_of(process):
    """Returns the most memory that a process has had in KiB; 0 once it has ended."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")), 0)


def run(arguments, environment=None, with_memory=True):
    """Runs a program. Returns its seconds by the clock, its CPU seconds and its peak memory in MiB."""
    quiet = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_WRONLY, 0) for number in (1, 2)]
    start = time.perf_counter()
    process = os.posix_spawn(arguments[0], arguments, environment or os.environ, file_actions=quiet)
    # That of `wait4` is at least the memory of this program, which it was a copy of.
    peak, ended = 0, 0
    while with_memory and not ended:
        time.sleep(0.002)
        peak = max(peak, peak_of(process))
        ended, status, usage = os.wait4(process, os.WNOHANG)
    if not ended:
        _, status, usage = os.wait4(process, 0)
    seconds = time.perf_counter() - start
    if status != 0:
        # Once more, to be seen.
        subprocess.run(arguments, env=environment, check=True)
        raise SystemExit(f"{arguments} failed once")
    return seconds, usage.ru_utime + usage.ru_stime, peak / 1024


def line(what, ours, rival, ratio="", bound="", met=""):
    print(f"| {what} | {ours} | {rival} | {ratio} | {bound} | {met} |", flush=True)


def yes(met):
    return "yes" if met else "no"


def starts(ours, rivals):
    def median(program, is_cold):
        seconds = []
        for _ in range(STARTS // 4 if is_cold else STARTS):
            if is_cold:
                os.sync()
                Path("/proc/sys/vm/drop_caches").write_text("3")
            seconds.append(run([program, "--version"], with_memory=False)[0] * 1000)
        return statistics.median(seconds)

    found = [rivals / name for name in ("http", "dlt", "aws") if (rivals / name).exists()]
    for is_cold in (False, True):
        try:
            time_of = median(ours, is_cold)
        except PermissionError:
            return
        theirs = ", ".join(f"`{program.name}`: {median(program, is_cold):.0f} ms" for program in found)
        what = "the same, nothing of it in memory" if is_cold else "`perenso --version`, from start to end"
        line(what, f"{time_of:.1f} ms", theirs, bound="at most 10 ms", met=yes(time_of <= 10))


def exports(ours, rivals, url, directory):
    python = str(rivals / "python")
    environment = {
        "PATH": os.environ["PATH"],
        "PERENSO_CONFIG_DIR": f"{directory}/home",
        "PERENSO_API_URL": url,
        "PERENSO_TOKEN_URL": f"{url}/token",
        "PERENSO_CLIENT_ID": "show",
        "PERENSO_CLIENT_SECRET": "secret",
    }
    results = {}
    for turn in range(TURNS):
        for file_format in FORMATS:
            path = f"{directory}/rows.{file_format}"
            export = [ours, "--quiet", "export", "run", "Rows", "-o", path]
            results.setdefault((file_format, "ours"), []).append(run(export, environment))
            arguments = [python, __file__, "xlsxwriter" if file_format == "xlsx" else "dlt", url]
            arguments += [path] if file_format == "xlsx" else [f"{directory}/{file_format}-{turn}", file_format]
            results.setdefault((file_format, "rival"), []).append(run(arguments))
    for file_format in FORMATS:
        rate, rival = (
            ROWS / statistics.median(cpu for _, cpu, _ in results[file_format, whose]) for whose in ("ours", "rival")
        )
        peak, rival_peak = (max(peak for *_, peak in results[file_format, whose]) for whose in ("ours", "rival"))
        name = "XlsxWriter" if file_format == "xlsx" else "dlt"
        bound, met = ("at least 80,000", rate >= 80_000) if file_format == "xlsx" else ("at least 10", rate >= 10 * rival)
        what = f"{ROWS:,} rows of an export into {file_format}: rows per CPU second"
        line(what, f"{rate:,.0f}", f"{name}: {rival:,.0f}", f"{rate / rival:.1f}", bound, yes(met))
        bound, met = ("at most 64 MiB", yes(peak <= 64)) if file_format == "xlsx" else ("", "")
        line("the same: the most memory", f"{peak:.0f} MiB", f"{name}: {rival_peak:.0f} MiB", "", bound, met)


def load(ours, directory):
    """Checks the rows of a CSV file, which sends nothing."""
    path = Path(directory, "customers.csv")
    with path.open("w") as file:
        file.write("customerID,customerName,city,state,zipCode,phone,email\n")
        for n in range(LOADED):
            file.write(f"C{n:07},Example Stores {n:07},City {n % 500},State {n % 8},{3000 + n % 900},{n:08},{n}@example.com\n")
    arguments = [ours, "--quiet", "customers", "load", str(path), "--dry-run", "--empty", "keep"]
    runs = [run(arguments, {"PERENSO_CONFIG_DIR": f"{directory}/home"}) for _ in range(TURNS)]
    cpu, peak = statistics.median(cpu for _, cpu, _ in runs), max(peak for *_, peak in runs)
    line(f"`load --dry-run` of {LOADED:,} rows of CSV: CPU", f"{cpu:.2f} s", "", "", "at most 3 s", yes(cpu <= 3))
    line("the same: the most memory", f"{peak:.0f} MiB", "", "", "at most 32 MiB", yes(peak <= 32))


def main(ours, rivals):
    rivals = Path(rivals).absolute()
    size = os.path.getsize(ours)
    print("| what | ours | rival | ratio | bound | met |\n|---|---|---|---|---|---|")
    line("the binary", f"{size / 1e6:.1f} MB", "", "", "at most 15 MB", yes(size <= 15_000_000))
    starts(ours, rivals)
    server = subprocess.Popen([sys.executable, __file__, "serve"], stdout=subprocess.PIPE, text=True)
    try:
        with tempfile.TemporaryDirectory() as directory:
            exports(ours, rivals, server.stdout.readline().strip(), directory)
            load(ours, directory)
    finally:
        server.kill()
    names = ("httpie", "dlt", "awscli", "XlsxWriter", "pyarrow")
    packages = f"import importlib.metadata as m; print(*(f'{{name}} {{m.version(name)}}' for name in {names}))"
    subprocess.run([rivals / "python", "-c", packages], check=False)


if sys.argv[1] == "serve":
    serve()
elif sys.argv[1] == "xlsxwriter":
    xlsxwriter(*sys.argv[2:])
elif sys.argv[1] == "dlt":
    dlt(*sys.argv[2:])
else:
    main(os.path.abspath(sys.argv[1]), sys.argv[2])
