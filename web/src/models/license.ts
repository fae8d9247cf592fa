/** What a licence's name tells about use for money; names come from many hands, in no one form. */
export function isNonCommercial(license: string): boolean {
  return /\bNC\b|non-?\s?commercial|research[- ]only|\(research/i.test(license);
}
