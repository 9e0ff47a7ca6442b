// A state: colour, sign and form, and a word where there is room.
import type { State } from "@api/types";
import { t } from "./words";

const SIGNS: Record<string, string> = {
  success: "M2 6.5 4.8 9.2 10 3.2", failed: "M2.5 2.5l7 7M9.5 2.5l-7 7", upstream_failed: "M6 10.5V2M2.6 5.2 6 1.8l3.4 3.4",
  running: "M3.5 2v8l6-4z", restarting: "M9.8 6a3.8 3.8 0 1 1-1.2-2.8M9 .8v2.6H6.4", up_for_retry: "M9.8 6a3.8 3.8 0 1 1-1.2-2.8M9 .8v2.6H6.4",
  queued: "M2 6h.01M6 6h.01M10 6h.01", scheduled: "M6 2.8V6l2.2 1.4M6 .9a5.1 5.1 0 1 0 0 10.2A5.1 5.1 0 0 0 6 .9", deferred: "M9.8 7.6A4.4 4.4 0 1 1 5.2 1.6 3.6 3.6 0 0 0 9.8 7.6z",
  up_for_reschedule: "M6 2.8V6l2.2 1.4M6 .9a5.1 5.1 0 1 0 0 10.2A5.1 5.1 0 0 0 6 .9", awaiting_input: "M3.6 4a2.4 2.4 0 1 1 3.4 2.2c-.7.4-1 .8-1 1.6M6 10.4h.01",
  skipped: "M1.5 6h7M5.8 3.2 8.6 6 5.8 8.8M10.5 2.5v7", removed: "M2.5 6h7", none: "M3 6h6",
};

export function Sign({ state, size = 11 }: { state: State | string; size?: number }) {
  const fill = state === "running" || state === "deferred";
  return (
    <svg viewBox="0 0 12 12" width={size} height={size} aria-hidden="true" fill={fill ? "currentColor" : "none"} stroke="currentColor" strokeWidth={state === "queued" ? 2 : 1.7} strokeLinecap="round" strokeLinejoin="round">
      <path d={SIGNS[state] ?? SIGNS.none} />
    </svg>
  );
}

export function stateWord(state: State | string | null): string {
  return t((state ?? "none") === "none" ? "no status" : String(state).replaceAll("_", " "));
}

export function Badge({ state, small }: { state: State | string | null; small?: boolean }) {
  const name = state ?? "none";
  return (
    <span className={`badge st-${name} ${small ? "sq" : ""}`} title={small ? stateWord(name) : undefined}>
      <Sign state={name} />
      {small ? <span className="sr">{stateWord(name)}</span> : stateWord(name)}
    </span>
  );
}

export function Dot({ state }: { state: State | string | null }) {
  return <i className={`dot st-${state ?? "none"}`} style={(state ?? "none") === "none" || state === "scheduled" || state === "up_for_reschedule" ? { background: "transparent", boxShadow: "inset 0 0 0 1.5px var(--edge)" } : undefined} />;
}

const LETTERS: Record<string, string> = { s: "success", f: "failed", r: "running", q: "queued" };

/** The newest runs: height is duration, colour is state; one element each, nothing else. */
export function Strip({ strip, seconds, label }: { strip: string; seconds: (number | null)[]; label: string }) {
  const most = Math.max(1e-9, ...seconds.map((value) => value ?? 0));
  return (
    <span className="strip" role="img" aria-label={label}>
      {[...strip].map((letter, place) => (
        // oxlint-disable-next-line react/no-array-index-key
        <i key={place} className={`st-${LETTERS[letter]}`} style={{ height: `${Math.round(5 + 19 * Math.sqrt((seconds[place] ?? (letter === "r" ? most * 0.5 : 0)) / most))}px` }} />
      ))}
    </span>
  );
}

const KINDS: Record<string, [string, string]> = {
  scheduled: ["◷", "scheduled"], manual: ["▸", "manual"], backfill: ["⟲", "backfill"], asset_triggered: ["◈", "by an asset"],
  operator_triggered: ["↳", "by a DAG"], asset_materialization: ["◈", "materialisation"],
};
export function RunKind({ type, word }: { type: string; word?: boolean }) {
  const [sign, name] = KINDS[type] ?? ["·", type];
  return <span className="nowrap" title={t(name)}><span aria-hidden="true">{sign}</span>{word ? ` ${t(name)}` : <span className="sr">{t(name)}</span>}</span>;
}
