// API tokens: made once, shown once.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { at, get, post, remove } from "@api/http";
import { absolute, Ago } from "./time";
import { Button, CopyButton, Empty, Fault, Field, Loaded, tell, tellError } from "./ui";
import { t } from "./words";

interface Token { token_id: string; name: string; username: string; scopes: string[]; created_at: string; expires_at: string | null; revoked_at: string | null; last_used_at: string | null }

export function TokenList({ everybody }: { everybody?: boolean }) {
  const client = useQueryClient();
  const found = useQuery({ queryKey: ["auth", "tokens", !!everybody], queryFn: ({ signal }) => get<{ tokens: Token[] }>(`/auth/api-tokens${everybody ? "?all=true" : ""}`, signal) });
  const [made, setMade] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  const stale = () => client.invalidateQueries({ queryKey: ["auth", "tokens"] });
  return (
    <div className="stack">
      <section className="card"><header><h2>{t("New token")}</h2></header><form className="body row wrap" style={{ alignItems: "end" }} onSubmit={(event) => {
        event.preventDefault();
        const form = event.currentTarget;
        const given = Object.fromEntries(new FormData(form)) as Record<string, string>;
        setError(null);
        post<{ token: string }>("/auth/api-tokens", { name: given.name, scopes: (given.scopes ?? "").split(/\s+/).filter(Boolean), days: given.days ? Number(given.days) : null }).then((told) => { setMade(told.token); form.reset(); void stale(); }).catch(setError);
      }}>
        <Field label={t("Name")}>{(id) => <input id={id} name="name" className="input" required />}</Field>
        <Field label={t("Days it is valid")}>{(id) => <input id={id} name="days" className="input" inputMode="numeric" defaultValue="90" style={{ width: 90 }} />}</Field>
        <Field label={t("Scopes (empty: all you may)")}>{(id) => <input id={id} name="scopes" className="input mono" placeholder="read:*" />}</Field>
        <Button type="submit" kind="primary">{t("Make it")}</Button>
      </form>
        {error !== null && <div className="body"><Fault error={error} what={t("The token was not made")} /></div>}
        {made && <div className="body stack"><strong>{t("Copy it now: it is not shown again.")}</strong><div className="row"><code className="mono" style={{ overflowWrap: "anywhere" }}>{made}</code><CopyButton text={made} label={t("Copy")} /></div></div>}
      </section>
      {found.error ? <Fault error={found.error} /> : <Loaded query={found} lines={3}>{(data) => data.tokens.length === 0 ? <Empty title={t("No tokens")} /> : (
        <div className="card table-wrap"><table className="table"><thead><tr><th>{t("Name")}</th><th>{t("User")}</th><th>{t("Scopes")}</th><th>{t("Valid until")}</th><th>{t("Last used")}</th><th><span className="sr">{t("Acts")}</span></th></tr></thead>
          <tbody>{data.tokens.map((token) => <tr key={token.token_id} style={{ opacity: token.revoked_at ? 0.55 : 1 }}><td><strong>{token.name}</strong></td><td>{token.username}</td><td className="mono small">{token.scopes.join(" ") || t("all")}</td><td>{token.revoked_at ? t("revoked") : token.expires_at ? absolute(Date.parse(token.expires_at)) : t("for ever")}</td><td><Ago ms={token.last_used_at ? Date.parse(token.last_used_at) : null} /></td><td>{!token.revoked_at && <Button kind="tiny danger" onClick={() => void remove(`/auth/api-tokens/${at(token.token_id)}`).then(() => { tell(t("Revoked."), "good"); return stale(); }).catch(tellError)}>{t("Revoke")}</Button>}</td></tr>)}</tbody></table></div>
      )}</Loaded>}
    </div>
  );
}
