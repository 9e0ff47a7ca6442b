// A list of the public API with its acts: columns, a form made of fields, delete with a question. Admin pages are made of it.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Ellipsis, Pencil, Plus } from "lucide-react";
import { useState, type ReactNode } from "react";
import { patch, post, remove } from "@api/http";
import { apiQuery } from "@api/queries";
import { DeleteDialog } from "./dialogs";
import { useSearchState } from "./nav";
import { Button, Dialog, Empty, Fault, Field, Loaded, Menu, tell } from "./ui";
import { t } from "./words";

export type Row = Record<string, unknown>;
export interface FieldSpec { name: string; label: string; kind?: "text" | "secret" | "number" | "textarea" | "json" | "check" | "select"; hint?: string; required?: boolean; options?: [string, string][]; onlyNew?: boolean; value?: unknown }
export interface ColumnSpec { name: string; cell: (row: Row) => ReactNode; num?: boolean }

export function Crud({ path, list, id, name, columns, fields, extra, search, body, more, empty, pathOf, limit = 100 }: {
  path: string; list: string; id: string; name: string; columns: ColumnSpec[]; fields?: FieldSpec[] | ((row: Row | null, values: Row) => FieldSpec[]);
  extra?: ReactNode; search?: string; body?: (values: Row, row: Row | null) => Row; more?: (row: Row, close: () => void) => ReactNode; empty?: string; pathOf?: (row: Row) => string; limit?: number;
}) {
  const client = useQueryClient();
  const [given, change] = useSearchState();
  const offset = Number(given.offset ?? 0);
  const options = apiQuery<Record<string, Row[] | number>>(path, { limit, offset: offset || undefined, ...(search && given.q ? { [search]: search.endsWith("_pattern") ? `%${given.q}%` : given.q } : {}) });
  const found = useQuery(options);
  const [editing, setEditing] = useState<Row | "new" | null>(null);
  const [deleting, setDeleting] = useState<Row | null>(null);
  const stale = () => client.invalidateQueries({ queryKey: ["api", path] });
  const place = (row: Row) => pathOf?.(row) ?? `/api/v2${path}/${encodeURIComponent(String(row[id]))}`;
  return (
    <div className="page">
      <div className="row wrap">
        {search && <input data-filter type="search" className="input" style={{ maxWidth: 260 }} placeholder={t("Part of a name")} aria-label={t("Filter")} defaultValue={given.q} onChange={(event) => change({ q: event.target.value || undefined, offset: undefined })} />}
        <span className="grow" />{extra}
        {fields && <Button kind="primary" onClick={() => setEditing("new")}><Plus />{t("New {name}", { name: t(name) })}</Button>}
      </div>
      {found.error ? <Fault error={found.error} retry={() => void found.refetch()} /> : (
        <Loaded query={found} lines={6}>{(data) => {
          const rows = (data[list] as Row[]) ?? [];
          const total = Number(data.total_entries ?? rows.length);
          return rows.length === 0 ? <Empty title={t("None yet")}><p>{t(empty ?? "What is made here appears here.")}</p></Empty> : (
            <>
              <div className="card table-wrap"><table className="table">
                <thead><tr>{columns.map((column) => <th key={column.name} className={column.num ? "num" : ""}>{t(column.name)}</th>)}{fields && <th><span className="sr">{t("Acts")}</span></th>}</tr></thead>
                <tbody>{rows.map((row) => (
                  <tr key={String(row[id])}>{columns.map((column) => <td key={column.name} className={column.num ? "num" : ""}>{column.cell(row)}</td>)}
                    {fields && <td style={{ width: 76 }}><span className="row" style={{ gap: 2, justifyContent: "flex-end" }}>
                      <Button kind="quiet tiny icon" aria-label={t("Edit {name}", { name: String(row[id]) })} onClick={() => setEditing(row)}><Pencil /></Button>
                      <Menu label={t("More for {name}", { name: String(row[id]) })} icon={<Ellipsis />} kind="quiet tiny icon">{(close) => <>{more?.(row, close)}<button type="button" role="menuitem" className="danger" onClick={() => { close(); setDeleting(row); }}>{t("Delete…")}</button></>}</Menu>
                    </span></td>}</tr>
                ))}</tbody>
              </table></div>
              {total > limit && <div className="row"><Button kind="tiny" disabled={offset === 0} onClick={() => change({ offset: String(Math.max(0, offset - limit)) })}>{t("Before")}</Button><span className="small faint">{offset + 1}–{offset + rows.length} / {total}</span><Button kind="tiny" disabled={offset + limit >= total} onClick={() => change({ offset: String(offset + limit) })}>{t("Next")}</Button></div>}
            </>
          );
        }}</Loaded>
      )}
      {editing && fields && <Edit row={editing === "new" ? null : editing} fields={fields} title={editing === "new" ? t("New {name}", { name: t(name) }) : t("Change {name}", { name: String(editing[id]) })} onClose={() => setEditing(null)}
        save={async (values) => {
          const row = editing === "new" ? null : editing;
          const wish = body ? body(values, row) : values;
          if (row) await patch(place(row), wish);
          else await post(`/api/v2${path}`, wish);
          await stale();
          tell(t("Saved."), "good");
        }} />}
      {deleting && <DeleteDialog what={t("Delete {name}", { name: String(deleting[id]) })} name={String(deleting[id])} act={async () => { await remove(place(deleting)); await stale(); }} onClose={() => setDeleting(null)} />}
    </div>
  );
}

function Edit({ row, fields, title, save, onClose }: { row: Row | null; fields: FieldSpec[] | ((row: Row | null, values: Row) => FieldSpec[]); title: string; save: (values: Row) => Promise<void>; onClose: () => void }) {
  const [values, setValues] = useState<Row>(() => ({ ...(row ?? {}) }));
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const specs = (typeof fields === "function" ? fields(row, values) : fields).filter((field) => !(field.onlyNew && row));
  const set = (name: string, value: unknown) => setValues((now) => ({ ...now, [name]: value }));
  const of = (field: FieldSpec) => (field.name in values ? values[field.name] : (field.value ?? ""));
  const act = () => {
    setBusy(true);
    setError(null);
    const wish: Row = {};
    for (const field of specs) {
      const value = of(field);
      if (field.kind === "number") wish[field.name] = value === "" || value === null ? null : Number(value);
      else if (field.kind === "secret" && (value === "" || value === "***")) continue;
      else wish[field.name] = value === "" && !field.required ? null : value;
    }
    save(wish).then(onClose).catch(setError).finally(() => setBusy(false));
  };
  return (
    <Dialog title={title} onClose={onClose} footer={<><Button onClick={onClose}>{t("Cancel")}</Button><Button kind="primary" disabled={busy} onClick={act}>{t("Save")}</Button></>}>
      {error !== null && <Fault error={error} what={t("It was not saved")} />}
      <form className="stack" onSubmit={(event) => { event.preventDefault(); act(); }}>
        {specs.map((field) => field.kind === "check" ? <label key={field.name} className="check"><input type="checkbox" checked={of(field) === true} onChange={(event) => set(field.name, event.target.checked)} />{t(field.label)}</label> : (
          <Field key={field.name} label={t(field.label) + (field.required ? " *" : "")} hint={field.hint && t(field.hint)}>{(id, about) => {
            const common = { id, "aria-describedby": about, className: `input ${field.kind === "json" ? "mono" : ""}`, required: field.required };
            if (field.kind === "select") return <select {...common} value={String(of(field) ?? "")} onChange={(event) => set(field.name, event.target.value)}>{field.options?.map(([value, word]) => <option key={value} value={value}>{word}</option>)}</select>;
            if (field.kind === "textarea" || field.kind === "json") return <textarea {...common} rows={field.kind === "json" ? 5 : 3} value={typeof of(field) === "object" && of(field) !== null ? JSON.stringify(of(field), null, 2) : String(of(field) ?? "")} onChange={(event) => set(field.name, event.target.value)} />;
            return <input {...common} type={field.kind === "secret" ? "password" : "text"} inputMode={field.kind === "number" ? "numeric" : undefined} autoComplete={field.kind === "secret" ? "new-password" : "off"} placeholder={field.kind === "secret" && row ? t("unchanged") : undefined} value={field.kind === "secret" && of(field) === "***" ? "" : String(of(field) ?? "")} onChange={(event) => set(field.name, event.target.value)} />;
          }}</Field>
        ))}
        <button type="submit" hidden aria-hidden="true" tabIndex={-1} />
      </form>
    </Dialog>
  );
}
