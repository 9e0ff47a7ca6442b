import { RunList } from "@shared/runs";

export function RunsView({ dag }: { dag: string }) {
  return <RunList dag={dag} />;
}
