// Connections, variables, pools.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { get, patch, post } from "@api/http";
import { Crud, type FieldSpec, type Row } from "@shared/crud";
import { Button, Dialog, Fault, tell, tellError } from "@shared/ui";
import { t } from "@shared/words";

const text = (value: unknown) => (value === null || value === undefined ? "" : String(value));

interface Hook { connection_type: string | null; hook_name?: string; standard_fields?: Record<string, { hidden?: boolean; title?: string | null; placeholder?: string | null } | null> | null; extra_fields?: Record<string, { schema?: { type?: string | string[]; title?: string; format?: string }; description?: string | null }> | null }
const STANDARD: FieldSpec[] = [
  { name: "host", label: "Host" }, { name: "schema", label: "Schema" }, { name: "login", label: "Login" }, { name: "password", label: "Password", kind: "secret" }, { name: "port", label: "Port", kind: "number" },
];
const COMMON = ["aws", "fs", "ftp", "generic", "http", "mysql", "postgres", "redis", "sftp", "sqlite", "ssh"];

export function Connections() {
  const hooks = useQuery({ queryKey: ["api", "hooks"], queryFn: ({ signal }) => get<Hook[]>("/ui/connections/hook_meta", signal), retry: false, staleTime: 600_000 });
  const types = hooks.data?.filter((hook) => hook.connection_type).map((hook): [string, string] => [hook.connection_type as string, hook.hook_name ?? (hook.connection_type as string)]) ?? COMMON.map((each): [string, string] => [each, each]);
  const [testing, setTesting] = useState<{ row: Row; told?: { status: boolean; message: string }; error?: unknown } | null>(null);
  const fields = (row: Row | null, values: Row): FieldSpec[] => {
    const type = text(values.conn_type || row?.conn_type || types[0]?.[0]);
    const hook = hooks.data?.find((each) => each.connection_type === type);
    const all = types.some(([each]) => each === type) ? types : [[type, type] as [string, string], ...types];
    return [
      { name: "connection_id", label: "Id", required: true, onlyNew: true },
      { name: "conn_type", label: "Type", kind: "select", options: all, required: true, value: type },
      { name: "description", label: "Description" },
      ...STANDARD.filter((field) => !hook?.standard_fields?.[field.name]?.hidden).map((field) => ({ ...field, label: hook?.standard_fields?.[field.name]?.title ?? field.label })),
      { name: "extra", label: "Extra (JSON)", kind: "json", hint: hook?.extra_fields && Object.keys(hook.extra_fields).length ? `Fields of this type: ${Object.keys(hook.extra_fields).join(", ")}` : undefined },
    ];
  };
  const test = (row: Row) => {
    setTesting({ row });
    post<{ status: boolean; message: string }>("/api/v2/connections/test", { connection_id: row.connection_id, conn_type: row.conn_type, host: row.host, schema: row.schema, login: row.login, port: row.port, extra: row.extra })
      .then((told) => setTesting({ row, told })).catch((error: unknown) => setTesting({ row, error }));
  };
  return (
    <>
      <Crud path="/connections" list="connections" id="connection_id" name="connection" search="connection_id_pattern" empty="Connections hold how tasks reach other systems; passwords are encrypted and never shown again."
        columns={[
          { name: "Id", cell: (row) => <strong>{text(row.connection_id)}</strong> }, { name: "Type", cell: (row) => text(row.conn_type) }, { name: "Host", cell: (row) => <span className="mono small">{text(row.host)}{row.port ? `:${text(row.port)}` : ""}</span> },
          { name: "Login", cell: (row) => <span className="muted">{text(row.login)}</span> }, { name: "Description", cell: (row) => <span className="muted">{text(row.description)}</span> },
        ]}
        fields={fields} body={(values, row) => ({ ...values, connection_id: values.connection_id ?? row?.connection_id })}
        more={(row, close) => <button type="button" role="menuitem" onClick={() => { close(); test(row); }}>{t("Test")}</button>} />
      {testing && <Dialog title={t("Test of {name}", { name: text(testing.row.connection_id) })} onClose={() => setTesting(null)}>{testing.error ? <Fault error={testing.error} what={t("It could not be tested")} /> : testing.told ? <p><strong style={{ color: testing.told.status ? "var(--success-ink)" : "var(--failed-ink)" }}>{testing.told.status ? t("It works.") : t("It does not work.")}</strong> {testing.told.message}</p> : <p className="muted">{t("Trying…")}</p>}</Dialog>}
    </>
  );
}

export function Variables() {
  const client = useQueryClient();
  const file = useRef<HTMLInputElement>(null);
  const load = async (chosen: File) => {
    try {
      const given = JSON.parse(await chosen.text()) as Record<string, unknown>;
      const entities = Object.entries(given).map(([key, value]) => ({ key, value: typeof value === "string" ? value : JSON.stringify(value) }));
      await patch("/api/v2/variables", { actions: [{ action: "create", entities, action_on_existence: "overwrite" }] });
      await client.invalidateQueries({ queryKey: ["api", "/variables"] });
      tell(t("{count} variables were loaded.", { count: entities.length }), "good");
    } catch (error) {
      tellError(error);
    }
  };
  return (
    <Crud path="/variables" list="variables" id="key" name="variable" search="variable_key_pattern" empty="Variables are values that tasks read by name."
      extra={<><input ref={file} type="file" accept="application/json" hidden onChange={(event) => event.target.files?.[0] && void load(event.target.files[0])} /><Button onClick={() => file.current?.click()}>{t("Load from a JSON file")}</Button></>}
      columns={[{ name: "Key", cell: (row) => <strong className="mono">{text(row.key)}</strong> }, { name: "Value", cell: (row) => <span className="mono small clip" style={{ display: "block", maxWidth: 480 }}>{text(row.value)}</span> }, { name: "Description", cell: (row) => <span className="muted">{text(row.description)}</span> }]}
      fields={[{ name: "key", label: "Key", required: true, onlyNew: true }, { name: "value", label: "Value", kind: "textarea", required: true }, { name: "description", label: "Description" }]}
      body={(values, row) => ({ ...values, key: values.key ?? row?.key })} />
  );
}

export function Pools() {
  return (
    <Crud path="/pools" list="pools" id="name" name="pool" empty="A pool bounds how many of its tasks run at once."
      columns={[
        { name: "Name", cell: (row) => <strong>{text(row.name)}</strong> },
        { name: "Used", cell: (row) => {
          const slots = Number(row.slots);
          const running = Number(row.running_slots ?? 0);
          const queued = Number(row.queued_slots ?? 0);
          return <span className="row" style={{ minWidth: 200 }}><span className="meter grow" role="img" aria-label={t("{used} of {all} slots", { used: running + queued, all: slots })}><i style={{ width: `${slots > 0 ? (100 * running) / slots : 0}%` }} /><i className="q" style={{ width: `${slots > 0 ? (100 * queued) / slots : 0}%` }} /></span><span className="small nowrap">{running + queued} / {slots < 0 ? "∞" : slots}</span></span>;
        } },
        { name: "Waiting", num: true, cell: (row) => text(row.scheduled_slots) }, { name: "Deferred count", cell: (row) => (row.include_deferred ? t("yes") : t("no")) }, { name: "Description", cell: (row) => <span className="muted">{text(row.description)}</span> },
      ]}
      fields={[{ name: "name", label: "Name", required: true, onlyNew: true }, { name: "slots", label: "Slots", kind: "number", required: true, hint: "-1: without bound" }, { name: "description", label: "Description" }, { name: "include_deferred", label: "Deferred tasks count", kind: "check", value: false }]}
      body={(values, row) => ({ ...values, name: values.name ?? row?.name, include_deferred: values.include_deferred ?? false })} />
  );
}
