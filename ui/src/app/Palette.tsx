// Everything by name: DAGs, pages, acts. Any letters of a name in order find it; the best fit is first.
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { get, query } from "@api/http";
import { boundKeys } from "@shared/keys";
import { dagPath, useGo } from "@shared/nav";
import { prefs } from "@shared/prefs";
import { Dialog } from "@shared/ui";
import { t } from "@shared/words";
import { fit } from "./fit";
import { PLACES } from "./Shell";

interface Hit { key: string; name: string; kind: string; act: () => void; keys?: string }

export function Palette({ onClose }: { onClose: () => void }) {
  const go = useGo();
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const all = useQuery({ queryKey: ["palette"], queryFn: ({ signal }) => get<{ dags: [string, string | null][] }>(`/ui/search${query({ q: "*" })}`, signal), staleTime: 30_000 });
  const [acts] = useState(() => boundKeys().filter((each) => !each.keys.startsWith("g ") && !/^(j|k|h|l|enter|mod|\?|\/)/.test(each.keys)));
  const hits = useMemo(() => {
    const found: [number, Hit][] = [];
    const add = (score: number, hit: Hit) => score > 0 && found.push([score, hit]);
    const favourites = new Set(prefs.get().favourites);
    for (const [id, name] of all.data?.dags ?? []) {
      const score = text ? Math.max(fit(text, id), name ? fit(text, name) : 0) : favourites.has(id) ? 2 : 0.5;
      add(score, { key: `dag:${id}`, name: name ?? id, kind: t("DAG"), act: () => go(dagPath(id)) });
    }
    for (const place of PLACES) add(text ? fit(text, t(place.name)) : 1.5, { key: place.to, name: t(place.name), kind: t("Page"), keys: place.keys, act: () => go(place.to) });
    for (const part of ["connections", "variables", "pools", "users", "roles", "tokens", "audit", "config", "plugins", "providers", "components", "import-errors"])
      add(text ? fit(text, part) * 0.9 : 0, { key: part, name: part, kind: t("Admin"), act: () => go(`/admin/${part}`) });
    for (const act of acts) add(text ? fit(text, act.what) : 1.2, { key: act.keys, name: act.what, kind: t("Act"), keys: act.keys, act: () => setTimeout(() => act.act(new KeyboardEvent("keydown")), 0) });
    found.sort((a, b) => b[0] - a[0]);
    return found.slice(0, 12).map(([, hit]) => hit);
  }, [text, all.data, acts, go]);
  const choose = (hit: Hit | undefined) => {
    if (!hit) return;
    onClose();
    hit.act();
  };
  return (
    <Dialog title={t("Search and acts")} onClose={onClose} className="palette">
      <input className="input" style={{ fontSize: 15 }} role="combobox" aria-expanded="true" aria-controls="palette-list" aria-activedescendant={hits[at] ? `hit-${at}` : undefined} aria-label={t("Search and acts")} placeholder={t("A DAG, a page, an act…")} value={text}
        onChange={(event) => { setText(event.target.value); setAt(0); }}
        onKeyDown={(event) => {
          if (event.key === "ArrowDown") setAt(Math.min(at + 1, hits.length - 1));
          else if (event.key === "ArrowUp") setAt(Math.max(at - 1, 0));
          else if (event.key === "Enter") choose(hits[at]);
          else return;
          event.preventDefault();
        }} />
      <ul id="palette-list" role="listbox" aria-label={t("Found")}>
        {hits.map((hit, place) => (
          // oxlint-disable-next-line jsx-a11y/click-events-have-key-events
          <li key={hit.key} id={`hit-${place}`} role="option" aria-selected={place === at} className="row" style={{ padding: "6px 10px", borderRadius: 6, cursor: "pointer", background: place === at ? "var(--selected)" : undefined }} onClick={() => choose(hit)} onPointerMove={() => setAt(place)}>
            <span className="grow clip">{hit.name}</span><span className="faint small">{hit.kind}</span>{hit.keys && <kbd>{hit.keys.split("|")[0]}</kbd>}
          </li>
        ))}
        {!hits.length && <li className="muted" style={{ padding: 10 }}>{t("Nothing has that name.")}</li>}
      </ul>
    </Dialog>
  );
}
