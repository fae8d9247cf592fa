/**
 * Plays a recording while it still grows, by buffers scheduled back to back.
 *
 * An AudioWorklet would do it too, but plain http has none. The context runs at the recording's own
 * rate, so that buffers are not resampled one by one, which would be heard where they meet.
 */

import { Store } from "./store";
import type { Recording } from "./recording";

/** How far ahead of now the first buffer starts; doubled by each underrun, up to the longest. */
const LEAD_S = 0.06;
const LONGEST_LEAD_S = 1;
/** What is cut off is faded so long: an abrupt end is a click. */
const FADE_S = 0.005;

export interface Playing {
  /** `waiting`: it would play, but nothing is there yet. */
  state: "paused" | "waiting" | "playing";
  /** It was played to its end. */
  finished: boolean;
}

interface Scheduled {
  /** By the context's clock. */
  at: number;
  start: number;
  length: number;
}

export class Player extends Store<Playing> {
  private context: AudioContext | null = null;
  private gain: GainNode | null = null;
  private recording: Recording | null = null;
  private unsubscribe = () => {};
  private nodes: AudioBufferSourceNode[] = [];
  private scheduled: Scheduled[] = [];
  /** The next sample to be scheduled, and when the last one ends by the context's clock. */
  private next = 0;
  private endsAt = 0;
  private fadeAt = 0;
  private lead = LEAD_S;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super({ state: "paused", finished: false });
  }

  /** To be called by a person's act: browsers let audio begin only then. */
  prepare(rate: number): void {
    if (this.context?.sampleRate !== rate) {
      void this.context?.close();
      this.context = new AudioContext({ sampleRate: rate, latencyHint: "interactive" });
      this.gain = null;
    }
    void this.context.resume();
  }

  /** Another recording, at its beginning, not playing. */
  load(recording: Recording | null): void {
    this.silence();
    this.unsubscribe();
    this.recording = recording;
    this.next = 0;
    this.scheduled = [];
    this.lead = LEAD_S;
    this.unsubscribe = recording?.subscribe(() => this.get().state !== "paused" && this.feed()) ?? (() => {});
    this.set({ state: "paused", finished: false });
  }

  play(): void {
    const recording = this.recording;
    if (!recording) return;
    this.prepare(recording.rate);
    if (this.get().finished) this.moveTo(0);
    this.set({ state: "waiting", finished: false });
    this.feed();
  }

  pause(): void {
    const at = this.position();
    this.silence();
    this.moveTo(at);
    this.set({ state: "paused" });
  }

  /** seconds: from the beginning; kept within what is there. */
  seek(seconds: number): void {
    const recording = this.recording;
    if (!recording) return;
    const goesOn = this.get().state !== "paused";
    this.silence();
    this.moveTo(Math.min(Math.max(0, seconds), recording.seconds));
    const isAtEnd = recording.ended && this.next >= recording.length;
    this.set({ state: "paused", finished: isAtEnd });
    if (goesOn && !isAtEnd) this.play();
  }

  /** Seconds from the beginning that are being heard. */
  position(): number {
    const { recording, context } = this;
    if (!recording) return 0;
    const now = context?.currentTime ?? 0;
    let sample = this.scheduled.length ? (this.scheduled[0]?.start ?? 0) : this.next;
    for (const part of this.scheduled)
      if (now >= part.at) sample = part.start + Math.min(part.length, (now - part.at) * recording.rate);
    return sample / recording.rate;
  }

  /** Ends for good: the sound, and the machine's audio. */
  close(): void {
    this.load(null);
    void this.context?.close();
    this.context = null;
  }

  private moveTo(seconds: number): void {
    this.scheduled = [];
    this.next = Math.round(seconds * (this.recording?.rate ?? 0));
  }

  private silence(): void {
    clearTimeout(this.timer);
    const now = this.context?.currentTime ?? 0;
    if (this.gain && this.nodes.length) {
      this.gain.gain.cancelScheduledValues(now);
      this.gain.gain.setValueAtTime(1, now);
      this.gain.gain.linearRampToValueAtTime(0, now + FADE_S);
    }
    for (const node of this.nodes) node.stop(now + FADE_S);
    this.nodes = [];
    this.gain = null; // what plays next has a gain of its own, which this fade does not touch
    this.endsAt = 0;
  }

  /** Schedules what is there and not scheduled yet. */
  private feed(): void {
    const { recording, context } = this;
    if (!recording || !context) return;
    const samples = recording.from(this.next);
    if (samples.length) this.schedule(context, recording.rate, samples);
    this.look();
  }

  private schedule(context: AudioContext, rate: number, samples: Int16Array): void {
    const buffer = context.createBuffer(1, samples.length, rate);
    const channel = buffer.getChannelData(0);
    for (let at = 0; at < samples.length; at++) channel[at] = (samples[at] ?? 0) / 32768;
    const gain = (this.gain ??= connected(context));
    const node = context.createBufferSource();
    node.buffer = buffer;
    node.connect(gain);
    const followsOn = this.endsAt && context.currentTime < this.fadeAt;
    if (this.endsAt && !followsOn) this.lead = Math.min(this.lead * 2, LONGEST_LEAD_S);
    // On a whole frame: a start between two would be interpolated.
    const at = followsOn ? this.endsAt : Math.ceil((context.currentTime + this.lead) * rate) / rate;
    if (followsOn) gain.gain.cancelScheduledValues(this.fadeAt);
    else gain.gain.setValueAtTime(0, at).linearRampToValueAtTime(1, at + FADE_S);
    node.start(at);
    this.endsAt = Math.round(at * rate + samples.length) / rate;
    // Until more follows, this is the end; if more follows in time, the fade is taken back.
    this.fadeAt = Math.max(at + FADE_S, this.endsAt - FADE_S);
    gain.gain.setValueAtTime(1, this.fadeAt);
    gain.gain.linearRampToValueAtTime(0, Math.max(this.endsAt, this.fadeAt + FADE_S / 2));
    this.nodes.push(node);
    node.onended = () => (this.nodes = this.nodes.filter((other) => other !== node));
    this.scheduled.push({ at, start: this.next, length: samples.length });
    this.next += samples.length;
    this.set({ state: "playing" });
  }

  /** Looks again when what is scheduled has been heard: either that was all, or more must come. */
  private look(): void {
    clearTimeout(this.timer);
    const { recording, context } = this;
    if (!recording || !context || this.get().state === "paused") return;
    const leftS = this.endsAt - context.currentTime;
    if (leftS > 0) {
      this.timer = setTimeout(() => this.look(), leftS * 1000 + 20);
    } else if (this.next < recording.length) {
      this.feed();
    } else if (recording.ended) {
      this.set({ state: "paused", finished: true });
    } else {
      this.set({ state: "waiting" });
    }
  }
}

function connected(context: AudioContext): GainNode {
  const gain = context.createGain();
  gain.connect(context.destination);
  return gain;
}
