import { RunList } from "@shared/runs";

export function RunsPage() {
  return <RunList />;
}
