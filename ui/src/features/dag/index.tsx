export function DagPage() { return null; } export function RunPage() { return null; } export function InstancePage() { return null; } export function TaskPage() { return null; }
