import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { createRoot } from "react-dom/client";
import { router } from "@app/router";
import { Problem } from "@api/http";
import { tellError } from "@shared/ui";
import "./styles/fonts.css";
import "./styles/tokens.css";
import "./styles/base.css";

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2000,
      gcTime: 300_000,
      refetchOnWindowFocus: false,
      retry: (count, error) => count < 3 && error instanceof Problem && (error.status === 0 || error.status >= 502),
      retryDelay: (count) => Math.min(4000, 400 * 2 ** count),
    },
    mutations: { onError: tellError },
  },
});

const place = document.getElementById("root");
if (place) createRoot(place).render(<QueryClientProvider client={client}><RouterProvider router={router} /></QueryClientProvider>);
