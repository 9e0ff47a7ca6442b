// A list of any length: only the rows in sight exist. Arrows or j and k move, Enter opens, x selects.
import { useVirtualizer } from "@tanstack/react-virtual";
import { memo, useCallback, useEffect, useRef, useState, type ReactNode } from "react";
import { useKeys } from "./keys";
import { prefs } from "./prefs";
import { t } from "./words";

export interface Column<R> { name: string; width: string; cell: (row: R, place: number) => ReactNode; className?: string; sort?: string }

export function VList<R>({ rows, columns, keyOf, onOpen, height, more, sort, onSort, selected, onSelect, label, total }: {
  rows: R[]; columns: Column<R>[]; keyOf: (row: R) => string; onOpen?: (row: R) => void; height?: number; more?: () => void;
  sort?: string; onSort?: (name: string) => void; selected?: Set<string>; onSelect?: (next: Set<string>) => void; label: string; total?: number;
}) {
  const box = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState(-1);
  const from = useRef(-1);
  const size = height ?? (prefs.get().density === "compact" ? 30 : 38);
  const list = useVirtualizer({ count: rows.length, getScrollElement: () => box.current, estimateSize: () => size, overscan: 8 });
  const items = list.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (more && rows.length && last >= rows.length - 30) more();
  }, [more, rows.length, last]);
  const template = `${onSelect ? "20px " : ""}${columns.map((column) => column.width).join(" ")}`;
  const move = (to: number) => {
    const next = Math.max(0, Math.min(rows.length - 1, to));
    setAt(next);
    list.scrollToIndex(next);
  };
  const pick = (place: number, range: boolean) => {
    if (!onSelect || !selected) return;
    const next = new Set(selected);
    const start = range && from.current >= 0 ? Math.min(from.current, place) : place;
    const end = range && from.current >= 0 ? Math.max(from.current, place) : place;
    const on = range || !selected.has(keyOf(rows[place] as R));
    for (let each = start; each <= end; each += 1) {
      const key = keyOf(rows[each] as R);
      if (on) next.add(key);
      else next.delete(key);
    }
    from.current = place;
    onSelect(next);
  };
  const latest = useRef({ pick, onOpen, setAt });
  latest.current = { pick, onOpen, setAt };
  const open = useCallback((row: unknown, place: number) => {
    latest.current.setAt(place);
    latest.current.onOpen?.(row as R);
  }, []);
  const choose = useCallback((place: number, range: boolean) => latest.current.pick(place, range), []);
  useKeys([
    { keys: "j|arrowdown", what: t("Next row"), act: () => move(at + 1) },
    { keys: "k|arrowup", what: t("Row before"), act: () => move(at - 1) },
    { keys: "enter", what: t("Open"), act: (event) => {
      const on = document.activeElement;
      if (on && on !== document.body && on.matches("a, button")) (on as HTMLElement).click();
      else if (rows[at]) onOpen?.(rows[at] as R);
      event.preventDefault();
    } },
    ...(onSelect ? [
      { keys: "x", what: t("Select"), act: () => at >= 0 && pick(at, false) },
      { keys: "X", what: t("Select up to here"), act: () => at >= 0 && pick(at, true) },
    ] : []),
  ]);
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div ref={box} className="vlist" role="table" aria-label={label} aria-rowcount={(total ?? rows.length) + 1} tabIndex={0}>
      <div className="vhead" role="row" style={{ gridTemplateColumns: template }}>
        {onSelect && <span role="columnheader"><input type="checkbox" aria-label={t("Select all")} checked={rows.length > 0 && selected?.size === rows.length} onChange={(event) => onSelect(event.target.checked ? new Set(rows.map(keyOf)) : new Set())} /></span>}
        {columns.map((column) => (
          <span key={column.name} role="columnheader" className={column.className} aria-sort={column.sort && sort === column.sort ? "ascending" : undefined}>
            {column.sort && onSort ? <button type="button" className="btn quiet tiny" style={{ marginInlineStart: -8 }} onClick={() => onSort(column.sort as string)}>{t(column.name)}{sort === column.sort ? " ↓" : ""}</button> : column.name ? t(column.name) : <span className="sr">{t("Acts")}</span>}
          </span>
        ))}
      </div>
      <div role="rowgroup" style={{ height: list.getTotalSize(), position: "relative" }}>
        {items.map((item) => {
          const row = rows[item.index] as R;
          const key = keyOf(row);
          return <Line key={key} row={row} name={key} place={item.index} start={item.start} size={size} template={template} columns={columns} on={item.index === at} selected={selected?.has(key)} open={open} pick={onSelect ? choose : undefined} pointer={!!onOpen} />;
        })}
      </div>
    </div>
  );
}

interface LineProps { row: unknown; name: string; place: number; start: number; size: number; template: string; columns: Column<never>[]; on: boolean; selected: boolean | undefined; open: (row: unknown, place: number) => void; pick: ((place: number, range: boolean) => void) | undefined; pointer: boolean }

/** A row is drawn when it comes into sight or changes, not at every step of a scroll. */
const Line = memo(function Line({ row, name, place, start, size, template, columns, on, selected, open, pick, pointer }: LineProps) {
  return (
    // oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus
    <div className="vrow" role="row" aria-rowindex={place + 2} data-on={on || undefined} aria-selected={selected} style={{ gridTemplateColumns: template, height: size, transform: `translateY(${start}px)`, cursor: pointer ? "pointer" : undefined }}
      onClick={(event) => {
        if (!(event.target as HTMLElement).closest("a, button, input, select, dialog, .menu")) open(row, place);
      }}>
      {pick && <span role="cell"><input type="checkbox" aria-label={t("Select {name}", { name })} checked={selected ?? false} onClick={(event) => { event.preventDefault(); pick(place, event.shiftKey); }} onChange={() => undefined} /></span>}
      {columns.map((column) => <span key={column.name} role="cell" className={column.className}>{column.cell(row as never, place)}</span>)}
    </div>
  );
}) as (props: Omit<LineProps, "columns"> & { columns: unknown }) => React.JSX.Element;
