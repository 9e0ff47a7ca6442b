// When what ran: waiting, coloured by what for, then running; attempts as they followed one another.
import { useMemo } from "react";
import { rowsOf, type RunTasks, type Task } from "@api/types";
import { useNow } from "@shared/time";
import { clock, duration } from "@shared/time";
import { Badge } from "@shared/state";
import { Empty, Loaded } from "@shared/ui";
import { t } from "@shared/words";
import { useRun } from "./RunPane";
import type { Selection } from "./selection";
import "./timeline.css";

const ROWS_MAX = 1500;

export function TimelineView({ dag, run, selection }: { dag: string; run: string | undefined; selection: Selection }) {
  if (!run) return <Empty title={t("No runs yet")} />;
  return <Loaded1 dag={dag} run={run} selection={selection} />;
}

function Loaded1({ dag, run, selection }: { dag: string; run: string; selection: Selection }) {
  const found = useRun(dag, run);
  return <Loaded query={found}>{(data) => <Shown data={data} selection={selection} />}</Loaded>;
}

interface Bar { row: Task; wait: number; ready: number; start: number | null; end: number | null }

function Shown({ data, selection }: { data: RunTasks; selection: Selection }) {
  const now = useNow();
  const { bars, from, to, critical } = useMemo(() => {
    const rows = rowsOf(data);
    const first = data.run.start ?? data.run.queued ?? data.run.after;
    const made: Bar[] = rows.filter((row) => row.started_at !== null || row.queued_at !== null || row.scheduled_at !== null).map((row) => {
      const ready = row.queued_at ?? row.started_at ?? first;
      return { row, wait: Math.min(row.scheduled_at ?? ready, ready), ready, start: row.started_at, end: row.ended_at };
    });
    made.sort((a, b) => (a.start ?? Infinity) - (b.start ?? Infinity) || a.ready - b.ready);
    const last = Math.max(data.run.end ?? 0, ...made.map((bar) => bar.end ?? 0), ...(data.run.end ? [] : [now]), first + 1000);
    return { bars: made.slice(0, ROWS_MAX), from: Math.min(first, ...made.map((bar) => bar.wait)), to: last, critical: chain(made) };
  }, [data, now]);
  if (!bars.length) return <Empty title={t("Nothing has started yet")} />;
  const share = (at: number) => (100 * (at - from)) / (to - from);
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((part) => from + part * (to - from));
  return (
    <div className="tl">
      <div className="row wrap small" style={{ padding: "8px 16px", gap: 14 }}>
        <span className="row" style={{ gap: 4 }}><i className="tl-key wait" />{t("waits for slots")}</span><span className="row" style={{ gap: 4 }}><i className="tl-key start" />{t("starts up")}</span><Badge state="success" /><Badge state="failed" /><Badge state="running" />
        <span className="row" style={{ gap: 4 }}><i className="tl-key crit" />{t("critical path")}</span><span className="grow" /><span className="faint">{t("whole: {time}", { time: duration((to - from) / 1000) })}</span>
      </div>
      <div className="tl-box">
        <div className="tl-axis"><span className="tl-name" /><span className="tl-lane">{ticks.map((at, place) => <em key={at} style={{ insetInlineStart: `${share(at)}%`, translate: place === 0 ? "0" : place === 4 ? "-100%" : "-50%" }}>{clock(at)}</em>)}</span></div>
        {bars.map(({ row, wait, ready, start, end }) => {
          const stop = end ?? (start ? now : start);
          const label = `${row.task_id}${row.map_path ? `[${row.map_path}]` : ""}`;
          return (
            <button key={row.ti_id} type="button" className="tl-row" data-on={(selection.task === row.task_id && (selection.map ?? "") === row.map_path) || undefined} onClick={() => selection.set({ run: data.run.run_id, task: row.task_id, map: row.map_path || undefined })}
              title={`${label}\n${row.state ?? "none"}${start ? ` · ${duration(((stop ?? start) - start) / 1000)}` : ""}${start ? `\n${t("waits for slots")}: ${duration((ready - wait) / 1000)}, ${t("starts up")}: ${duration((start - ready) / 1000)}` : ""}`}>
              <span className="tl-name clip">{label}</span>
              <span className="tl-lane">
                {ready > wait && <i className="tl-wait" style={{ insetInlineStart: `${share(wait)}%`, inlineSize: `${share(ready) - share(wait)}%` }} />}
                {start !== null && start > ready && <i className="tl-start" style={{ insetInlineStart: `${share(ready)}%`, inlineSize: `${share(start) - share(ready)}%` }} />}
                {start !== null && stop !== null && <i className={`tl-run st-${row.state ?? "none"} ${critical.has(row.ti_id) ? "crit" : ""}`} style={{ insetInlineStart: `${share(start)}%`, inlineSize: `max(3px, ${share(stop) - share(start)}%)` }} />}
              </span>
            </button>
          );
        })}
      </div>
    </div>
  );
}

/** From the last to end back through what ended latest before each began: what the length of the run comes from. */
export function chain(bars: { row: { ti_id: string }; start: number | null; end: number | null }[]): Set<string> {
  const done = bars.filter((bar) => bar.start !== null && bar.end !== null) as { row: { ti_id: string }; start: number; end: number }[];
  const found = new Set<string>();
  let at = done.reduce<(typeof done)[number] | null>((best, bar) => (!best || bar.end > best.end ? bar : best), null);
  while (at && !found.has(at.row.ti_id)) {
    found.add(at.row.ti_id);
    const start: number = at.start;
    at = done.reduce<(typeof done)[number] | null>((best, bar) => (bar.end <= start + 5 && !found.has(bar.row.ti_id) && (!best || bar.end > best.end) ? bar : best), null);
  }
  return found;
}
