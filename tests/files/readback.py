"""Reads the files of a directory with pyarrow, DuckDB, polars, csv and json, and compares them with the rows they were made from."""

import csv
import datetime
import json
import pathlib
import re
import sys
from decimal import Decimal

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

EPOCH = datetime.datetime(1970, 1, 1)


class Raw(str):
    """The text of a value as it stands in a row."""


def spans(line):
    """The fields of an object, each as the text of its value."""
    decoder = json.JSONDecoder(strict=False)
    at, fields = 1, {}
    while line[at] != "}":
        name, at = decoder.raw_decode(line, at)
        start = at + 1
        _, at = decoder.raw_decode(line, start)
        fields[name] = Raw(line[start:at])
        at += line[at] == ","
    return fields


def micros(text):
    # datetime knows six digits of a second, and no more.
    text = re.sub(r"(\.\d{6})0*", r"\1", text.replace(" ", "T"))
    text = re.sub(r"\.(\d{1,5})(?=$|[Z+-])", lambda found: "." + found[1].ljust(6, "0"), text)
    time = datetime.datetime.fromisoformat(text)
    if time.tzinfo:
        time = time.astimezone(datetime.timezone.utc).replace(tzinfo=None)
    return (time - EPOCH) // datetime.timedelta(microseconds=1)


def expected(kind, raw):
    """What a column of this type has for a value."""
    value = None if raw is None else json.loads(raw, parse_float=Decimal, parse_int=Decimal)
    if value is None:
        return None
    if kind == "integer":
        return int(value)
    if kind == "float":
        return float(raw)
    if kind == "date":
        return datetime.date.fromisoformat(value)
    if kind in ("local_time", "time"):
        return micros(value)
    return readable(raw) if kind == "json" else value


def readable(raw):
    """The JSON text of a table: half of a surrogate pair is replaced."""
    return str(raw).replace("\\ud800", "\\ufffd")


def same(what, found, wanted):
    if found != wanted or type(found) is not type(wanted):
        sys.exit(f"{what}: found {found!r}, expected {wanted!r}")


def read_parquet(folder, columns, rows):
    types = {
        "boolean": pa.bool_(),
        "integer": pa.int64(),
        "decimal(9, 2)": pa.decimal128(9, 2),
        "decimal(18, 4)": pa.decimal128(18, 4),
        "decimal(38, 6)": pa.decimal128(38, 6),
        "float": pa.float64(),
        "date": pa.date32(),
        "local_time": pa.timestamp("us"),
        "time": pa.timestamp("us", "UTC"),
        "text": pa.string(),
        "null": pa.string(),
    }
    file = pa.parquet.ParquetFile(folder / "rows.parquet")
    same("row groups", file.num_row_groups, -(-len(rows) // 4))
    table = file.read()
    same("columns", table.column_names, [column["name"] for column in columns])
    for column in columns:
        name, kind = column["name"], column["type"]
        found = table[name]
        # pyarrow reads JSON as text, or as a type of its own, by its version.
        if kind == "json":
            found = found.cast(pa.string())
        elif found.type != types[kind]:
            sys.exit(f"{name}: found {found.type}, expected {types[kind]}")
        if kind in ("local_time", "time"):
            found = found.cast(pa.int64())
        for number, (value, row) in enumerate(zip(found.to_pylist(), rows, strict=True), 1):
            same(f"Parquet, row {number}, {name}", value, expected(kind, row.get(name)))


def plain(raw):
    """What CSV has for a value."""
    if raw is None or raw == "null":
        return None
    return json.loads(raw) if raw.startswith('"') else str(raw)


def read_csv(folder, columns, rows):
    names = [column["name"] for column in columns]

    def wanted(column, row):
        raw = row.get(column["name"])
        return readable(raw) if column["type"] == "json" and raw not in (None, "null") else plain(raw)

    with open(folder / "rows.csv", newline="", encoding="utf-8") as file:
        header, *records = csv.reader(file, strict=True)
    same("header", header, names)
    for number, (record, row) in enumerate(zip(records, rows, strict=True), 1):
        same(f"CSV, row {number}", record, [wanted(column, row) or "" for column in columns])
    # Null and an empty text are two things to whoever looks at the quotes.
    table = pa.csv.read_csv(
        folder / "rows.csv",
        parse_options=pa.csv.ParseOptions(newlines_in_values=True),
        convert_options=pa.csv.ConvertOptions(
            column_types={name: pa.string() for name in names},
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
    for number, (record, row) in enumerate(zip(table.to_pylist(), rows, strict=True), 1):
        same(f"CSV by pyarrow, row {number}", record, {column["name"]: wanted(column, row) for column in columns})


def plainer(kind, value):
    """A value as `expected` has it: a time as a number, and JSON as text (polars reads bytes)."""
    if kind == "json" and isinstance(value, bytes):
        return value.decode()
    if kind in ("local_time", "time") and value is not None:
        value = value.astimezone(datetime.timezone.utc).replace(tzinfo=None) if value.tzinfo else value
        return (value - EPOCH) // datetime.timedelta(microseconds=1)
    return value


def read_parquet_by_others(folder, columns, rows):
    path = str(folder / "rows.parquet")
    connection = duckdb.connect()
    connection.sql("SET TimeZone = 'UTC'")
    found = connection.sql(f"SELECT * FROM read_parquet('{path}')").pl().to_dicts()
    table = pl.read_parquet(path).to_dicts()
    for reader, records in (("DuckDB", found), ("polars", table)):
        for number, (record, row) in enumerate(zip(records, rows, strict=True), 1):
            for column in columns:
                name, kind = column["name"], column["type"]
                same(f"{reader}, row {number}, {name}", plainer(kind, record[name]), expected(kind, row.get(name)))
    # A column of JSON with half of a surrogate pair is refused as a whole by a reader that takes it for JSON.
    half = connection.sql(f"SELECT count(*) FROM read_parquet('{path}') WHERE json_valid(\"json\")").fetchall()
    same("DuckDB, JSON", half, [(sum(row.get("json") not in (None, "null") for row in rows),)])


def read_days(folder):
    """A column of nulls on day one and of values on day two, and a run without rows."""
    days = [str(folder / f"day-{day}.parquet") for day in (0, 1)]
    wanted = [
        {"id": 1, "note": None, "price": None},
        {"id": 2, "note": "a", "price": Decimal("12.50500")},
    ]
    by_duckdb = duckdb.sql(f"SELECT id, note, price::DECIMAL(18, 5) AS price FROM read_parquet({days}, union_by_name=true) ORDER BY id")
    same("days by DuckDB", by_duckdb.pl().to_dicts(), wanted)
    by_polars = pl.concat([pl.scan_parquet(day) for day in days], how="diagonal_relaxed").collect()
    same("notes by polars", by_polars["note"].to_list(), [None, "a"])
    same("prices by polars", [None if price is None else Decimal(price) for price in by_polars["price"]], [None, Decimal("12.50500")])
    notes = [pa.parquet.read_table(day, columns=["id", "note"]) for day in days]
    same("notes by pyarrow", pa.concat_tables(notes).to_pylist(), [{"id": row["id"], "note": row["note"]} for row in wanted])
    empty = str(folder / "empty.parquet")
    same("empty by DuckDB", duckdb.sql(f"SELECT * FROM read_parquet('{empty}')").columns, ["code", "name"])
    same("empty by polars", pl.read_parquet(empty).shape, (0, 2))
    same("empty by pyarrow", pa.parquet.read_table(empty).column_names, ["code", "name"])
    same("empty CSV", (folder / "empty.csv").read_bytes(), b"code,name\r\n")
    same("empty CSV by DuckDB", duckdb.sql(f"SELECT * FROM read_csv('{folder / 'empty.csv'}')").columns, ["code", "name"])
    same("empty CSV by polars", pl.read_csv(folder / "empty.csv").columns, ["code", "name"])


def main(folder):
    columns = json.loads((folder / "schema.json").read_text())["columns"]
    lines = {name: (folder / name).read_text(encoding="utf-8").split("\n") for name in ("source.jsonl", "source-csv.jsonl", "rows.jsonl")}
    same("JSON lines", lines["rows.jsonl"], lines["source.jsonl"])
    rows = {name: [spans(line) for line in lines[name] if line] for name in ("source.jsonl", "source-csv.jsonl")}
    read_parquet(folder, columns, rows["source.jsonl"])
    read_parquet_by_others(folder, columns, rows["source.jsonl"])
    read_csv(folder, columns, rows["source-csv.jsonl"])
    read_days(folder)
    print(f"{len(rows['source.jsonl'])} rows, {len(columns)} columns")


main(pathlib.Path(sys.argv[1]))
