/** The filters of the models page, as its address carries them. */

export interface ModelsSearch {
  q?: string;
  installed?: boolean;
  fits?: boolean;
  language?: string;
  capability?: string;
  license?: string;
}

export function modelsSearch(search: Record<string, unknown>): ModelsSearch {
  const found: ModelsSearch = {};
  for (const key of ["q", "language", "capability", "license"] as const)
    if (typeof search[key] === "string" && search[key]) found[key] = search[key];
  for (const key of ["installed", "fits"] as const) if (search[key] === true) found[key] = true;
  return found;
}
