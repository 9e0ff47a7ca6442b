import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call, forgetProof, get, keepToken, Problem, url } from "@api/http";
import { useGo, useSearchState } from "@shared/nav";
import { Button, Field } from "@shared/ui";
import { t } from "@shared/words";

/** Sign in: a session in a cookie where the server keeps sessions, else a bearer token for this tab. */
async function signIn(username: string, password: string): Promise<void> {
  try {
    await call("POST", "/auth/login", { username, password }, { quiet: true });
    keepToken(null);
    forgetProof();
  } catch (error) {
    if (!(error instanceof Problem) || (error.status !== 404 && error.status !== 405)) throw error;
    const told = await call<{ access_token: string }>("POST", "/auth/token", { username, password }, { quiet: true });
    keepToken(told.access_token);
  }
}

/** How people may sign in here. */
interface Ways { password: boolean; oidc: { name: string; url: string } | null }

export function Login() {
  const go = useGo();
  const client = useQueryClient();
  const [search] = useSearchState();
  const [wrong, setWrong] = useState("");
  const [busy, setBusy] = useState(false);
  const ways = useQuery({ queryKey: ["auth", "providers"], queryFn: ({ signal }) => get<Ways>("/auth/providers", signal) }).data;
  const password = ways?.password ?? true;
  return (
    <main style={{ minHeight: "100vh", display: "grid", placeItems: "center", padding: 16 }}>
      <form className="card" style={{ width: "min(360px, 100%)", padding: 24, display: "grid", gap: 16 }} onSubmit={(event) => {
        event.preventDefault();
        const given = new FormData(event.currentTarget);
        setBusy(true);
        setWrong("");
        signIn(String(given.get("username")), String(given.get("password")))
          .then(() => {
            client.clear();
            const next = search.next?.startsWith("/") && !search.next.startsWith("//") ? search.next : "/";
            go(next, undefined, true);
          })
          .catch((error: unknown) => setWrong(error instanceof Error ? error.message : String(error)))
          .finally(() => setBusy(false));
      }}>
        <div className="row"><img src="./favicon.svg" alt="" width={28} height={28} /><h1>Tradewind</h1></div>
        {ways?.oidc && <a className="btn primary" href={`${url(ways.oidc.url)}?next=${encodeURIComponent(search.next ?? "/")}`}>{t("Sign in with {name}", { name: ways.oidc.name })}</a>}
        {password && <Field label={t("User name")}>{(id) => <input id={id} className="input" name="username" autoComplete="username" required />}</Field>}
        {password && <Field label={t("Password")} wrong={wrong || undefined}>{(id, about) => <input id={id} aria-describedby={about} aria-invalid={!!wrong} className="input" type="password" name="password" autoComplete="current-password" required />}</Field>}
        {password && <Button type="submit" kind="primary" disabled={busy}>{t("Sign in")}</Button>}
        <p className="small faint">{t("The first start prints the name and password of the first administrator.")}</p>
      </form>
    </main>
  );
}
