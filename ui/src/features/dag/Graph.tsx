export function GraphView(_: { dag: string; run: string | undefined; selection: import("./selection").Selection }) { return null; }
