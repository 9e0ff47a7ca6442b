import { Fragment } from "react";
import { A, BASE, usePath } from "@shared/nav";
import { day, hm } from "@shared/time";
import { t } from "@shared/words";

const WORDS: Record<string, string> = { dags: "DAGs", runs: "Runs", tasks: "Tasks", timeline: "Timeline", assets: "Assets", "needs-input": "Needs you", backfills: "Backfills", admin: "Admin", profile: "Profile" };
const VIEWS = new Set(["grid", "graph", "timeline", "calendar", "code", "runs", "tasks", "backfills", "details", "audit"]);

/** A run by its time and kind; its whole id is in the tooltip and on the page. */
export function runName(id: string): string {
  const found = /^(\w+?)__(\d{4}-\d\d-\d\dT[\d:.]+(?:\+00:00|Z)?)/.exec(id);
  const at = found ? Date.parse(found[2] as string) : Number.NaN;
  return found && !Number.isNaN(at) ? `${day(at)} ${hm(at)} ${t((found[1] as string).replaceAll("_", " "))}` : id;
}

/** Where we are; the last one is the title of the page. */
export function Crumbs() {
  const raw = usePath();
  const path = BASE && raw.startsWith(BASE) ? raw.slice(BASE.length) : raw;
  const parts = path.split("/").filter(Boolean).map(decodeURIComponent);
  const crumbs: [string, string][] = [];
  parts.forEach((part, place) => {
    const to = `/${parts.slice(0, place + 1).map(encodeURIComponent).join("/")}`;
    if (place === 0) crumbs.push([WORDS[part] ? t(WORDS[part]) : part, to]);
    else if (parts[0] === "dags" && place === 2 && VIEWS.has(part) && parts.length === 3) return;
    else if (parts[0] === "dags" && (place === 2 || place === 4)) return;
    else crumbs.push([parts[0] === "dags" && place === 3 && parts[2] === "runs" ? runName(part) : part, to]);
  });
  if (!crumbs.length) crumbs.push([t("Home"), "/"]);
  document.title = `${crumbs.at(-1)?.[0]} · Tradewind`;
  return (
    <nav className="crumbs" aria-label={t("Where you are")}>
      {crumbs.map(([name, to], place) => (
        <Fragment key={to}>
          {place > 0 && <span className="sep" aria-hidden="true">›</span>}
          {place === crumbs.length - 1 ? <h1 title={name}>{name}</h1> : <A to={to} className="name">{name}</A>}
        </Fragment>
      ))}
    </nav>
  );
}
