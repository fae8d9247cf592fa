/** The typed client of our own API, and what a failed answer becomes. */

import type { Client } from "openapi-fetch";
import type { components, paths } from "./schema";

export type ErrorBody = components["schemas"]["ErrorBody"];

type Methods = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

interface Asked {
  params?: { path?: Record<string, string>; query?: Record<string, unknown> };
  body?: unknown;
  signal?: AbortSignal;
}

/** One call of the API, whose types openapi-fetch makes of the schema. */
async function ask(method: Methods, path: string, { params = {}, body, signal }: Asked = {}) {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params.path?.[name] ?? ""));
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params.query ?? {})) if (value != null) query.set(name, String(value));
  const response = await fetch(query.size ? `${filled}?${query}` : filled, {
    method,
    ...(signal && { signal }),
    ...(body !== undefined && { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  });
  if (response.ok) return { data: response.status === 204 ? undefined : await response.json(), response };
  // A proxy in between may answer anything: what is no JSON is told by its status alone.
  return { error: await response.json().catch(() => undefined), response };
}

const methods: Methods[] = ["GET", "POST", "PUT", "PATCH", "DELETE"];
export const api = Object.fromEntries(
  methods.map((method) => [method, (path: string, asked?: Asked) => ask(method, path, asked)]),
) as unknown as Pick<Client<paths>, Methods>;

/** An answer that is an error, or none at all (code `unreachable`). */
export class ApiError extends Error {
  constructor(
    readonly body: ErrorBody,
    readonly status: number,
  ) {
    super(body.message);
    this.name = "ApiError";
  }
}

export const UNREACHABLE: ErrorBody = {
  message: "Sirene does not answer",
  type: "connection_error",
  code: "unreachable",
  param: null,
  hint: "",
};

interface Answer<T> {
  data?: T | undefined;
  error?: unknown;
  response: Response;
}

/** The data of an answer. Throws: ApiError. */
export async function got<T>(asked: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>;
  try {
    answer = await asked;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(UNREACHABLE, 0);
  }
  if (answer.response.ok) return answer.data as T;
  throw errorOf(answer.error, answer.response.status);
}

/** body: the parsed answer, whatever it was; a proxy in between may send anything. */
export function errorOf(body: unknown, status: number): ApiError {
  const error = (body as { error?: Partial<ErrorBody> } | null)?.error;
  if (!error?.code || !error.message)
    return new ApiError({ ...UNREACHABLE, message: `Sirene answered ${status}` }, status);
  return new ApiError({ ...UNREACHABLE, ...error }, status);
}

export function bodyOf(error: unknown): ErrorBody {
  if (error instanceof ApiError) return error.body;
  return { ...UNREACHABLE, message: String(error), code: "unexpected" };
}
