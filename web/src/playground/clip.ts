/** A clip whose voice is cloned: a file that was picked, or what the microphone heard. */

import type { Model } from "~/live/state";
import { longestClipS, MAX_CLIP_BYTES, MIN_CLIP_S } from "./ability";
import { wavFile } from "./wav";

export interface Clip {
  name: string;
  file: Blob;
  /** null: this browser cannot tell. */
  seconds: number | null;
}

export type ClipFault = "kind" | "unreadable" | "large" | "short" | "long";

/** What the API takes, as a file dialog understands it. */
export const CLIP_KINDS = ".wav,.flac,.ogg,.mp3";
const KIND = /\.(wav|wave|flac|ogg|oga|mp3)$/i;
const CLIP_RATE_HZ = 24_000;

export class BadClip extends Error {
  constructor(readonly fault: ClipFault) {
    super(fault);
  }
}

/** Throws: BadClip. */
export async function clipOf(file: File): Promise<Clip> {
  if (!KIND.test(file.name)) throw new BadClip("kind");
  if (file.size > MAX_CLIP_BYTES) throw new BadClip("large");
  try {
    return { name: file.name, file, seconds: (await decoded(file)).duration };
  } catch {
    // Safari before 18.4 cannot read Ogg, which the server can.
    if (/\.og[ga]$/i.test(file.name)) return { name: file.name, file, seconds: null };
    throw new BadClip("unreadable");
  }
}

/** What a recorder made, in whatever form this browser has, as a mono WAV. */
export async function clipOfRecording(recorded: Blob, longestS: number): Promise<Clip> {
  const sound = await decoded(recorded);
  const channel = sound.getChannelData(0).subarray(0, Math.floor(longestS * sound.sampleRate));
  const samples = Int16Array.from(channel, (value) => Math.max(-1, Math.min(1, value)) * 32767);
  return { name: "recording.wav", file: wavFile(samples, sound.sampleRate), seconds: samples.length / sound.sampleRate };
}

export function lengthFault(clip: Clip, model: Model): ClipFault | null {
  if (clip.seconds === null) return null;
  if (clip.seconds < MIN_CLIP_S) return "short";
  return clip.seconds > longestClipS(model) ? "long" : null;
}

/** As the API takes it in JSON. */
export function dataUrl(file: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error ?? new Error("the clip cannot be read"));
    reader.readAsDataURL(file);
  });
}

async function decoded(file: Blob): Promise<AudioBuffer> {
  return new OfflineAudioContext(1, 1, CLIP_RATE_HZ).decodeAudioData(await file.arrayBuffer());
}
