/** A take as a file. WAV is made here; other formats need the server. */

import type { Asked } from "./choices";
import { wavFile } from "./wav";

export function save(samples: Int16Array, rate: number, asked: Asked, at: number): void {
  const url = URL.createObjectURL(wavFile(samples, rate));
  const link = document.createElement("a");
  link.href = url;
  link.download = `${fileName(asked, at)}.wav`;
  link.click();
  // The browser has begun to read it by the next turn; a minute is for slow ones.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** "piper-fr_FR-siwis-medium-siwis-20261125-104500". */
function fileName({ model, voice }: Asked, at: number): string {
  const time = new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
  return [model, voice, time.replace(/[-:]/g, "").replace("T", "-")]
    .filter(Boolean)
    .join("-")
    .replace(/[^\w.-]+/g, "-");
}
