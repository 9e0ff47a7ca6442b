// Settings, plugins, providers: to be read.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { apiQuery } from "@api/queries";
import { Empty, Fault, Loaded } from "@shared/ui";
import { t } from "@shared/words";

export default function System({ part }: { part: "config" | "plugins" | "providers" }) {
  if (part === "config") return <Config />;
  return part === "plugins" ? <Plugins /> : <Providers />;
}

function Config() {
  const [text, setText] = useState("");
  const found = useQuery(apiQuery<{ sections: { name: string; options: { key: string; value: unknown }[] }[] }>("/config"));
  if (found.error) return <div className="page"><Fault error={found.error} /></div>;
  return <Loaded query={found}>{(data) => (
    <div className="page">
      <input data-filter type="search" className="input" style={{ maxWidth: 260 }} aria-label={t("Filter")} placeholder={t("Part of a name")} value={text} onChange={(event) => setText(event.target.value)} />
      {data.sections.map((section) => {
        const options = section.options.filter((option) => `${section.name}.${option.key}`.includes(text));
        return options.length > 0 && <section key={section.name} className="card table-wrap"><header><h2 className="mono">{section.name}</h2></header><table className="table"><tbody>{options.map((option) => <tr key={option.key}><td className="mono" style={{ width: "40%" }}>{option.key}</td><td className="mono small">{Array.isArray(option.value) ? option.value.join(", ") : String(option.value)}</td></tr>)}</tbody></table></section>;
      })}
    </div>
  )}</Loaded>;
}

function Plugins() {
  const found = useQuery(apiQuery<{ plugins: { name: string; source?: string; [more: string]: unknown }[] }>("/plugins", { limit: 100 }));
  if (found.error) return <div className="page"><Fault error={found.error} /></div>;
  return <Loaded query={found}>{(data) => data.plugins.length === 0 ? <Empty title={t("No plugins")} /> : (
    <div className="page">{data.plugins.map((plugin) => <section key={plugin.name} className="card"><header><h2>{plugin.name}</h2><span className="faint small">{plugin.source}</span></header><dl className="facts body">{Object.entries(plugin).filter(([name, value]) => name !== "name" && name !== "source" && Array.isArray(value) && value.length > 0).map(([name, value]) => <div key={name} style={{ display: "contents" }}><dt>{name.replaceAll("_", " ")}</dt><dd className="mono small">{(value as unknown[]).map((each) => (typeof each === "string" ? each : JSON.stringify(each))).join(", ")}</dd></div>)}</dl></section>)}</div>
  )}</Loaded>;
}

function Providers() {
  const found = useQuery(apiQuery<{ providers: { package_name: string; description: string; version: string }[] }>("/providers", { limit: 100 }));
  if (found.error) return <div className="page"><Fault error={found.error} /></div>;
  return <Loaded query={found}>{(data) => data.providers.length === 0 ? <Empty title={t("No providers are installed")} /> : (
    <div className="page"><div className="card table-wrap"><table className="table"><thead><tr><th>{t("Package")}</th><th>{t("Version")}</th><th>{t("Description")}</th></tr></thead><tbody>{data.providers.map((each) => <tr key={each.package_name}><td className="mono">{each.package_name}</td><td>{each.version}</td><td className="muted">{each.description}</td></tr>)}</tbody></table></div></div>
  )}</Loaded>;
}
