// Every request of the app: relative to the page's base, with the session's proof, errors as values people can read.

export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly kind: string,
    message: string,
    readonly requestId: string | null = null,
  ) {
    super(message);
  }
}

const TOKEN = "tw:token";
const listeners = new Set<() => void>();
let heard = Date.now();

export function token(): string | null {
  return sessionStorage.getItem(TOKEN);
}

export function keepToken(value: string | null): void {
  if (value === null) sessionStorage.removeItem(TOKEN);
  else sessionStorage.setItem(TOKEN, value);
}

/** Called when the server says that nobody is signed in. */
export function onSignedOut(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Tell everybody that nobody is signed in. */
export function signedOut(): void {
  for (const each of listeners) each();
}

/** When the server last answered, in milliseconds. */
export function lastHeard(): number {
  return heard;
}

export function url(path: string): string {
  return new URL(path.replace(/^\//, ""), document.baseURI).toString();
}

let csrf: Promise<string | null> | null = null;

/** The proof that a write comes from a page of ours; asked for once, and again after signing in. */
function proof(): Promise<string | null> {
  csrf ??= fetch(url("/auth/me"), { headers: { Accept: "application/json" }, credentials: "same-origin" })
    .then(async (response) => (response.ok ? ((await response.json()) as { csrf_token?: string | null }).csrf_token ?? null : null))
    .catch(() => null);
  return csrf;
}

export function forgetProof(): void {
  csrf = null;
}

export function headers(): Record<string, string> {
  const given: Record<string, string> = { Accept: "application/json" };
  const bearer = token();
  if (bearer) given.Authorization = `Bearer ${bearer}`;
  return given;
}

export async function call<T>(
  method: string,
  path: string,
  body?: unknown,
  more: { signal?: AbortSignal; quiet?: boolean } = {},
): Promise<T> {
  const given = headers();
  if (method !== "GET" && !given.Authorization && !/^\/auth\/(login|token)/.test(path)) {
    const shown = await proof();
    if (shown) given["X-CSRF-Token"] = shown;
  }
  if (body !== undefined) given["Content-Type"] = "application/json";
  let response: Response;
  try {
    response = await fetch(url(path), {
      method,
      headers: given,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
      signal: more.signal,
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem(0, "Unreachable", "The server cannot be reached. It may be restarting.");
  }
  heard = Date.now();
  if (response.status === 401 && !more.quiet) signedOut();
  if (!response.ok) throw await problem(response);
  if (response.status === 204) return undefined as T;
  const kind = response.headers.get("content-type") ?? "";
  return (kind.includes("json") ? await response.json() : await response.text()) as T;
}

async function problem(response: Response): Promise<Problem> {
  const id = response.headers.get("x-request-id");
  try {
    const told = (await response.json()) as { detail?: unknown; error?: string; title?: string };
    const detail = typeof told.detail === "string" ? told.detail : told.detail ? JSON.stringify(told.detail) : told.title;
    return new Problem(response.status, told.error ?? String(response.status), detail ?? response.statusText, id);
  } catch {
    return new Problem(response.status, String(response.status), response.statusText || `HTTP ${response.status}`, id);
  }
}

export const get = <T>(path: string, signal?: AbortSignal): Promise<T> => call<T>("GET", path, undefined, { signal });
export const post = <T>(path: string, body: unknown = {}): Promise<T> => call<T>("POST", path, body);
export const patch = <T>(path: string, body: unknown): Promise<T> => call<T>("PATCH", path, body);
export const put = <T>(path: string, body: unknown = {}): Promise<T> => call<T>("PUT", path, body);
export const remove = <T>(path: string): Promise<T> => call<T>("DELETE", path);

/** A path made of parts, each encoded: ids may hold anything. */
export function at(...parts: (string | number)[]): string {
  return parts.map((part) => encodeURIComponent(String(part))).join("/");
}

export function query(values: Record<string, string | number | boolean | null | undefined>): string {
  const given = Object.entries(values).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return given.length ? `?${given.map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`).join("&")}` : "";
}
