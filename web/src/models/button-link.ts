/** A link among buttons looks like one of them. */
export const buttonLink =
  "inline-flex h-8 items-center gap-1.5 rounded-md border border-line bg-panel px-2.5 text-[13px] font-medium whitespace-nowrap hover:bg-sunken";
