// The log: opened where the trouble is, followed at its end while it goes on. Rows in sight only.
import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDownToLine, ChevronDown, ChevronUp, Download, Search, WrapText, X } from "lucide-react";
import { memo, useEffect, useMemo, useRef, useState } from "react";
import { at, headers, query, url } from "@api/http";
import { ansi } from "@shared/ansi";
import { useKeys } from "@shared/keys";
import { useSearchState } from "@shared/nav";
import { prefs, usePrefs } from "@shared/prefs";
import { absolute, clockMs } from "@shared/time";
import { Button, Empty, Fault, Skeleton, tell, tellError } from "@shared/ui";
import { plural, t } from "@shared/words";
import { isOwn, useLog, type Line, type Raised } from "./log";
import "./log.css";

const LEVELS = ["debug", "info", "warning", "error"];

export function LogView({ dag, run, task, map, tiId, number, running }: { dag: string; run: string; task: string; map: string; tiId: string; number: number; running: boolean }) {
  const [search, change] = useSearchState();
  const start = search.line ? Number(search.line) - 1 : null;
  const log = useLog({ dag, run, task, map, tiId, number, running }, running && start === null ? 0 : start);
  const { wrap, times } = usePrefs();
  const [follow, setFollow] = useState(running && start === null);
  const [level, setLevel] = useState("");
  const [text, setText] = useState("");
  const [found, setFound] = useState<{ text: string; lines: number[]; at: number } | null>(null);
  const [searching, setSearching] = useState(false);
  const [marked, setMarked] = useState<number | null>(start);
  const [closed, setClosed] = useState<Set<number>>(new Set());
  const box = useRef<HTMLDivElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const shown = useMemo(() => {
    if (!level && closed.size === 0) return null;
    const least = LEVELS.indexOf(level || "debug");
    const result: number[] = [];
    let hidden = false;
    for (let each = 0; each < log.total; each += 1) {
      const line = log.line(each);
      if (line?.text.startsWith("::endgroup::")) hidden = false;
      if (!line || (!hidden && LEVELS.indexOf(line.level === "critical" ? "error" : line.level) >= least)) result.push(each);
      if (line && closed.has(each)) hidden = true;
    }
    return result;
    // oxlint-disable-next-line react/exhaustive-deps
  }, [level, closed, log.total, log.complete]);
  const count = shown ? shown.length : log.total;
  const numberAt = (place: number) => (shown ? (shown[place] as number) : place);
  const placeOf = (line: number) => (shown ? Math.max(0, shown.findIndex((each) => each >= line)) : line);
  const list = useVirtualizer({ count, getScrollElement: () => box.current, estimateSize: () => 18, overscan: 20 });
  const items = list.getVirtualItems();
  const first = items[0]?.index ?? 0;
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (log.ready && count) log.want(numberAt(first), numberAt(Math.min(last, count - 1)));
  });
  const opened = useRef("");
  // Asked after every drawing, because lines come in between; it acts once for each log.
  // oxlint-disable-next-line react-hooks/exhaustive-deps
  useEffect(() => {
    const name = `${run}/${task}/${map}/${number}`;
    if (!log.ready || opened.current === name || !log.total) return;
    opened.current = name;
    const target = start ?? (running ? null : log.open);
    if (target === null) {
      if (follow) list.scrollToIndex(count - 1, { align: "end" });
      return;
    }
    setMarked(target);
    list.scrollToIndex(placeOf(Math.max(0, target - 3)), { align: "start" });
    // Rows above have other heights than guessed: once more when they are measured.
    setTimeout(() => list.scrollToIndex(placeOf(Math.max(0, target - 3)), { align: "start" }), 60);
  });
  useEffect(() => {
    if (follow && count) list.scrollToIndex(count - 1, { align: "end" });
  }, [follow, count, list]);
  const go = (line: number) => {
    setFollow(false);
    setMarked(line);
    list.scrollToIndex(placeOf(line), { align: "center" });
  };
  const step = (list: number[], by: 1 | -1) => {
    if (!list.length) return;
    const from = marked ?? -1;
    const next = by > 0 ? (list.find((each) => each > from) ?? list[0]) : ([...list].reverse().find((each) => each < from) ?? list.at(-1));
    if (next !== undefined) go(next);
  };
  const seek = async (wanted: string) => {
    if (!wanted) return setFound(null);
    try {
      const lines = await log.search(wanted);
      setFound({ text: wanted, lines, at: 0 });
      if (lines[0] !== undefined) go(lines.find((each) => each >= (marked ?? 0)) ?? lines[0]);
    } catch (error) {
      tellError(error);
    }
  };
  useKeys([
    { keys: "e", what: t("Next error"), act: () => step(log.errors, 1) },
    { keys: "E", what: t("Error before"), act: () => step(log.errors, -1) },
    { keys: "f", what: t("Follow the log"), act: () => setFollow(!follow) },
    { keys: "w", what: t("Wrap lines"), act: () => prefs.set({ wrap: !wrap }) },
    { keys: "/", what: t("Search the log"), act: () => { setSearching(true); setTimeout(() => field.current?.focus(), 0); } },
    { keys: "n", what: t("Next match"), act: () => found && step(found.lines, 1) },
    { keys: "N", what: t("Match before"), act: () => found && step(found.lines, -1) },
  ]);
  if (log.fault && !log.ready) return <div className="pane-body"><Fault error={log.fault} /></div>;
  if (!log.ready) return <Skeleton lines={10} />;
  const save = async () => {
    try {
      const answer = await fetch(url(`/ui/dags/${at(dag)}/runs/${at(run)}/tasks/${at(task)}/log/${number}${query({ map, raw: true })}`), { headers: headers(), credentials: "same-origin" });
      if (!answer.ok) throw new Error(answer.statusText);
      const link = document.createElement("a");
      link.href = URL.createObjectURL(await answer.blob());
      link.download = `${dag}-${task}${map ? `-${map}` : ""}-try-${number}.jsonl`;
      link.click();
      URL.revokeObjectURL(link.href);
    } catch (error) {
      tellError(error);
    }
  };
  return (
    <div className="log">
      <div className="log-tools">
        {searching ? (
          <>
            <input ref={field} className="input" type="search" style={{ minHeight: 26, width: 180 }} aria-label={t("Search the log")} placeholder={t("Search")} value={text} onChange={(event) => setText(event.target.value)} onKeyDown={(event) => {
              if (event.key === "Enter") { if (found?.text === text) step(found.lines, event.shiftKey ? -1 : 1); else void seek(text); }
              if (event.key === "Escape") { setSearching(false); setFound(null); box.current?.focus(); }
            }} />
            {found && <span className="small faint nowrap">{plural(found.lines.length, "match", "matches")}{found.lines.length >= 1000 ? "+" : ""}</span>}
            <Button kind="quiet tiny icon" aria-label={t("Match before")} onClick={() => found && step(found.lines, -1)}><ChevronUp /></Button>
            <Button kind="quiet tiny icon" aria-label={t("Next match")} onClick={() => (found ? step(found.lines, 1) : void seek(text))}><ChevronDown /></Button>
            <Button kind="quiet tiny icon" aria-label={t("End the search")} onClick={() => { setSearching(false); setFound(null); }}><X /></Button>
          </>
        ) : <Button kind="quiet tiny" onClick={() => setSearching(true)} title="/"><Search />{t("Search")}</Button>}
        {log.errors.length > 0 && <Button kind="tiny danger" onClick={() => step(log.errors, 1)} title={t("Next error (e)")}>{plural(log.errors.length, "error", "errors")}</Button>}
        <span className="grow" />
        <select className="input" style={{ minHeight: 26, padding: "0 4px", fontSize: 12, width: "auto" }} aria-label={t("Level")} value={level} onChange={(event) => { setLevel(event.target.value); if (event.target.value) void log.all(); }}>
          <option value="">{t("all levels")}</option><option value="info">info+</option><option value="warning">warning+</option><option value="error">error</option>
        </select>
        <Button kind="quiet tiny" aria-pressed={times} onClick={() => prefs.set({ times: !times })}>{t("Times")}</Button>
        <Button kind="quiet tiny icon" aria-label={t("Wrap lines")} aria-pressed={wrap} title={t("Wrap lines (w)")} onClick={() => prefs.set({ wrap: !wrap })}><WrapText /></Button>
        {running && <Button kind="tiny" aria-pressed={follow} onClick={() => setFollow(!follow)} title={t("Follow (f)")}><ArrowDownToLine />{t("Follow")}</Button>}
        <Button kind="quiet tiny icon" aria-label={t("Download")} title={t("Download")} onClick={() => void save()}><Download /></Button>
      </div>
      {log.total === 0 ? (
        <Empty title={running ? t("No lines yet") : t("No log")}><p>{log.there ? t("The try has written nothing.") : running ? t("The first line appears here at once.") : t("The server looked into its folder of logs and found no file for try {number}: the try never began, or its log was pruned.", { number })}</p></Empty>
      ) : (
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        <div ref={box} className={`log-lines ${wrap ? "wrap" : ""}`} tabIndex={0} role="log" aria-live="off" aria-label={t("Log of {task}, try {number}", { task, number })} onWheel={(event) => event.deltaY < 0 && setFollow(false)}>
          <div style={{ height: list.getTotalSize(), position: "relative", minWidth: "100%", width: wrap ? "100%" : "max-content" }}>
            <div style={{ transform: `translateY(${items[0]?.start ?? 0}px)` }}>
              {items.map((item) => {
                const place = numberAt(item.index);
                const line = log.line(place);
                return (
                  <div key={place} ref={list.measureElement} data-index={item.index}>
                    {line ? <LogLine line={line} times={times} marked={place === marked} match={found?.text ?? ""} folded={closed.has(place)}
                      onFold={() => { setClosed((now) => { const next = new Set(now); if (!next.delete(place)) next.add(place); return next; }); void log.all(); }}
                      onMark={() => { setMarked(place); change({ line: String(place + 1) }); void navigator.clipboard?.writeText(location.href); tell(t("Link to line {number} copied.", { number: place + 1 })); }} /> : <div className="ll faint">…</div>}
                  </div>
                );
              })}
            </div>
          </div>
        </div>
      )}
    </div>
  );
}

const LogLine = memo(function LogLine({ line, times, marked, match, onMark, folded, onFold }: { line: Line; times: boolean; marked: boolean; match: string; onMark: () => void; folded: boolean; onFold: () => void }) {
  const group = line.text.startsWith("::group::");
  if (line.text.startsWith("::endgroup::")) return null;
  return (
    <div className={`ll l-${line.level} ${line.source === "agent" ? "agent" : ""}`} data-mark={marked || undefined}>
      <button type="button" className="ln" tabIndex={-1} aria-label={t("Link to line {number}", { number: line.number + 1 })} onClick={onMark}>{line.number + 1}</button>
      {times && <span className="lt" title={line.at ? absolute(line.at) : undefined}>{line.at ? clockMs(line.at) : ""}</span>}
      <span className="lx">
        {line.name && line.source === "log" && <span className="faint">{line.name} </span>}
        {group ? <button type="button" className="lg" aria-expanded={!folded} onClick={onFold}>{folded ? "▸" : "▾"} {line.text.slice(9)}</button> : <Text text={line.text} match={match} />}
        {line.raised && <Traceback raised={line.raised} />}
      </span>
    </div>
  );
});

const LINK = /(https?:\/\/[^\s"'<>)]+)/;

function Text({ text, match }: { text: string; match: string }) {
  return (
    <>
      {ansi(text).map((piece, place) => {
        const parts = piece.text.split(LINK);
        return (
          // oxlint-disable-next-line react/no-array-index-key
          <span key={place} className={piece.className || undefined}>
            {parts.map((part, each) => (each % 2 === 1 ? <a key={part + String(each)} className="link" href={part} target="_blank" rel="noopener noreferrer">{part}</a> : <Marked key={String(each)} text={part} match={match} />))}
          </span>
        );
      })}
    </>
  );
}

function Marked({ text, match }: { text: string; match: string }) {
  if (!match) return text;
  const at = text.toLowerCase().indexOf(match.toLowerCase());
  if (at < 0) return text;
  return <>{text.slice(0, at)}<mark>{text.slice(at, at + match.length)}</mark><Marked text={text.slice(at + match.length)} match={match} /></>;
}

// The folder of the tree that a run began with says nothing to people; its whole name is in the tooltip.
const SNAPSHOT = /^.*\/bundles\/[^/]+\/[^/]+\//;
const RELATION: Record<string, string> = { cause: "which was caused by", context: "which came up while this was handled", member: "which holds" };

/** An exception: its line first, own frames open, frames of libraries folded into one line. */
export function Traceback({ raised }: { raised: Raised[] }) {
  return (
    <span className="tb">
      {raised.map((each, place) => (
        // oxlint-disable-next-line react/no-array-index-key
        <span key={place} className="tb-one">
          {each.relation && <span className="faint">{t(RELATION[each.relation] ?? each.relation)}</span>}
          <strong className="tb-head">{each.type}: {each.message}</strong>
          <Frames raised={each} />
          {each.notes?.map((note) => <span key={note} className="faint">{note}</span>)}
        </span>
      ))}
    </span>
  );
}

function Frames({ raised }: { raised: Raised }) {
  const [open, setOpen] = useState(false);
  const own = raised.frames.filter(isOwn);
  const folded = raised.frames.length - own.length;
  const shown = open || own.length === 0 ? raised.frames : own;
  return (
    <>
      {[...shown].reverse().map((frame) => (
        <span key={`${frame.file}:${frame.line}:${frame.function}`} className={`tb-frame ${isOwn(frame) ? "own" : ""}`}>
          <span className="tb-where" title={frame.file}>{frame.file.replace(SNAPSHOT, "")}:{frame.line} <span className="faint">in {frame.function}</span></span>
          {frame.text && <span className="tb-code">{frame.text}</span>}
        </span>
      ))}
      {folded > 0 && own.length > 0 && <button type="button" className="tb-fold" onClick={() => setOpen(!open)}>{open ? t("Fold library frames") : plural(folded, "library frame", "library frames")}</button>}
    </>
  );
}
