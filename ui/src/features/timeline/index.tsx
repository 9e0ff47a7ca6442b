// All runs on one axis: a lane for each DAG, past and planned; below it how many ran at once.
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { get, query } from "@api/http";
import { dagsQuery, useFresh } from "@api/queries";
import type { Run } from "@api/types";
import { A, dagPath, runPath, useGo, useSearchState } from "@shared/nav";
import { duration, hm, useNow } from "@shared/time";
import { Button, Empty, Fault, Loaded } from "@shared/ui";
import { t } from "@shared/words";
import "./timeline.css";

const SPANS: [string, number][] = [["1", 1], ["6", 6], ["24", 24], ["72", 72]];
const LANES_MAX = 300;

export function TimelinePage() {
  const [search, change] = useSearchState();
  const go = useGo();
  const now = useNow();
  const hours = Number(search.hours ?? 6);
  const key = ["ui", "timeline"];
  const found = useQuery({ queryKey: key, queryFn: ({ signal }) => get<{ runs: Run[] }>(`/ui/runs${query({ count: 500 })}`, signal), ...useFresh("dags", key, 2000) });
  const dags = useQuery(dagsQuery({ sort: "next", count: 200 }));
  const from = now - hours * 3_600_000;
  const to = now + hours * 3_600_000 * 0.15;
  const { lanes, use, most } = useMemo(() => {
    const made = new Map<string, Run[]>();
    for (const run of found.data?.runs ?? []) {
      const end = run.end ?? now;
      if (run.start === null ? run.after < from : end < from) continue;
      made.set(run.dag_id, [...(made.get(run.dag_id) ?? []), run]);
    }
    const buckets = new Array<number>(120).fill(0);
    for (const runs of made.values()) for (const run of runs) if (run.start !== null) for (let at = Math.max(0, Math.floor(((run.start - from) / (now - from)) * 120)); at <= Math.min(119, Math.floor((((run.end ?? now) - from) / (now - from)) * 120)); at += 1) buckets[at] = (buckets[at] ?? 0) + 1;
    return { lanes: [...made].sort((a, b) => Number(b[1].some((run) => run.state === "failed")) - Number(a[1].some((run) => run.state === "failed")) || (a[0] < b[0] ? -1 : 1)), use: buckets, most: Math.max(1, ...buckets) };
  }, [found.data, from, now]);
  const share = (at: number) => (100 * (at - from)) / (to - from);
  const coming = new Map((dags.data?.dags ?? []).filter((dag) => dag.next !== null && !dag.paused && dag.next < to).map((dag) => [dag.dag_id, dag.next as number]));
  if (found.error && !found.data) return <div className="page"><Fault error={found.error} retry={() => void found.refetch()} /></div>;
  return <Loaded query={found}>{() => (
    <div className="page fill">
      <div className="toolbar"><span className="small muted">{t("The last")}</span>{SPANS.map(([name, value]) => <button key={name} type="button" className="chip" aria-pressed={hours === value} onClick={() => change({ hours: name })}>{value} h</button>)}<span className="grow" /><span className="small faint">{t("{count} DAGs with runs", { count: lanes.length })}</span></div>
      {lanes.length === 0 ? <Empty title={t("No runs in this time")}><Button onClick={() => change({ hours: "72" })}>{t("Look back 72 h")}</Button></Empty> : (
        <div className="gl">
          <div className="gl-row gl-axis"><span className="gl-name" /><span className="gl-lane">{[0, 0.2, 0.4, 0.6, 0.8, 1].map((part) => <em key={part} style={{ insetInlineStart: `${(part * 100 * (now - from)) / (to - from)}%` }}>{part === 1 ? t("now") : hm(from + part * (now - from))}</em>)}</span></div>
          {lanes.slice(0, LANES_MAX).map(([dag, runs]) => (
            <div key={dag} className="gl-row"><A className="gl-name clip name" to={dagPath(dag)}>{dag}</A>
              {/* Bars are for the mouse; the list of runs has the same for the keyboard. */}
              {/* oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-static-element-interactions */}
              <span className="gl-lane" onClick={(event) => { const run = (event.target as HTMLElement).dataset.run; if (run) go(runPath(dag, run)); }}>
                <i className="gl-now" style={{ insetInlineStart: `${share(now)}%` }} />
                {runs.map((run) => run.start === null ? <i key={run.key} className="gl-run st-queued hollow" data-run={run.run_id} title={`${run.run_id}\n${run.state}`} style={{ insetInlineStart: `${share(Math.max(from, run.after))}%`, inlineSize: 6 }} />
                  : <i key={run.key} className={`gl-run st-${run.state}`} data-run={run.run_id} title={`${run.run_id}\n${run.state} · ${duration(((run.end ?? now) - run.start) / 1000)}`} style={{ insetInlineStart: `${Math.max(0, share(run.start))}%`, inlineSize: `max(4px, ${share(run.end ?? now) - Math.max(0, share(run.start))}%)` }} />)}
                {coming.has(dag) && <i className="gl-next" title={t("planned {time}", { time: hm(coming.get(dag) as number) })} style={{ insetInlineStart: `${share(coming.get(dag) as number)}%` }} />}
              </span></div>
          ))}
          <div className="gl-row gl-use"><span className="gl-name small faint">{t("runs at once, most {count}", { count: most })}</span><span className="gl-lane" role="img" aria-label={t("runs at once, most {count}", { count: most })}>{use.map((count, place) => <b key={String(place)} style={{ insetInlineStart: `${((place / 120) * 100 * (now - from)) / (to - from)}%`, inlineSize: `${((100 / 120) * (now - from)) / (to - from)}%`, blockSize: `${(100 * count) / most}%` }} />)}</span></div>
        </div>
      )}
    </div>
  )}</Loaded>;
}
