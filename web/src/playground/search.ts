/** What a link to the playground may choose: `/playground?model=piper:fr_FR-siwis-medium`. */

export interface PlaygroundSearch {
  model?: string;
}

export function playgroundSearch(search: Record<string, unknown>): PlaygroundSearch {
  return typeof search["model"] === "string" ? { model: search["model"] } : {};
}
