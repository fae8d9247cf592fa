/** The typed client of our own API, and what a failed answer becomes. */

import createClient from "openapi-fetch";
import type { components, paths } from "./schema";

export type ErrorBody = components["schemas"]["ErrorBody"];

export const api = createClient<paths>({ baseUrl: "/" });

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
