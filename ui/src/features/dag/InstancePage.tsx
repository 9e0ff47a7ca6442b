import { useParams } from "@tanstack/react-router";
import { useSelection } from "./selection";
import { InstanceView } from "./Instance";
import "./grid.css";

export function InstancePage() {
  const { dag, run, task, map } = useParams({ strict: false }) as { dag: string; run: string; task: string; map?: string };
  const selection = useSelection();
  return <div className="page fill" style={{ background: "var(--surface)" }}><InstanceView page dag={dag} run={run} task={task} map={map ?? ""} tab={selection.tab} setTab={(tab) => selection.set({ tab })} /></div>;
}
