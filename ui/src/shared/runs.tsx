// Runs as a list with filters, newest first, with acts on many; of one DAG or of all.
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import * as acts from "@api/acts";
import { get, query } from "@api/http";
import { useFresh } from "@api/queries";
import type { Run } from "@api/types";
import { A, dagPath, runPath, useGo, useSearchState } from "./nav";
import { Badge, RunKind } from "./state";
import { absolute, Ago, Lasting } from "./time";
import { Button, Empty, Fault, Skeleton, tell, tellError } from "./ui";
import { VList, type Column } from "./vlist";
import { t } from "./words";

const STATES = ["failed", "running", "queued", "success"];
const TYPES = ["scheduled", "manual", "backfill", "asset_triggered"];

export function RunList({ dag }: { dag?: string }) {
  const [search, change] = useSearchState();
  const go = useGo();
  const client = useQueryClient();
  const [chosen, setChosen] = useState<Set<string>>(new Set());
  const key = ["ui", ...(dag ? ["dag", dag] : []), "runs", search.state ?? "", search.type ?? "", search.q ?? ""];
  const fresh = useFresh(dag ? `dag:${dag}` : "dags", key, 2000);
  const pages = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam, signal }) => get<{ runs: Run[]; next: string | null }>(`/ui/runs${query({ dag_id: dag, state: search.state, type: search.type, q: search.q, before: pageParam, count: 100 })}`, signal),
    initialPageParam: "",
    getNextPageParam: (last) => last.next ?? undefined,
    placeholderData: (before) => before,
    ...fresh,
  });
  const rows = useMemo(() => pages.data?.pages.flatMap((page) => page.runs) ?? [], [pages.data]);
  const picked = rows.filter((run) => chosen.has(run.key));
  const all = (name: string, act: (run: Run) => Promise<void>) => {
    Promise.all(picked.map(act)).then(() => tell(t("{name}: {count} runs", { name, count: picked.length }), "good")).catch(tellError).finally(() => setChosen(new Set()));
  };
  const toggle = (name: string, value: string) => {
    const now = new Set((search[name] ?? "").split(",").filter(Boolean));
    if (!now.delete(value)) now.add(value);
    change({ [name]: [...now].join(",") || undefined });
  };
  const columns: Column<Run>[] = [
    { name: "State", width: "100px", cell: (run) => <Badge state={run.state} /> },
    ...(dag ? [] : [{ name: "DAG", width: "minmax(140px, 1fr)", cell: (run: Run) => <A className="name" style={{ fontWeight: 500 }} to={dagPath(run.dag_id, "grid")} search={{ run: run.run_id }}>{run.dag_id}</A> }]),
    { name: "Run", width: "minmax(150px, 1.4fr)", cell: (run) => <A className="name" to={runPath(run.dag_id, run.run_id)} title={run.run_id}>{run.logical ? absolute(run.logical) : run.run_id}</A> },
    { name: "Kind", width: "120px", className: "hide-narrow", cell: (run) => <span className="muted"><RunKind type={run.type} word /></span> },
    { name: "Started", width: "100px", cell: (run) => (run.start ? <Ago ms={run.start} /> : <span className="faint">{t("due")} <Ago ms={run.after} /></span>) },
    { name: "Took", width: "90px", className: "hide-narrow", cell: (run) => <Lasting start={run.start} end={run.end} /> },
    { name: "By", width: "100px", className: "hide-narrow", cell: (run) => <span className="muted">{run.user ?? run.by}</span> },
    { name: "Note or reason", width: "minmax(100px, 1fr)", className: "hide-narrow", cell: (run) => <span className={run.state === "failed" && !run.note ? "exception" : "muted small"} title={run.note ?? run.reason ?? ""}>{run.note ?? (run.state === "failed" ? run.reason : "")}</span> },
  ];
  return (
    <div className="page fill">
      <div className="toolbar">
        <input data-filter type="search" className="input" placeholder={dag ? t("Part of a run id") : t("Part of a DAG or run id")} aria-label={t("Filter")} defaultValue={search.q} onChange={(event) => change({ q: event.target.value || undefined })} />
        {STATES.map((state) => <button key={state} type="button" className="chip" aria-pressed={(search.state ?? "").split(",").includes(state)} onClick={() => toggle("state", state)}>{t(state)}</button>)}
        <span className="faint">|</span>
        {TYPES.map((type) => <button key={type} type="button" className="chip" aria-pressed={(search.type ?? "").split(",").includes(type)} onClick={() => toggle("type", type)}><RunKind type={type} word /></button>)}
        <span className="grow" />
        {picked.length > 0 && (
          <>
            <strong className="small">{t("{count} selected", { count: picked.length })}</strong>
            <Button kind="tiny" onClick={() => all(t("Cleared"), (run) => acts.clearRun(client, run.dag_id, run.run_id, false))}>{t("Clear")}</Button>
            <Button kind="tiny" onClick={() => all(t("Retried"), (run) => acts.clearRun(client, run.dag_id, run.run_id, true))}>{t("Retry failed")}</Button>
            <Button kind="tiny" onClick={() => all(t("Marked success"), (run) => acts.markRun(client, run.dag_id, run.run_id, "success"))}>{t("Mark success")}</Button>
            <Button kind="tiny" onClick={() => all(t("Marked failed"), (run) => acts.markRun(client, run.dag_id, run.run_id, "failed"))}>{t("Mark failed")}</Button>
          </>
        )}
      </div>
      {pages.error && !rows.length ? <div className="page"><Fault error={pages.error} retry={() => void pages.refetch()} /></div>
        : !pages.data ? <Skeleton lines={14} />
        : rows.length === 0 ? <Empty title={t("No runs")}><p>{search.state || search.type || search.q ? t("None fits these filters.") : t("Nothing has run yet.")}</p>{(search.state || search.type || search.q) && <Button onClick={() => change({ state: undefined, type: undefined, q: undefined })}>{t("Clear the filters")}</Button>}</Empty>
        : <VList rows={rows} columns={columns} keyOf={(run) => run.key} label={t("Runs")} selected={chosen} onSelect={setChosen} onOpen={(run) => go(runPath(run.dag_id, run.run_id))} more={() => pages.hasNextPage && !pages.isFetchingNextPage && void pages.fetchNextPage()} />}
    </div>
  );
}
