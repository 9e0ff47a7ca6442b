// Users, roles as a matrix of what may be done with what, API tokens.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Fragment, useState } from "react";
import { at, get, patch, post, remove } from "@api/http";
import { TokenList } from "@shared/tokens";
import { DeleteDialog } from "@shared/dialogs";
import { Ago } from "@shared/time";
import { Button, Dialog, Fault, Field, Loaded, tell, tellError } from "@shared/ui";
import { t } from "@shared/words";

interface User { username: string; roles: string[]; is_active: boolean; email: string | null; first_name: string | null; last_name: string | null; created_at: string | null }
interface Role { name: string; description: string; grants: string[]; built_in?: boolean; is_built_in?: boolean }

export default function People({ part }: { part: "users" | "roles" | "tokens" }) {
  if (part === "users") return <Users />;
  return part === "roles" ? <Roles /> : <div className="page"><TokenList everybody /></div>;
}

const rolesQuery = { queryKey: ["auth", "roles"], queryFn: ({ signal }: { signal: AbortSignal }) => get<{ roles: Role[] }>("/auth/roles", signal) };

function Users() {
  const client = useQueryClient();
  const found = useQuery({ queryKey: ["auth", "users"], queryFn: ({ signal }) => get<{ users: User[] }>("/auth/users", signal) });
  const [editing, setEditing] = useState<User | "new" | null>(null);
  const [deleting, setDeleting] = useState<string | null>(null);
  const stale = () => client.invalidateQueries({ queryKey: ["auth"] });
  if (found.error) return <div className="page"><Fault error={found.error} /></div>;
  return (
    <div className="page">
      <div className="row"><span className="grow" /><Button kind="primary" onClick={() => setEditing("new")}>{t("New user")}</Button></div>
      <Loaded query={found}>{(data) => (
        <div className="card table-wrap"><table className="table"><thead><tr><th>{t("User")}</th><th>{t("Name")}</th><th>{t("Roles")}</th><th>{t("Active")}</th><th>{t("Made")}</th><th><span className="sr">{t("Acts")}</span></th></tr></thead>
          <tbody>{data.users.map((user) => (
            <tr key={user.username}><td><strong>{user.username}</strong></td><td className="muted">{[user.first_name, user.last_name].filter(Boolean).join(" ")} {user.email}</td><td><span className="row wrap" style={{ gap: 4 }}>{user.roles.map((role) => <span key={role} className="chip">{role}</span>)}</span></td>
              <td><input type="checkbox" role="switch" className="switch" aria-label={t("{name} may sign in", { name: user.username })} checked={user.is_active} onChange={(event) => void patch(`/auth/users/${at(user.username)}`, { is_active: event.target.checked }).then(stale).catch(tellError)} /></td>
              <td><Ago ms={user.created_at ? Date.parse(user.created_at) : null} /></td>
              <td><span className="row" style={{ justifyContent: "flex-end", gap: 4 }}><Button kind="tiny" onClick={() => setEditing(user)}>{t("Change")}</Button><Button kind="tiny quiet" onClick={() => void post(`/auth/users/${at(user.username)}/logout`).then(() => tell(t("Signed out everywhere."), "good")).catch(tellError)}>{t("Sign out")}</Button><Button kind="tiny danger" onClick={() => setDeleting(user.username)}>{t("Delete…")}</Button></span></td></tr>
          ))}</tbody></table></div>
      )}</Loaded>
      {editing && <UserForm user={editing === "new" ? null : editing} onClose={() => setEditing(null)} done={() => { void stale(); setEditing(null); }} />}
      {deleting && <DeleteDialog what={t("Delete {name}", { name: deleting })} name={deleting} act={async () => { await remove(`/auth/users/${at(deleting)}`); await stale(); }} onClose={() => setDeleting(null)} />}
    </div>
  );
}

function UserForm({ user, onClose, done }: { user: User | null; onClose: () => void; done: () => void }) {
  const roles = useQuery(rolesQuery);
  const [chosen, setChosen] = useState<string[]>(user?.roles ?? ["Viewer"]);
  const [error, setError] = useState<unknown>(null);
  return (
    <Dialog title={user ? t("Change {name}", { name: user.username }) : t("New user")} onClose={onClose} footer={<><Button onClick={onClose}>{t("Cancel")}</Button><button type="submit" form="user-form" className="btn primary">{t("Save")}</button></>}>
      {error !== null && <Fault error={error} what={t("It was not saved")} />}
      <form id="user-form" className="stack" onSubmit={(event) => {
        event.preventDefault();
        const given = Object.fromEntries(new FormData(event.currentTarget)) as Record<string, string>;
        const wish: Record<string, unknown> = { roles: chosen, first_name: given.first_name || null, last_name: given.last_name || null, email: given.email || null };
        if (given.password) wish.password = given.password;
        (user ? patch(`/auth/users/${at(user.username)}`, wish) : post("/auth/users", { ...wish, username: given.username })).then(done).catch(setError);
      }}>
        {!user && <Field label={t("User name")}>{(id) => <input id={id} name="username" className="input" required autoComplete="off" />}</Field>}
        <Field label={t("Password")} hint={user ? t("Empty: stays as it is") : undefined}>{(id) => <input id={id} name="password" type="password" className="input" required={!user} autoComplete="new-password" />}</Field>
        <div className="columns"><div className="c6"><Field label={t("First name")}>{(id) => <input id={id} name="first_name" className="input" defaultValue={user?.first_name ?? ""} />}</Field></div><div className="c6"><Field label={t("Last name")}>{(id) => <input id={id} name="last_name" className="input" defaultValue={user?.last_name ?? ""} />}</Field></div></div>
        <Field label={t("E-mail")}>{(id) => <input id={id} name="email" type="email" className="input" defaultValue={user?.email ?? ""} />}</Field>
        <fieldset style={{ border: 0 }} className="stack"><legend className="label" style={{ fontWeight: 500, fontSize: 13 }}>{t("Roles")}</legend>
          <div className="row wrap">{(roles.data?.roles ?? []).map((role) => <label key={role.name} className="check"><input type="checkbox" checked={chosen.includes(role.name)} onChange={(event) => setChosen(event.target.checked ? [...chosen, role.name] : chosen.filter((each) => each !== role.name))} />{role.name}</label>)}</div></fieldset>
      </form>
    </Dialog>
  );
}

const ACTS = ["read", "create", "edit", "delete"] as const;
const THINGS = ["dag.self", "dag.run", "dag.task", "dag.task_instance", "dag.log", "dag.xcom", "dag.code", "dag.version", "dag.warning", "dag.dependency", "dag.hitl", "dag.backfill", "dag.deadline", "dag.state_store", "import_error", "asset", "asset_alias", "connection", "variable", "pool", "configuration", "audit_log", "job", "plugin", "provider", "trigger", "callback", "bundle", "team", "user", "role", "token"];

/** Whether a grant covers an act on a thing, and within what bounds. */
export function covers(grant: string, act: string, thing: string): string | null {
  const [body = "", scope = ""] = grant.split("@");
  const [acts = "", on = ""] = body.split(":");
  const does = acts === "*" || acts.split(",").includes(act);
  const things = on.split(",");
  const fits = on === "*" || things.includes(thing) || (things.includes("dag") && thing.startsWith("dag."));
  return does && fits && !(scope && !thing.startsWith("dag.")) ? scope || "everywhere" : null;
}

function Roles() {
  const client = useQueryClient();
  const found = useQuery(rolesQuery);
  const [chosen, setChosen] = useState("");
  const [base, setBase] = useState("");
  const [making, setMaking] = useState(false);
  const [grant, setGrant] = useState("");
  const stale = () => client.invalidateQueries({ queryKey: ["auth", "roles"] });
  if (found.error) return <div className="page"><Fault error={found.error} /></div>;
  return <Loaded query={found}>{(data) => {
    const role = data.roles.find((each) => each.name === chosen) ?? data.roles[0];
    const other = data.roles.find((each) => each.name === base);
    if (!role) return null;
    const fixed = role.built_in ?? role.is_built_in ?? false;
    const of = (grants: string[], act: string, thing: string) => grants.map((each) => covers(each, act, thing)).filter(Boolean) as string[];
    const change = (wish: unknown) => patch(`/auth/roles/${at(role.name)}`, wish).then(stale).catch(tellError);
    return (
      <div className="page">
        <div className="row wrap">
          <label htmlFor="role" className="small">{t("Role")}</label><select id="role" className="input" style={{ width: "auto" }} value={role.name} onChange={(event) => setChosen(event.target.value)}>{data.roles.map((each) => <option key={each.name}>{each.name}</option>)}</select>
          <label htmlFor="base" className="small">{t("difference to")}</label><select id="base" className="input" style={{ width: "auto" }} value={base} onChange={(event) => setBase(event.target.value)}><option value="">{t("nothing")}</option>{data.roles.filter((each) => each !== role).map((each) => <option key={each.name}>{each.name}</option>)}</select>
          <span className="muted small">{role.description}</span><span className="grow" /><Button kind="primary" onClick={() => setMaking(true)}>{t("New role")}</Button>
        </div>
        <div className="card table-wrap"><table className="table"><thead><tr><th>{t("Resource")}</th>{ACTS.map((act) => <th key={act}>{t(act)}</th>)}</tr></thead>
          <tbody>{THINGS.map((thing) => (
            <tr key={thing}><td className="mono">{thing}</td>{ACTS.map((act) => {
              const mine = of(role.grants, act, thing);
              const theirs = other ? of(other.grants, act, thing) : null;
              const differs = theirs !== null && mine.length > 0 !== theirs.length > 0;
              return <td key={act} style={differs ? { background: mine.length ? "var(--success-tint)" : "var(--failed-tint)" } : undefined}>{mine.includes("everywhere") ? <span aria-label={t("yes")}>✓</span> : mine.length ? <span className="chip">{mine.join(", ")}</span> : <span className="faint" aria-label={t("no")}>–</span>}</td>;
            })}</tr>
          ))}</tbody></table></div>
        <section className="card"><header><h2>{t("Grants")}</h2></header><div className="body stack">
          <div className="row wrap">{role.grants.map((each) => <span key={each} className="chip mono">{each}{!fixed && <button type="button" className="btn quiet tiny" style={{ minHeight: 18, padding: "0 4px" }} aria-label={t("Take {grant} away", { grant: each })} onClick={() => void change({ revoke: [each] })}>×</button>}</span>)}</div>
          {!fixed && <form className="row" onSubmit={(event) => { event.preventDefault(); void change({ grant: [grant] }).then(() => setGrant("")); }}><input className="input mono" style={{ maxWidth: 360 }} aria-label={t("Grant")} placeholder="read,edit:dag@tag:finance" value={grant} onChange={(event) => setGrant(event.target.value)} /><Button type="submit" disabled={!grant}>{t("Grant")}</Button><span className="grow" /><Button kind="danger" onClick={() => void remove(`/auth/roles/${at(role.name)}`).then(() => { setChosen(""); return stale(); }).catch(tellError)}>{t("Delete the role")}</Button></form>}
        </div></section>
        {making && <RoleForm onClose={() => setMaking(false)} done={(name) => { void stale(); setChosen(name); setMaking(false); }} roles={data.roles} />}
      </div>
    );
  }}</Loaded>;
}

function RoleForm({ onClose, done, roles }: { onClose: () => void; done: (name: string) => void; roles: Role[] }) {
  const [error, setError] = useState<unknown>(null);
  return (
    <Dialog title={t("New role")} onClose={onClose} footer={<><Button onClick={onClose}>{t("Cancel")}</Button><button type="submit" form="role-form" className="btn primary">{t("Save")}</button></>}>
      {error !== null && <Fault error={error} what={t("It was not saved")} />}
      <form id="role-form" className="stack" onSubmit={(event) => {
        event.preventDefault();
        const given = Object.fromEntries(new FormData(event.currentTarget)) as Record<string, string>;
        const like = roles.find((role) => role.name === given.like);
        post("/auth/roles", { name: given.name, description: given.description, grants: [...(like?.grants ?? []), ...(given.grants ?? "").split("\n").map((each) => each.trim()).filter(Boolean)] }).then(() => done(given.name ?? "")).catch(setError);
      }}>
        <Field label={t("Name")}>{(id) => <input id={id} name="name" className="input" required />}</Field>
        <Field label={t("Description")}>{(id) => <input id={id} name="description" className="input" />}</Field>
        <Field label={t("Begin with the grants of")}>{(id) => <select id={id} name="like" className="input"><option value="">{t("nothing")}</option>{roles.map((role) => <option key={role.name}>{role.name}</option>)}</select>}</Field>
        <Field label={t("Grants, one a line")} hint="read,edit:dag@tag:finance">{(id) => <textarea id={id} name="grants" className="input mono" />}</Field>
      </form>
      <Fragment />
    </Dialog>
  );
}
