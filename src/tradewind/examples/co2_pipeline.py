"""A real pipeline on real input: fetch over HTTP, validate, branch on the row count, load decade by decade into a table, report.

Trigger it with `tradewind dags trigger co2_pipeline --wait`. Without a `url` it brings its own small HTTP server on this machine, which serves
`data/co2_mauna_loa.csv`; give it any URL of a CSV with the columns year and mean_ppm instead. It loads through the connection named by `conn_id`:
`example_warehouse` is made at the first start (SQLite); a PostgreSQL connection works the same.
"""

from __future__ import annotations

import csv
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tradewind import Param, dag, task
from tradewind.standard import SQLExecuteQueryOperator, SqlHook

DATA = Path(__file__).parent / "data"
YEARS = range(1900, 2101)


@contextmanager
def local_server(folder: Path) -> Iterator[str]:
    """Serve a folder over HTTP on a free port of this machine while the block runs; yields the address."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@dag(
    schedule=None,
    catchup=False,
    tags=["example"],
    params={
        "url": Param(
            "", type="string", description="CSV with year and mean_ppm; empty: the file that comes with the example"
        ),
        "rows_min": Param(10, type="integer", minimum=1, description="With fewer rows nothing is loaded"),
        "conn_id": Param("example_warehouse", type="string", description="Where to load: SQLite or PostgreSQL"),
    },
    doc_md=__doc__,
)
def co2_pipeline():
    @task(retries=3, retry_delay=timedelta(seconds=2))
    def fetch(params: dict) -> str:
        """Download the file; a server that stumbles is asked again."""
        if params["url"]:
            with urllib.request.urlopen(params["url"], timeout=30) as answer:
                return answer.read().decode()
        with (
            local_server(DATA) as address,
            urllib.request.urlopen(f"{address}/co2_mauna_loa.csv", timeout=30) as answer,
        ):
            return answer.read().decode()

    @task
    def validate(text: str) -> list[dict]:
        """Typed rows; what is wrong is named with its line."""
        lines = [line for line in text.splitlines() if line and not line.startswith("#")]
        rows = []
        for number, row in enumerate(csv.DictReader(lines), start=2):
            year, mean_ppm = int(row["year"]), float(row["mean_ppm"])
            if year not in YEARS or not 200 < mean_ppm < 1000:
                raise ValueError(f"line {number}: year {year} with {mean_ppm} ppm cannot be true")
            rows.append({"year": year, "mean_ppm": mean_ppm})
        print(f"{len(rows)} rows are valid")
        return rows

    @task.branch
    def enough_rows(rows: list[dict], params: dict) -> str:
        return "create_table" if len(rows) >= params["rows_min"] else "too_few_rows"

    @task
    def too_few_rows() -> None:
        print("too few rows: the table stays as it is")

    create_table = SQLExecuteQueryOperator(
        task_id="create_table",
        conn_id="{{ params.conn_id }}",
        sql="CREATE TABLE IF NOT EXISTS co2 (year INTEGER PRIMARY KEY, mean_ppm REAL NOT NULL, decade INTEGER NOT NULL)",
    )

    @task
    def partitions(rows: list[dict]) -> list[dict]:
        """One part per decade."""
        decades: dict[int, list[dict]] = {}
        for row in rows:
            decades.setdefault(row["year"] // 10 * 10, []).append(row)
        return [{"decade": decade, "rows": part} for decade, part in sorted(decades.items())]

    @task(map_index_template="{{ task.op_kwargs['partition']['decade'] }}s")
    def load(partition: dict, params: dict) -> int:
        """Load one decade; loading it again replaces it, so a retry never doubles a row."""
        decade, rows = partition["decade"], partition["rows"]
        hook = SqlHook(params["conn_id"])
        hook.run("DELETE FROM co2 WHERE decade = :decade", parameters={"decade": decade})
        hook.insert_rows(
            "co2",
            [(row["year"], row["mean_ppm"], decade) for row in rows],
            target_fields=["year", "mean_ppm", "decade"],
        )
        return len(rows)

    @task
    def report(loaded: list[int], params: dict) -> dict:
        """What the table says now."""
        rows = SqlHook(params["conn_id"]).get_records(
            "SELECT decade, AVG(mean_ppm), COUNT(*) FROM co2 GROUP BY decade ORDER BY decade"
        )
        for decade, mean, count in rows:
            print(f"{decade}s: {mean:6.2f} ppm from {count} years")
        return {"rows_loaded": sum(loaded), "decades": len(rows)}

    rows = validate(fetch())
    parts = partitions(rows)
    create_table >> parts
    enough_rows(rows) >> [create_table, too_few_rows()]
    report(load.expand(partition=parts))


co2_pipeline()

if __name__ == "__main__":
    co2_pipeline().test()
