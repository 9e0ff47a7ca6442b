// A screen in a test: with a router and a query client that holds what the screen would read.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createMemoryHistory, createRootRoute, createRouter, RouterProvider } from "@tanstack/react-router";
import { render, type RenderResult } from "@testing-library/react";
import type { ReactNode } from "react";

export function show(screen: ReactNode, data: [readonly unknown[], unknown][] = [], path = "/"): RenderResult & { client: QueryClient } {
  const client = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity, retry: false } } });
  for (const [key, value] of data) client.setQueryData(key, value);
  const root = createRootRoute({ component: () => <>{screen}</> });
  const router = createRouter({ routeTree: root, history: createMemoryHistory({ initialEntries: [path] }) });
  return { ...render(<QueryClientProvider client={client}><RouterProvider router={router as never} /></QueryClientProvider>), client };
}
