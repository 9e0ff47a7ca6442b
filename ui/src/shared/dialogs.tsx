// Acts on task instances show what they will change before they do it.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState, type ReactNode } from "react";
import * as acts from "@api/acts";
import { Badge } from "./state";
import { Button, Dialog, Fault, Field, Skeleton, tell, tellError } from "./ui";
import { plural, t } from "./words";

function Check({ name, on, set, hint }: { name: string; on: boolean; set: (on: boolean) => void; hint?: string }) {
  return <label className="check" title={hint}><input type="checkbox" checked={on} onChange={(event) => set(event.target.checked)} />{name}</label>;
}

function Affected({ found }: { found: { data?: acts.Instance[]; error: unknown; isFetching: boolean } }) {
  if (found.error) return <Fault error={found.error} what={t("What would change could not be found out")} />;
  if (!found.data) return <Skeleton lines={3} />;
  const shown = found.data.slice(0, 200);
  return (
    <div className="card" style={{ maxHeight: 260, overflow: "auto", opacity: found.isFetching ? 0.6 : 1 }}>
      <table className="table">
        <thead><tr><th>{t("Task")}</th><th>{t("Run")}</th><th>{t("State now")}</th></tr></thead>
        <tbody>
          {shown.map((each) => (
            <tr key={`${each.dag_run_id}/${each.task_id}/${each.map_index}`}><td className="clip">{each.task_id}{each.map_index >= 0 ? `[${each.map_index}]` : ""}</td><td className="clip faint small">{each.dag_run_id}</td><td><Badge state={each.state} /></td></tr>
          ))}
          {found.data.length > shown.length && <tr><td colSpan={3} className="faint">{t("and {count} more", { count: found.data.length - shown.length })}</td></tr>}
          {!found.data.length && <tr><td colSpan={3} className="faint">{t("Nothing would change.")}</td></tr>}
        </tbody>
      </table>
    </div>
  );
}

function Confirm({ children, busy, act, close, label, disabled, extra }: { children?: ReactNode; busy: boolean; act: () => void; close: () => void; label: string; disabled?: boolean; extra?: ReactNode }) {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => button.current?.focus(), [disabled]);
  return <>{extra}<span className="grow">{children}</span><Button onClick={close}>{t("Cancel")}</Button><button ref={button} type="button" className="btn primary" disabled={busy || disabled} onClick={act}>{label}</button></>;
}

/** Let task instances run again. */
export function ClearDialog({ dag, run, tasks, only, onClose }: { dag: string; run?: string; tasks?: (string | [string, number])[]; only?: boolean; onClose: () => void }) {
  const client = useQueryClient();
  const [downstream, setDownstream] = useState(true);
  const [upstream, setUpstream] = useState(false);
  const [past, setPast] = useState(false);
  const [future, setFuture] = useState(false);
  const [failed, setFailed] = useState(!!only && !tasks);
  const [latest, setLatest] = useState(false);
  const [note, setNote] = useState("");
  const [busy, setBusy] = useState(false);
  const wish: acts.ClearWish = { dag, run, tasks, downstream, upstream, past, future, onlyFailed: failed, latest };
  const found = useQuery({ queryKey: ["preview", "clear", wish], queryFn: () => acts.clearPreview(wish), placeholderData: (before) => before });
  const act = () => {
    setBusy(true);
    acts.clear(client, { ...wish, note: note || undefined })
      .then(() => { tell(t("{what} cleared; it runs again.", { what: plural(found.data?.length ?? 0, "task instance", "task instances") }), "good"); onClose(); })
      .catch(tellError)
      .finally(() => setBusy(false));
  };
  const name = tasks?.length === 1 ? (typeof tasks[0] === "string" ? tasks[0] : `${tasks[0]?.[0]}[${tasks[0]?.[1]}]`) : tasks ? plural(tasks.length, "task", "tasks") : (run ?? dag);
  return (
    <Dialog title={t("Clear {name} and run again", { name })} onClose={onClose}
      footer={<Confirm busy={busy} act={act} close={onClose} disabled={!found.data?.length} label={t("Clear {count}", { count: found.data?.length ?? 0 })} />}>
      <div className="row wrap" style={{ gap: 16 }}>
        <Check name={t("Downstream")} on={downstream} set={setDownstream} /><Check name={t("Upstream")} on={upstream} set={setUpstream} />
        <Check name={t("Earlier runs")} on={past} set={setPast} /><Check name={t("Later runs")} on={future} set={setFuture} />
        <Check name={t("Only failed")} on={failed} set={setFailed} /><Check name={t("Newest code")} on={latest} set={setLatest} hint={t("Otherwise the code that the run began with")} />
      </div>
      <strong className="small">{found.data ? plural(found.data.length, "task instance will run again", "task instances will run again") : " "}</strong>
      <Affected found={found} />
      <Field label={t("Note")}>{(id) => <input id={id} className="input" value={note} onChange={(event) => setNote(event.target.value)} />}</Field>
    </Dialog>
  );
}

/** Set the state of a task instance by hand. */
export function MarkDialog({ dag, run, task, map, state: first, onClose }: { dag: string; run: string; task: string; map?: number; state: "success" | "failed" | "skipped"; onClose: () => void }) {
  const client = useQueryClient();
  const [state, setState] = useState(first);
  const [downstream, setDownstream] = useState(false);
  const [upstream, setUpstream] = useState(false);
  const [past, setPast] = useState(false);
  const [future, setFuture] = useState(false);
  const [busy, setBusy] = useState(false);
  const wish: acts.MarkWish = { dag, run, task, map, state, downstream, upstream, past, future };
  const found = useQuery({ queryKey: ["preview", "mark", wish], queryFn: () => acts.markPreview(wish), placeholderData: (before) => before });
  const act = () => {
    setBusy(true);
    acts.mark(client, wish).then(() => { tell(t("{what} marked {state}.", { what: plural(found.data?.length ?? 1, "task instance", "task instances"), state: t(state) }), "good"); onClose(); }).catch(tellError).finally(() => setBusy(false));
  };
  return (
    <Dialog title={t("Mark {name}", { name: task })} onClose={onClose} footer={<Confirm busy={busy} act={act} close={onClose} label={t("Mark {state}", { state: t(state) })} />}>
      <div className="row" role="radiogroup" aria-label={t("State")}>
        {(["success", "failed", "skipped"] as const).map((each) => <Button key={each} role="radio" aria-checked={state === each} className={state === each ? "on" : ""} onClick={() => setState(each)}><Badge state={each} /></Button>)}
      </div>
      <div className="row wrap" style={{ gap: 16 }}>
        <Check name={t("Downstream")} on={downstream} set={setDownstream} /><Check name={t("Upstream")} on={upstream} set={setUpstream} />
        <Check name={t("Earlier runs")} on={past} set={setPast} /><Check name={t("Later runs")} on={future} set={setFuture} />
      </div>
      <Affected found={found} />
    </Dialog>
  );
}

/** Ask before what cannot be undone: the name has to be typed. */
export function DeleteDialog({ what, name, act, onClose }: { what: string; name: string; act: () => Promise<void>; onClose: () => void }) {
  const [typed, setTyped] = useState("");
  const [busy, setBusy] = useState(false);
  return (
    <Dialog title={what} onClose={onClose} footer={<><Button onClick={onClose}>{t("Cancel")}</Button><Button kind="danger" disabled={typed !== name || busy} onClick={() => {
      setBusy(true);
      act().then(() => { tell(t("{name} was deleted.", { name }), "good"); onClose(); }).catch(tellError).finally(() => setBusy(false));
    }}>{t("Delete")}</Button></>}>
      <p>{t("This cannot be undone. Type {name} to go on.", { name })}</p>
      <input className="input mono" aria-label={t("Name")} value={typed} onChange={(event) => setTyped(event.target.value)} />
    </Dialog>
  );
}
