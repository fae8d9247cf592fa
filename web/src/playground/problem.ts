/** Why the present choices cannot be spoken; its name is that of its word, and of its field. */

import type { Model } from "~/live/state";
import { clones, designs, MAX_CHARACTERS, needsTranscript, takesSeed } from "./ability";
import { type Choices, ofModel } from "./choices";
import { lengthFault } from "./clip";

export type Problem = "tooLong" | "needsClip" | "needsTranscript" | "needsInstructions" | "badSeed";

export function problemOf(all: Choices, model: Model): Problem | null {
  if (clones(model) && (!all.clip || lengthFault(all.clip, model))) return "needsClip";
  if (needsTranscript(model) && !all.transcript.trim()) return "needsTranscript";
  if (designs(model) && !ofModel(all, model).instructions.trim()) return "needsInstructions";
  if (takesSeed(model) && all.seed && !/^\d{1,15}$/.test(all.seed)) return "badSeed";
  return [...all.text].length > MAX_CHARACTERS ? "tooLong" : null;
}
