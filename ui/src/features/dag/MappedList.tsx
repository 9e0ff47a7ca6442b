// The instances of a mapped task: counts and a matrix first, the failing ones on top of the list.
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { at, get, query } from "@api/http";
import { keys, useFresh } from "@api/queries";
import { CODE, rowsOf, type RunTasks, type State, type Task } from "@api/types";
import { taskPath, useGo } from "@shared/nav";
import { Badge } from "@shared/state";
import { Ago, duration } from "@shared/time";
import { Loaded } from "@shared/ui";
import { VList } from "@shared/vlist";
import { t } from "@shared/words";

export function MappedList({ dag, run, task }: { dag: string; run: string; task: string }) {
  const key = [...keys.run(dag, run), "mapped", task];
  const fresh = useFresh(`dag:${dag}`, key, 2000);
  const found = useQuery({ queryKey: key, queryFn: ({ signal }) => get<RunTasks>(`/ui/dags/${at(dag)}/runs/${at(run)}${query({ task_id: task })}`, signal), ...fresh });
  return <Loaded query={found}>{(data) => <Shown data={data} dag={dag} run={run} task={task} />}</Loaded>;
}

function Shown({ data, dag, run, task }: { data: RunTasks; dag: string; run: string; task: string }) {
  const go = useGo();
  const [state, setState] = useState<string>("");
  const [sort, setSort] = useState("state");
  const all = useMemo(() => rowsOf(data), [data]);
  const counts = useMemo(() => {
    const made = new Map<string, number>();
    for (const row of all) made.set(row.state ?? "none", (made.get(row.state ?? "none") ?? 0) + 1);
    return [...made].sort((a, b) => CODE[b[0] as State] - CODE[a[0] as State]);
  }, [all]);
  const rows = useMemo(() => {
    const kept = state ? all.filter((row) => (row.state ?? "none") === state) : [...all];
    const index = (row: Task) => Number(row.map_path.split(".").at(-1) || 0);
    if (sort === "took") kept.sort((a, b) => (b.seconds ?? 0) - (a.seconds ?? 0));
    else if (sort === "index") kept.sort((a, b) => index(a) - index(b));
    else kept.sort((a, b) => CODE[b.state ?? "none"] - CODE[a.state ?? "none"] || index(a) - index(b));
    return kept;
  }, [all, state, sort]);
  return (
    <>
      <div className="row wrap" style={{ padding: "8px 16px", gap: 6 }}>
        {counts.map(([name, count]) => <button key={name} type="button" className="chip" aria-pressed={state === name} onClick={() => setState(state === name ? "" : name)}><Badge state={name} small /> {count.toLocaleString()}</button>)}
      </div>
      {all.length > 12 && (
        // oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-static-element-interactions
        <div className="matrix" onClick={(event) => { const path = (event.target as HTMLElement).dataset.path; if (path) go(taskPath(dag, run, task, path)); }}
          // oxlint-disable-next-line react/no-danger -- numbers and words of our own
          dangerouslySetInnerHTML={{ __html: all.slice(0, 10_000).map((row) => `<i class="c s${CODE[row.state ?? "none"]} st-${row.state ?? "none"}" data-path="${row.map_path.replace(/[^\d.]/g, "")}" title="${row.map_path.replace(/[^\d.]/g, "")}: ${row.state ?? "none"}"></i>`).join("") }} />
      )}
      <VList rows={rows} keyOf={(row) => row.ti_id} label={t("Mapped instances")} height={30} sort={sort} onSort={setSort} onOpen={(row) => go(taskPath(dag, run, task, row.map_path))}
        columns={[
          { name: "State", width: "120px", sort: "state", cell: (row) => <Badge state={row.state} /> },
          { name: "Index", width: "110px", sort: "index", cell: (row) => row.label ?? row.map_path },
          { name: "Try", width: "44px", cell: (row) => row.try_number },
          { name: "Took", width: "80px", sort: "took", cell: (row) => duration(row.seconds) },
          { name: "Ended", width: "90px", cell: (row) => <Ago ms={row.ended_at} /> },
          { name: "What it said", width: "minmax(100px, 1fr)", cell: (row) => <span className={row.state === "failed" ? "exception" : "muted small"}>{row.state === "success" ? "" : row.reason}</span> },
        ]} />
    </>
  );
}
