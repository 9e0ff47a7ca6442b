// The workspace of a DAG: views of one selection. See Page.tsx for the frame.
export { DagPage } from "./Page";
export { RunPage } from "./RunPage";
export { InstancePage } from "./InstancePage";
export { TaskPage } from "./TaskPage";
