// All task instances, those of the newest runs first.
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import * as acts from "@api/acts";
import { get, query } from "@api/http";
import { useFresh } from "@api/queries";
import { STATES, type Table, type Task } from "@api/types";
import { A, dagPath, taskPath, useGo, useSearchState } from "@shared/nav";
import { Badge, stateWord } from "@shared/state";
import { Ago, duration } from "@shared/time";
import { Button, Empty, Fault, Skeleton, tell, tellError } from "@shared/ui";
import { VList } from "@shared/vlist";
import { t } from "@shared/words";

type Row = Task & { dag_id: string; run_id: string };

export function TasksPage() {
  const [search, change] = useSearchState();
  const go = useGo();
  const client = useQueryClient();
  const [chosen, setChosen] = useState<Set<string>>(new Set());
  const key = ["ui", "tasks", search.state ?? "", search.dag ?? "", search.task ?? ""];
  const pages = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam, signal }) => get<Table & { next: string | null }>(`/ui/tasks${query({ state: search.state, dag_id: search.dag, task_id: search.task, before: pageParam, count: 200 })}`, signal),
    initialPageParam: "",
    getNextPageParam: (last) => last.next ?? undefined,
    placeholderData: (before) => before,
    ...useFresh("dags", key, 3000),
  });
  const rows = useMemo(() => pages.data?.pages.flatMap((page) => page.rows.map((row) => Object.fromEntries(page.columns.map((name, place) => [name, row[place]])) as unknown as Row)) ?? [], [pages.data]);
  const states = new Set((search.state ?? "").split(",").filter(Boolean));
  const toggle = (state: string) => {
    if (!states.delete(state)) states.add(state);
    change({ state: [...states].join(",") || undefined });
  };
  const picked = rows.filter((row) => chosen.has(row.ti_id));
  const clear = () => {
    const wishes = new Map<string, acts.ClearWish>();
    for (const row of picked) {
      const name = `${row.dag_id}\n${row.run_id}`;
      const wish = wishes.get(name) ?? { dag: row.dag_id, run: row.run_id, tasks: [] };
      wish.tasks?.push(row.map_path ? [row.task_id, Number(row.map_path)] : row.task_id);
      wishes.set(name, wish);
    }
    Promise.all([...wishes.values()].map((wish) => acts.clear(client, wish))).then(() => tell(t("{count} cleared", { count: picked.length }), "good")).catch(tellError).finally(() => setChosen(new Set()));
  };
  const mark = (state: "success" | "failed") => {
    Promise.all(picked.map((row) => acts.mark(client, { dag: row.dag_id, run: row.run_id, task: row.task_id, map: row.map_path ? Number(row.map_path) : -1, state }))).then(() => tell(t("{count} marked", { count: picked.length }), "good")).catch(tellError).finally(() => setChosen(new Set()));
  };
  return (
    <div className="page fill">
      <div className="toolbar">
        <input data-filter type="search" className="input" placeholder={t("DAG id")} aria-label={t("DAG id")} defaultValue={search.dag} onKeyDown={(event) => event.key === "Enter" && change({ dag: event.currentTarget.value || undefined })} onBlur={(event) => change({ dag: event.target.value || undefined })} />
        <input type="search" className="input" style={{ width: 160 }} placeholder={t("Task id")} aria-label={t("Task id")} defaultValue={search.task} onKeyDown={(event) => event.key === "Enter" && change({ task: event.currentTarget.value || undefined })} onBlur={(event) => change({ task: event.target.value || undefined })} />
        {[...STATES].reverse().filter((state) => state !== "removed" && state !== "restarting").map((state) => <button key={state} type="button" className="chip" aria-pressed={states.has(state)} onClick={() => toggle(state)}>{stateWord(state)}</button>)}
        <span className="grow" />
        {picked.length > 0 && <><strong className="small">{t("{count} selected", { count: picked.length })}</strong><Button kind="tiny" onClick={clear}>{t("Clear")}</Button><Button kind="tiny" onClick={() => mark("success")}>{t("Mark success")}</Button><Button kind="tiny" onClick={() => mark("failed")}>{t("Mark failed")}</Button></>}
      </div>
      {pages.error && !rows.length ? <div className="page"><Fault error={pages.error} retry={() => void pages.refetch()} /></div> : !pages.data ? <Skeleton lines={14} /> : rows.length === 0 ? <Empty title={t("No task instances")}><p>{t("None fits these filters.")}</p></Empty> : (
        <VList rows={rows} keyOf={(row) => row.ti_id} label={t("Task instances")} height={34} selected={chosen} onSelect={setChosen} onOpen={(row) => go(taskPath(row.dag_id, row.run_id, row.task_id, row.map_path))} more={() => pages.hasNextPage && !pages.isFetchingNextPage && void pages.fetchNextPage()}
          columns={[
            { name: "State", width: "130px", cell: (row) => <Badge state={row.state} /> },
            { name: "Task", width: "minmax(160px, 1.4fr)", cell: (row) => <A className="name" style={{ fontWeight: 500 }} to={taskPath(row.dag_id, row.run_id, row.task_id, row.map_path)}>{row.task_id}{row.map_path ? `[${row.label ?? row.map_path}]` : ""}</A> },
            { name: "DAG", width: "minmax(120px, 1fr)", cell: (row) => <A className="name" to={dagPath(row.dag_id, "grid")} search={{ run: row.run_id, task: row.task_id }}>{row.dag_id}</A> },
            { name: "Run", width: "minmax(120px, 1fr)", className: "hide-narrow", cell: (row) => <span className="muted small" title={row.run_id}>{row.run_id}</span> },
            { name: "Operator", width: "120px", className: "hide-narrow", cell: (row) => <span className="muted">{row.operator}</span> },
            { name: "Try", width: "40px", className: "hide-narrow", cell: (row) => row.try_number || "" },
            { name: "Took", width: "80px", className: "hide-narrow", cell: (row) => duration(row.seconds) },
            { name: "Ended", width: "90px", cell: (row) => <Ago ms={row.ended_at ?? row.started_at} /> },
            { name: "Reason", width: "minmax(100px, 1.2fr)", className: "hide-narrow", cell: (row) => <span className={row.state === "failed" ? "exception" : "muted small"}>{row.state === "success" ? "" : (row.reason ?? "").split("; ")[0]}</span> },
          ]} />
      )}
    </div>
  );
}
