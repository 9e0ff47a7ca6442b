// The pieces every screen is made of, over the browser's own elements.
import { X } from "lucide-react";
import { useEffect, useId, useRef, useState, useSyncExternalStore, type ButtonHTMLAttributes, type ReactNode } from "react";
import { Problem } from "@api/http";
import { t } from "./words";

export function Button({ kind = "", className = "", ...rest }: ButtonHTMLAttributes<HTMLButtonElement> & { kind?: string }) {
  return <button type="button" {...rest} className={`btn ${kind} ${className}`} />;
}

export function Dialog({ title, onClose, children, footer, wide, className = "" }: { title: string; onClose: () => void; children: ReactNode; footer?: ReactNode; wide?: boolean; className?: string }) {
  const ref = useRef<HTMLDialogElement>(null);
  const name = useId();
  useEffect(() => {
    const dialog = ref.current;
    const before = document.activeElement as HTMLElement | null;
    if (dialog && !dialog.open) {
      dialog.showModal();
      // The browser would begin at the button that closes it.
      const first = dialog.querySelector<HTMLElement>(".content input:not([type=hidden]):not([hidden]), .content select, .content textarea") ?? dialog.querySelector<HTMLElement>("footer .primary");
      first?.focus();
    }
    return () => before?.focus?.();
  }, []);
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions, jsx-a11y/click-events-have-key-events
    <dialog ref={ref} className={`${wide ? "wide" : ""} ${className}`} aria-labelledby={name} onClose={onClose} onCancel={onClose} onClick={(event) => event.target === ref.current && onClose()}>
      <header><h2 id={name}>{title}</h2><Button kind="quiet icon" aria-label={t("Close")} onClick={onClose}><X /></Button></header>
      <div className="content">{children}</div>
      {footer && <footer>{footer}</footer>}
    </dialog>
  );
}

/** A button with a menu below it; arrows move, Esc closes. */
export function Menu({ label, icon, children, kind = "quiet icon" }: { label: string; icon: ReactNode; children: (close: () => void) => ReactNode; kind?: string }) {
  const [place, setPlace] = useState<{ x: number; y: number } | null>(null);
  const button = useRef<HTMLButtonElement>(null);
  const menu = useRef<HTMLDivElement>(null);
  const close = () => {
    setPlace(null);
    button.current?.focus();
  };
  useEffect(() => {
    if (!place) return;
    const box = menu.current;
    (box?.querySelector("button, a") as HTMLElement | null)?.focus();
    if (box) {
      const over = box.getBoundingClientRect();
      box.style.left = `${Math.max(8, Math.min(place.x, innerWidth - over.width - 8))}px`;
      box.style.top = `${place.y + over.height > innerHeight - 8 ? Math.max(8, place.y - over.height - 36) : place.y}px`;
    }
    const away = (event: Event) => {
      if (!box?.contains(event.target as Node) && !button.current?.contains(event.target as Node)) setPlace(null);
    };
    addEventListener("pointerdown", away);
    addEventListener("scroll", away, true);
    return () => {
      removeEventListener("pointerdown", away);
      removeEventListener("scroll", away, true);
    };
  }, [place]);
  return (
    <>
      <button ref={button} type="button" className={`btn ${kind}`} aria-haspopup="menu" aria-expanded={place !== null} aria-label={label} title={label} onClick={(event) => {
        event.stopPropagation();
        event.preventDefault();
        const at = event.currentTarget.getBoundingClientRect();
        setPlace(place ? null : { x: at.left, y: at.bottom + 4 });
      }}>{icon}</button>
      {place && (
        <div ref={menu} className="menu" role="menu" tabIndex={-1} onClick={(event) => event.stopPropagation()} onKeyDown={(event) => {
          event.stopPropagation();
          const items = [...(menu.current?.querySelectorAll<HTMLElement>("button, a") ?? [])];
          const now = items.indexOf(document.activeElement as HTMLElement);
          if (event.key === "Escape") close();
          else if (event.key === "ArrowDown") items[(now + 1) % items.length]?.focus();
          else if (event.key === "ArrowUp") items[(now - 1 + items.length) % items.length]?.focus();
          else return;
          event.preventDefault();
        }}>{children(close)}</div>
      )}
    </>
  );
}

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return <div className="empty"><h2>{title}</h2>{children}</div>;
}

export function Fault({ error, retry, what }: { error: unknown; retry?: () => void; what?: string }) {
  const told = error instanceof Problem ? error : null;
  const text = error instanceof Error ? error.message : String(error);
  return (
    <div className="fault" role="alert">
      <strong>{what ?? (told?.status === 403 ? t("You may not see this") : told?.status === 404 ? t("There is no such thing") : t("This could not be read"))}</strong>
      <span>{text}</span>
      <div className="row">
        {retry && <Button kind="tiny" onClick={retry}>{t("Try again")}</Button>}
        <Button kind="tiny quiet" onClick={() => void navigator.clipboard?.writeText(`${location.href}\n${told?.status ?? ""} ${text} ${told?.requestId ?? ""}`)}>{t("Copy")}</Button>
        {told?.requestId && <span className="faint small">{told.requestId}</span>}
      </div>
    </div>
  );
}

export function Skeleton({ lines = 8 }: { lines?: number }) {
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setSlow(true), 5000);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div className="skeleton" aria-busy="true">
      <span className="sr" role="status">{t("Loading")}</span>
      {Array.from({ length: lines }, (_, place) => <i key={place} style={{ width: `${90 - ((place * 37) % 50)}%` }} />)}
      {slow && <span className="faint small">{t("Still waiting for the server…")}</span>}
    </div>
  );
}

/** Data when it is there, else what stands in for it: skeleton, error. Old data stays while new is read. */
export function Loaded<D>({ query, children, lines }: { query: { data: D | undefined; error: unknown; isFetching?: boolean; refetch?: () => unknown }; children: (data: D) => ReactNode; lines?: number }) {
  if (query.data !== undefined) return <>{children(query.data)}</>;
  if (query.error) return <div className="page"><Fault error={query.error} retry={query.refetch && (() => void query.refetch?.())} /></div>;
  return <Skeleton lines={lines} />;
}

export function Field({ label, hint, wrong, children }: { label: string; hint?: ReactNode; wrong?: string; children: (id: string, described: string | undefined) => ReactNode }) {
  const id = useId();
  const about = hint || wrong ? `${id}-about` : undefined;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children(id, about)}
      {(hint || wrong) && <div id={about} className={wrong ? "wrong" : "hint"}>{wrong ?? hint}</div>}
    </div>
  );
}

export function CopyButton({ text, label }: { text: string; label?: string }) {
  const [done, setDone] = useState(false);
  return (
    <Button kind="tiny quiet" title={text} onClick={() => {
      void navigator.clipboard?.writeText(text);
      setDone(true);
      setTimeout(() => setDone(false), 1200);
    }}>{done ? t("Copied") : (label ?? t("Copy id"))}</Button>
  );
}

// --- notices ---

interface Toast { id: number; text: string; kind: "" | "bad" | "good"; undo?: () => void }
let toasts: Toast[] = [];
let number = 0;
const watchers = new Set<() => void>();
function put(next: Toast[]): void {
  toasts = next;
  for (const each of watchers) each();
}
/** A notice; with `undo` it stays for eight seconds and offers the way back. */
export function tell(text: string, kind: Toast["kind"] = "", undo?: () => void): void {
  const id = (number += 1);
  put([...toasts.slice(-3), { id, text, kind, undo }]);
  setTimeout(() => put(toasts.filter((each) => each.id !== id)), undo || kind === "bad" ? 8000 : 4000);
}
export function tellError(error: unknown): void {
  tell(error instanceof Error ? error.message : String(error), "bad");
}
export function Toasts() {
  const shown = useSyncExternalStore((changed) => {
    watchers.add(changed);
    return () => watchers.delete(changed);
  }, () => toasts);
  return (
    <div className="toasts" role="status" aria-live="polite">
      {shown.map((each) => (
        <div key={each.id} className={`toast ${each.kind}`}>
          <span className="grow">{each.text}</span>
          {each.undo && <Button kind="tiny" onClick={() => { each.undo?.(); put(toasts.filter((other) => other.id !== each.id)); }}>{t("Undo")}</Button>}
        </div>
      ))}
    </div>
  );
}
