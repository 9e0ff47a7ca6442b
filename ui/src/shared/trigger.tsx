// Trigger a run: a form made from the DAG's params, the resulting conf always in view.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useState, type ReactNode } from "react";
import * as acts from "@api/acts";
import { Problem } from "@api/http";
import { dagQuery } from "@api/queries";
import type { Dag } from "@api/types";
import { Markdown } from "./markdown";
import { runPath, useGo } from "./nav";
import { paramsOf, parse, shown, type Param } from "./params";
import { prefs } from "./prefs";
import { Button, Dialog, Fault, Field, Loaded, tell } from "./ui";
import { t } from "./words";

export function TriggerDialog({ dag, conf, onClose }: { dag: string; conf?: Record<string, unknown>; onClose: () => void }) {
  const found = useQuery(dagQuery(dag));
  return found.data ? <Form dag={found.data} given={conf} onClose={onClose} /> : (
    <Dialog title={t("Trigger {name}", { name: dag })} onClose={onClose}><Loaded query={found} lines={4}>{() => null}</Loaded></Dialog>
  );
}

function Form({ dag, given, onClose }: { dag: Dag; given?: Record<string, unknown>; onClose: () => void }) {
  const client = useQueryClient();
  const go = useGo();
  const params = useMemo(() => paramsOf(dag.params), [dag.params]);
  const remembered = prefs.get().last[dag.dag_id] as Record<string, unknown> | undefined;
  const start = (conf: Record<string, unknown> | undefined) => Object.fromEntries(params.map((param) => [param.name, shown(param, conf && param.name in conf ? conf[param.name] : param.value)]));
  const [values, setValues] = useState<Record<string, unknown>>(() => start(given));
  const [raw, setRaw] = useState<string | null>(params.length ? null : JSON.stringify(given ?? {}, null, 2));
  const [touched, setTouched] = useState<Set<string>>(new Set());
  const [date, setDate] = useState("");
  const [runId, setRunId] = useState("");
  const [note, setNote] = useState("");
  const [unpause, setUnpause] = useState(dag.paused);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const { conf, wrong } = useMemo(() => {
    const result: Record<string, unknown> = {};
    const faults: Record<string, string> = {};
    if (raw !== null) {
      try {
        const parsed = JSON.parse(raw || "{}") as unknown;
        if (parsed === null || typeof parsed !== "object" || Array.isArray(parsed)) throw new Error(t("it must be an object"));
        return { conf: parsed as Record<string, unknown>, wrong: faults };
      } catch (fault) {
        return { conf: result, wrong: { "": (fault as Error).message } as Record<string, string> };
      }
    }
    for (const param of params) {
      try {
        result[param.name] = parse(param, values[param.name]);
      } catch (fault) {
        faults[param.name] = (fault as Error).message;
      }
    }
    return { conf: result, wrong: faults };
  }, [params, values, raw]);
  const bad = Object.keys(wrong).length > 0;
  const act = () => {
    if (busy) return;
    if (bad) {
      setTouched(new Set(Object.keys(wrong)));
      return;
    }
    setBusy(true);
    setError(null);
    const wish = {
      conf,
      logical_date: date ? new Date(date).toISOString() : null,
      ...(runId ? { dag_run_id: runId } : {}),
      ...(note ? { note } : {}),
    };
    void (async () => {
      try {
        if (dag.paused && unpause) await acts.pause(client, dag.dag_id, false);
        const made = await acts.trigger(client, dag.dag_id, wish);
        prefs.set({ last: { ...prefs.get().last, [dag.dag_id]: conf } });
        tell(t("Run {name} was made.", { name: made.dag_run_id }), "good");
        onClose();
        go(runPath(dag.dag_id, made.dag_run_id));
      } catch (fault) {
        setError(fault);
      } finally {
        setBusy(false);
      }
    })();
  };
  const sections = [...new Set(params.map((param) => param.section))];
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) act();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  });
  return (
    <Dialog title={t("Trigger {name}", { name: dag.name ?? dag.dag_id })} onClose={onClose} wide
      footer={<>
        {params.length > 0 && <Button kind="quiet" aria-pressed={raw !== null} onClick={() => setRaw(raw === null ? JSON.stringify(conf, null, 2) : null)}>{t("JSON")}</Button>}
        {remembered && <Button kind="quiet" onClick={() => (raw === null ? setValues(start(remembered)) : setRaw(JSON.stringify(remembered, null, 2)))}>{t("Last used values")}</Button>}
        <span className="grow" /><Button onClick={onClose}>{t("Cancel")}</Button>
        <Button kind="primary" disabled={busy} onClick={act} title="Ctrl-Enter">{t("Trigger")}</Button>
      </>}>
      {error !== null && <Fault error={error} what={error instanceof Problem && error.status === 404 ? undefined : t("The run was not made")} />}
      {raw !== null ? (
        <Field label={t("Conf")} wrong={wrong[""]}>{(id, about) => <textarea id={id} aria-describedby={about} className="input mono" rows={8} spellCheck={false} value={raw} onChange={(event) => setRaw(event.target.value)} />}</Field>
      ) : (
        sections.map((section) => {
          const fields = params.filter((param) => param.section === section).map((param) => (
            <ParamField key={param.name} param={param} value={values[param.name]} wrong={touched.has(param.name) ? wrong[param.name] : undefined} set={(value) => { setValues((now) => ({ ...now, [param.name]: value })); setTouched((now) => new Set(now).add(param.name)); }} />
          ));
          return section ? <fieldset key={section} style={{ border: 0 }} className="stack"><legend style={{ fontWeight: 600, marginBottom: 8 }}>{section}</legend>{fields}</fieldset> : <div key="" className="stack">{fields}</div>;
        })
      )}
      <details>
        <summary className="muted small">{t("Run id, logical date, note")}</summary>
        <div className="stack" style={{ marginTop: 12 }}>
          <Field label={t("Logical date")} hint={t("Empty: none")}>{(id) => <input id={id} className="input" type="datetime-local" value={date} onChange={(event) => setDate(event.target.value)} />}</Field>
          <Field label={t("Run id")} hint={t("Empty: made for you")}>{(id) => <input id={id} className="input mono" value={runId} onChange={(event) => setRunId(event.target.value)} />}</Field>
          <Field label={t("Note")}>{(id) => <input id={id} className="input" value={note} onChange={(event) => setNote(event.target.value)} />}</Field>
        </div>
      </details>
      {raw === null && params.length > 0 && <details><summary className="muted small">{t("Resulting conf")}</summary><pre className="block" style={{ marginTop: 8 }}>{JSON.stringify(conf, null, 2)}</pre></details>}
      {dag.paused && <label className="check"><input type="checkbox" checked={unpause} onChange={(event) => setUnpause(event.target.checked)} />{t("Unpause the DAG, so that it also runs by itself")}</label>}
    </Dialog>
  );
}

function ParamField({ param, value, wrong, set }: { param: Param; value: unknown; wrong?: string; set: (value: unknown) => void }): ReactNode {
  const label = `${param.title}${param.required ? " *" : ""}`;
  if (param.kind === "boolean")
    return (
      <div className="field">
        <label className="check"><input type="checkbox" checked={value === true || value === "true"} onChange={(event) => set(event.target.checked)} />{label}</label>
        {param.description && <div className="hint"><Markdown text={param.description} /></div>}
      </div>
    );
  return (
    <Field label={label} hint={param.description ? <Markdown text={param.description} /> : undefined} wrong={wrong}>
      {(id, about) => {
        const common = { id, "aria-describedby": about, "aria-invalid": !!wrong, className: "input" };
        if (param.kind === "enum")
          return (
            <select {...common} value={String(value)} onChange={(event) => set(param.options.find(([each]) => String(each) === event.target.value)?.[0] ?? null)}>
              {(param.nullable || value === "" || value === null) && <option value="">{t("none")}</option>}
              {param.options.map(([each, name]) => <option key={String(each)} value={String(each)}>{name}</option>)}
            </select>
          );
        if (param.kind === "multi") {
          const chosen = Array.isArray(value) ? (value as unknown[]).map(String) : [];
          return (
            <select {...common} multiple size={Math.min(6, param.options.length)} value={chosen} onChange={(event) => { const on = [...event.target.selectedOptions].map((each) => each.value); set(param.options.filter(([each]) => on.includes(String(each))).map(([each]) => each)); }}>
              {param.options.map(([each, name]) => <option key={String(each)} value={String(each)}>{name}</option>)}
            </select>
          );
        }
        if (param.kind === "text" || param.kind === "json" || param.kind === "strings")
          return <textarea {...common} className={`input ${param.kind === "text" ? "" : "mono"}`} rows={param.kind === "json" ? 5 : 3} spellCheck={param.kind === "text"} placeholder={param.kind === "strings" ? t("one a line") : undefined} value={String(value ?? "")} onChange={(event) => set(event.target.value)} />;
        const kinds: Record<string, string> = { date: "date", time: "time", "date-time": "datetime-local" };
        return (
          <>
            <input {...common} list={param.suggestions.length ? `${id}-list` : undefined} type={kinds[param.kind] ?? "text"} inputMode={param.kind === "integer" ? "numeric" : param.kind === "number" ? "decimal" : undefined} value={String(value ?? "")} onChange={(event) => set(event.target.value)} />
            {param.suggestions.length > 0 && <datalist id={`${id}-list`}>{param.suggestions.map((each) => <option key={each} value={each} />)}</datalist>}
          </>
        );
      }}
    </Field>
  );
}
