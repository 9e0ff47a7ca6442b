// Runs by day: a year at a glance, what failed in it, what is planned. Drag a range to backfill it.
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { calendarQuery } from "@api/queries";
import { dagPath, runPath, useGo } from "@shared/nav";
import { isoDay } from "@shared/time";
import { Button, Loaded } from "@shared/ui";
import { plural, t } from "@shared/words";
import { Badge } from "@shared/state";
import "./calendar.css";

const DAY = 86_400_000;
interface Day { failed: number; success: number; live: number; planned: number; runs: [number, string, string][] }

export function CalendarView({ dag }: { dag: string }) {
  const found = useQuery(calendarQuery(dag));
  return <Loaded query={found}>{(data) => <Shown dag={dag} runs={data.runs} planned={data.planned} />}</Loaded>;
}

function Shown({ dag, runs, planned }: { dag: string; runs: [number, string, string][]; planned: number[] }) {
  const go = useGo();
  const [picked, setPicked] = useState<string | null>(null);
  const [range, setRange] = useState<[string, string] | null>(null);
  const [drag, setDrag] = useState<string | null>(null);
  const days = useMemo(() => {
    const made = new Map<string, Day>();
    const of = (at: number) => {
      const name = isoDay(at);
      let found = made.get(name);
      if (!found) made.set(name, (found = { failed: 0, success: 0, live: 0, planned: 0, runs: [] }));
      return found;
    };
    for (const run of runs) {
      const day = of(run[0]);
      day.runs.push(run);
      if (run[1] === "failed") day.failed += 1;
      else if (run[1] === "success") day.success += 1;
      else day.live += 1;
    }
    for (const at of planned) of(at).planned += 1;
    return made;
  }, [runs, planned]);
  const today = Date.now();
  const start = new Date(today - 364 * DAY);
  start.setDate(start.getDate() - ((start.getDay() + 6) % 7));
  const weeks: number[][] = [];
  for (let at = start.getTime(); at < today + 35 * DAY; at += 7 * DAY) weeks.push(Array.from({ length: 7 }, (_, each) => at + each * DAY + DAY / 2));
  const within = (name: string) => range && name >= range[0] && name <= range[1];
  const open = picked ? days.get(picked) : null;
  return (
    <div className="page">
      <div className="card"><div className="body">
        {/* oxlint-disable-next-line jsx-a11y/no-static-element-interactions */}
        <div className="cal" ref={(element) => { if (element && !element.dataset.seen) { element.dataset.seen = "1"; element.scrollLeft = element.scrollWidth; } }} onPointerUp={() => setDrag(null)} onPointerLeave={() => setDrag(null)}>
          <div className="cal-names">{[t("Mon"), "", t("Wed"), "", t("Fri"), "", t("Sun")].map((name, place) => <span key={String(place)}>{name}</span>)}</div>
          {weeks.map((week) => (
            <div key={week[0]} className="cal-week">
              <span className="cal-month">{new Date(week[0] as number).getDate() <= 7 ? new Date(week[0] as number).toLocaleString(document.documentElement.lang, { month: "short" }) : ""}</span>
              {week.map((at) => {
                const name = isoDay(at);
                const day = days.get(name);
                const state = day ? (day.failed ? "failed" : day.live ? "running" : day.success ? "success" : "none") : "none";
                const total = day ? day.failed + day.success + day.live : 0;
                return (
                  <button key={name} type="button" className={`cal-day st-${state}`} data-some={total > 0 || undefined} data-planned={(day && day.planned > 0) || undefined} data-range={within(name) || undefined} aria-pressed={picked === name}
                    aria-label={t("{day}: {runs}, {failed} failed", { day: name, runs: plural(total, "run", "runs"), failed: day?.failed ?? 0 })}
                    title={`${name}\n${plural(total, "run", "runs")}${day?.failed ? `, ${day.failed} ${t("failed")}` : ""}${day?.planned ? `\n${t("{count} planned", { count: day.planned })}` : ""}`}
                    style={{ opacity: state === "success" || state === "failed" ? 0.55 + 0.45 * (day && total ? (state === "failed" ? day.failed : total) / total : 1) : 1 }}
                    onPointerDown={(event) => { setDrag(name); setRange([name, name]); event.currentTarget.releasePointerCapture(event.pointerId); }}
                    onPointerEnter={() => drag && setRange(name < drag ? [name, drag] : [drag, name])}
                    onClick={() => setPicked(name)} />
                );
              })}
            </div>
          ))}
        </div>
        <div className="row wrap small" style={{ marginTop: 10 }}><Badge state="success" /><Badge state="failed" /><Badge state="running" /><span className="row" style={{ gap: 4 }}><i className="cal-day" data-planned style={{ display: "inline-block" }} />{t("planned")}</span><span className="grow" /><span className="faint">{t("Click a day for its runs; drag over days to backfill them.")}</span></div>
      </div></div>
      {range && range[0] !== range[1] && <div className="row"><Button kind="primary" onClick={() => go(dagPath(dag, "backfills"), { from: range[0], to: range[1] })}>{t("Backfill {from} to {to}…", { from: range[0], to: range[1] })}</Button><Button onClick={() => setRange(null)}>{t("Cancel")}</Button></div>}
      {picked && (
        <section className="card"><header><h2>{picked}</h2></header><div className="body row wrap">
          {open?.runs.length ? open.runs.slice(0, 200).map(([at, state, id]) => <button key={id} type="button" className="chip" onClick={() => go(runPath(dag, id))}><Badge state={state} small /> {new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}</button>) : <span className="muted">{open?.planned ? t("{count} planned", { count: open.planned }) : t("No runs on this day.")}</span>}
        </div></section>
      )}
    </div>
  );
}
