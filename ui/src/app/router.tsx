// Every address of the app. Pages are loaded when they are first opened; addresses of Airflow's lead to ours.
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect, type AnyRoute } from "@tanstack/react-router";
import { BASE } from "@shared/nav";
import { Shell } from "./Shell";
import { NotFound } from "./NotFound";
import { PageFault } from "./PageFault";

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound, errorComponent: PageFault });
const page = (path: string, load: () => Promise<Record<string, unknown>>, name: string) =>
  createRoute({ getParentRoute: () => root, path, component: lazyRouteComponent(load as never, name as never), errorComponent: PageFault } as never);
const moved = (path: string, to: (params: Record<string, string>) => string) =>
  createRoute({
    getParentRoute: () => root,
    path,
    beforeLoad: ({ params }: { params: Record<string, string> }) => {
      throw redirect({ href: BASE + to(params) } as never);
    },
  } as never);

const dag = () => import("@features/dag");
const admin = () => import("@features/admin");
const enc = encodeURIComponent;

const routes = [
  page("/", () => import("@features/home"), "HomePage"),
  page("/dags", () => import("@features/dags"), "DagsPage"),
  page("/dags/$dag", dag, "DagPage"),
  page("/dags/$dag/$view", dag, "DagPage"),
  page("/dags/$dag/runs/$run", dag, "RunPage"),
  page("/dags/$dag/runs/$run/tasks/$task", dag, "InstancePage"),
  page("/dags/$dag/runs/$run/tasks/$task/$map", dag, "InstancePage"),
  page("/dags/$dag/tasks/$task", dag, "TaskPage"),
  page("/runs", () => import("@features/runs"), "RunsPage"),
  page("/tasks", () => import("@features/tasks"), "TasksPage"),
  page("/timeline", () => import("@features/timeline"), "TimelinePage"),
  page("/assets", () => import("@features/assets"), "AssetsPage"),
  page("/assets/$asset", () => import("@features/assets"), "AssetPage"),
  page("/needs-input", () => import("@features/needs"), "NeedsPage"),
  page("/backfills", () => import("@features/backfills"), "BackfillsPage"),
  page("/admin", admin, "AdminPage"),
  page("/admin/$part", admin, "AdminPage"),
  page("/plugin/$name", () => import("./PluginView"), "PluginView"),
  page("/profile", () => import("@features/profile"), "ProfilePage"),
  page("/login", () => import("./Login"), "Login"),
  // Airflow's addresses, so that links in old alerts work.
  moved("/home", () => "/"),
  moved("/dag_runs", () => "/runs"),
  moved("/task_instances", () => "/tasks"),
  moved("/dags/$dag/runs/$run/tasks/$task/mapped/$map", (p) => `/dags/${enc(p.dag ?? "")}/runs/${enc(p.run ?? "")}/tasks/${enc(p.task ?? "")}/${p.map}`),
  moved("/connections", () => "/admin/connections"),
  moved("/variables", () => "/admin/variables"),
  moved("/pools", () => "/admin/pools"),
  moved("/events", () => "/admin/audit"),
  moved("/xcoms", () => "/tasks"),
  moved("/plugins", () => "/admin/plugins"),
  moved("/providers", () => "/admin/providers"),
  moved("/configs", () => "/admin/config"),
  moved("/jobs", () => "/admin/components"),
  moved("/required_actions", () => "/needs-input"),
  moved("/security/users", () => "/admin/users"),
  moved("/security/roles", () => "/admin/roles"),
];

export const router = createRouter({
  routeTree: (root as unknown as { addChildren: (all: unknown[]) => AnyRoute }).addChildren(routes),
  basepath: BASE || "/",
  defaultErrorComponent: PageFault,
  parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
  stringifySearch: (search) => {
    const given = new URLSearchParams(Object.entries(search).filter((pair): pair is [string, string] => typeof pair[1] === "string" && pair[1] !== "")).toString();
    return given ? `?${given}` : "";
  },
});
