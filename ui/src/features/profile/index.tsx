// What a person chose, and what he may.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { call, forgetProof } from "@api/http";
import { meQuery } from "@api/queries";
import { prefs, usePrefs } from "@shared/prefs";
import { TokenList } from "@shared/tokens";
import { Button, Fault, Field, tell } from "@shared/ui";
import { LANGUAGES, speak, t } from "@shared/words";

const ZONES = ["local", "UTC", ...Intl.supportedValuesOf("timeZone")];

export function ProfilePage() {
  const me = useQuery(meQuery());
  const chosen = usePrefs();
  const [error, setError] = useState<unknown>(null);
  return (
    <div className="page">
      <div className="columns">
        <section className="card c6"><header><h2>{t("How it looks")}</h2></header><div className="body stack">
          <Field label={t("Theme")}>{(id) => <select id={id} className="input" value={chosen.theme} onChange={(event) => prefs.set({ theme: event.target.value as "system" })}><option value="system">{t("as the system")}</option><option value="light">{t("light")}</option><option value="dark">{t("dark")}</option></select>}</Field>
          <Field label={t("Density")}>{(id) => <select id={id} className="input" value={chosen.density} onChange={(event) => prefs.set({ density: event.target.value as "compact" })}><option value="comfortable">{t("comfortable")}</option><option value="compact">{t("compact")}</option></select>}</Field>
          <Field label={t("Time zone")}>{(id) => <select id={id} className="input" value={chosen.zone} onChange={(event) => prefs.set({ zone: event.target.value })}>{ZONES.map((zone) => <option key={zone} value={zone}>{zone === "local" ? t("as this computer") : zone}</option>)}</select>}</Field>
          <Field label={t("Language")}>{(id) => <select id={id} className="input" value={chosen.language} onChange={(event) => { prefs.set({ language: event.target.value }); void speak(event.target.value); }}>{LANGUAGES.map(([code, name]) => <option key={code} value={code}>{name}</option>)}</select>}</Field>
          <label className="check"><input type="checkbox" checked={chosen.keys} onChange={(event) => prefs.set({ keys: event.target.checked })} />{t("Single keys do things (press ? for the list)")}</label>
        </div></section>
        <section className="card c6"><header><h2>{t("You")}</h2></header><div className="body stack">
          <dl className="facts"><dt>{t("User name")}</dt><dd>{me.data?.username}</dd><dt>{t("Roles")}</dt><dd>{me.data?.roles.join(", ")}</dd></dl>
          <h3>{t("Change the password")}</h3>
          {error !== null && <Fault error={error} what={t("It was not changed")} />}
          <form className="stack" onSubmit={(event) => {
            event.preventDefault();
            const form = event.currentTarget;
            const given = Object.fromEntries(new FormData(form));
            setError(null);
            call("POST", "/auth/password", given).then(() => { forgetProof(); form.reset(); tell(t("Changed. Other sessions have ended."), "good"); }).catch(setError);
          }}>
            <Field label={t("Present password")}>{(id) => <input id={id} type="password" name="old_password" className="input" autoComplete="current-password" required />}</Field>
            <Field label={t("New password")}>{(id) => <input id={id} type="password" name="new_password" className="input" autoComplete="new-password" required />}</Field>
            <div><Button type="submit">{t("Change")}</Button></div>
          </form>
        </div></section>
      </div>
      <TokenList />
    </div>
  );
}
