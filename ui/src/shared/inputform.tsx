// A question that a task asked: its text, the choices, the fields; answered in place.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { at, get, patch } from "@api/http";
import { refresh } from "@api/queries";
import { Markdown } from "./markdown";
import { paramsOf, parse, shown } from "./params";
import { Button, Fault, Field, Skeleton, tell } from "./ui";
import { t } from "./words";

export interface Question {
  subject: string; body?: string | null; options: string[]; multiple?: boolean; defaults?: string[] | null;
  params?: Record<string, unknown>; response_received?: boolean; chosen_options?: string[] | null; assigned_users?: { id: string; name: string }[];
}

const place = (dag: string, run: string, task: string, map: string) => `/api/v2/${at("dags", dag, "dagRuns", run, "taskInstances", task, map === "" ? -1 : map, "hitlDetails")}`;

export function InputForm({ dag, run, task, map, known }: { dag: string; run: string; task: string; map: string; known?: Question }) {
  const found = useQuery({ queryKey: ["hitl", dag, run, task, map], queryFn: ({ signal }) => get<Question>(place(dag, run, task, map), signal), enabled: !known });
  const question = known ?? found.data;
  if (found.error) return <Fault error={found.error} retry={() => void found.refetch()} />;
  if (!question) return <Skeleton lines={3} />;
  return <Shown question={question} {...{ dag, run, task, map }} />;
}

function Shown({ question, dag, run, task, map }: { question: Question; dag: string; run: string; task: string; map: string }) {
  const client = useQueryClient();
  const [chosen, setChosen] = useState<string[]>(question.defaults ?? []);
  const params = paramsOf(Object.fromEntries(Object.entries(question.params ?? {}).map(([name, value]) => {
    const spec = value as { value?: unknown; schema?: Record<string, unknown>; description?: string } | null;
    return [name, spec && typeof spec === "object" && "schema" in spec ? { schema: spec.schema, default: spec.value, description: spec.description } : { default: value }];
  })));
  const [values, setValues] = useState<Record<string, unknown>>(() => Object.fromEntries(params.map((param) => [param.name, shown(param, param.value)])));
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const answer = (options: string[]) => {
    setBusy(true);
    setError(null);
    Promise.resolve()
      .then(() => patch(place(dag, run, task, map), { chosen_options: options, params_input: Object.fromEntries(params.map((param) => [param.name, parse(param, values[param.name])])) }))
      .then(() => {
        tell(t("Answered: {what}", { what: options.join(", ") }), "good");
        refresh(client, dag);
        void client.invalidateQueries({ queryKey: ["hitl"] });
        void client.invalidateQueries({ queryKey: ["api"] });
      })
      .catch(setError)
      .finally(() => setBusy(false));
  };
  return (
    <div className="card"><div className="body stack">
      <strong>{question.subject}</strong>
      {question.body && <Markdown text={question.body} />}
      {params.map((param) => <Field key={param.name} label={param.title} hint={param.description || undefined}>{(id) => <input id={id} className="input" value={String(values[param.name] ?? "")} onChange={(event) => setValues((now) => ({ ...now, [param.name]: event.target.value }))} />}</Field>)}
      {error !== null && <Fault error={error} what={t("The answer was not taken")} />}
      {question.response_received ? <span className="muted">{t("Answered: {what}", { what: (question.chosen_options ?? []).join(", ") })}</span> : question.multiple ? (
        <>
          {question.options.map((option) => <label key={option} className="check"><input type="checkbox" checked={chosen.includes(option)} onChange={(event) => setChosen(event.target.checked ? [...chosen, option] : chosen.filter((each) => each !== option))} />{option}</label>)}
          <div><Button kind="primary" disabled={busy} onClick={() => answer(chosen)}>{t("Answer")}</Button></div>
        </>
      ) : <div className="row wrap">{question.options.map((option) => <Button key={option} kind={question.defaults?.includes(option) ? "primary" : ""} disabled={busy} onClick={() => answer([option])}>{option}</Button>)}</div>}
    </div></div>
  );
}
