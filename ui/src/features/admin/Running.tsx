// Files that cannot be loaded, and the processes of this installation.
import { useQuery } from "@tanstack/react-query";
import { get } from "@api/http";
import { errorsQuery, useFresh } from "@api/queries";
import { useSearchState } from "@shared/nav";
import { Dot } from "@shared/state";
import { Ago } from "@shared/time";
import { CopyButton, Empty, Fault, Loaded } from "@shared/ui";
import { t } from "@shared/words";

export function ImportErrors() {
  const [search] = useSearchState();
  const found = useQuery({ ...errorsQuery(), ...useFresh("dags", ["ui", "import-errors"], 2000) });
  if (found.error) return <div className="page"><Fault error={found.error} retry={() => void found.refetch()} /></div>;
  return <Loaded query={found}>{(data) => data.errors.length === 0 ? <Empty title={t("Every file can be loaded")} /> : (
    <div className="page">{data.errors.map((error) => (
      <details key={error.bundle + error.path} className="card" open={search.file === error.path || data.errors.length === 1}>
        <summary style={{ padding: "10px 16px", cursor: "pointer" }}><span className="mono" style={{ fontWeight: 600 }}>{error.path}</span> <span className="exception">{error.message}</span> <Ago ms={error.at} className="faint small" /></summary>
        <div className="body stack"><pre className="block">{error.traceback}</pre><div><CopyButton text={error.traceback} label={t("Copy")} /></div></div>
      </details>
    ))}</div>
  )}</Loaded>;
}

interface Component { kind: string; name: string; hostname: string; pid: number; started: number; beat: number; slots: number; executor: string; queues: string[] }

export function Components() {
  const found = useQuery({ queryKey: ["ui", "components"], queryFn: ({ signal }) => get<{ now: number; components: Component[] }>("/ui/components", signal), refetchInterval: 5000 });
  if (found.error) return <div className="page"><Fault error={found.error} retry={() => void found.refetch()} /></div>;
  return <Loaded query={found}>{(data) => (
    <div className="page"><div className="card table-wrap"><table className="table"><thead><tr><th>{t("Component")}</th><th>{t("Name")}</th><th>{t("Process")}</th><th>{t("Started")}</th><th>{t("Heartbeat")}</th><th>{t("Slots")}</th></tr></thead>
      <tbody>{data.components.map((each) => <tr key={each.kind + each.name}><td><span className="row"><Dot state={data.now - each.beat < 15_000 ? "success" : "failed"} />{each.kind}</span></td><td className="mono small">{each.name}</td><td className="muted">{each.hostname}:{each.pid}</td><td><Ago ms={each.started} /></td><td><Ago ms={each.beat} /></td><td>{each.slots || ""} <span className="faint small">{each.executor} {each.queues.join(", ")}</span></td></tr>)}</tbody></table></div></div>
  )}</Loaded>;
}
