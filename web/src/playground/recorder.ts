/** The microphone as a clip. Only a secure context has one: https, or this machine itself. */

import { type Clip, clipOfRecording } from "./clip";
import { Store } from "./store";

export const LONGEST_S = 15;
const LOOK_MS = 100;

export type MicrophoneFault = "refused" | "absent" | "failed";

export interface Recorded {
  state: "idle" | "asking" | "recording";
  seconds: number;
  /** 0 to 1. */
  level: number;
  fault: MicrophoneFault | null;
}

// On plain http the property itself is missing, whatever the types say.
export const hasMicrophone = (): boolean =>
  Boolean((navigator as Partial<Navigator>).mediaDevices) && typeof MediaRecorder !== "undefined";

const idle = { state: "idle", seconds: 0, level: 0 } as const;

export class Recorder extends Store<Recorded> {
  private finish = (_keep: boolean) => {};
  private isLeft = false;

  constructor(private readonly made: (clip: Clip) => void) {
    super({ ...idle, fault: null });
  }

  async start(): Promise<void> {
    this.isLeft = false;
    this.set({ state: "asking", fault: null });
    let stream: MediaStream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    } catch (error) {
      this.set({ ...idle, fault: faultOf(error) });
      return;
    }
    if (this.isLeft) for (const track of stream.getTracks()) track.stop();
    else this.record(stream);
  }

  /** Keeps what was heard. */
  readonly stop = (): void => this.finish(true);

  /** Lets go of the microphone, and of what was heard. */
  leave(): void {
    this.isLeft = true;
    this.finish(false);
  }

  private record(stream: MediaStream): void {
    const context = new AudioContext();
    const analyser = context.createAnalyser();
    analyser.fftSize = 2048;
    context.createMediaStreamSource(stream).connect(analyser);
    const heard = new Float32Array(analyser.fftSize);
    const recorder = new MediaRecorder(stream);
    const pieces: Blob[] = [];
    const startedAt = performance.now();
    const timer = setInterval(() => {
      const seconds = (performance.now() - startedAt) / 1000;
      analyser.getFloatTimeDomainData(heard);
      const level = Math.min(1, Math.max(...heard.map(Math.abs)));
      this.set({ seconds: Math.min(seconds, LONGEST_S), level });
      if (seconds >= LONGEST_S) this.finish(true);
    }, LOOK_MS);
    recorder.ondataavailable = (event) => pieces.push(event.data);
    this.finish = (keep) => {
      this.finish = () => {};
      clearInterval(timer);
      recorder.onstop = () => {
        for (const track of stream.getTracks()) track.stop();
        void context.close();
        if (keep) void this.keep(new Blob(pieces, { type: recorder.mimeType }));
        else this.set(idle);
      };
      recorder.stop();
    };
    recorder.start();
    this.set({ state: "recording", seconds: 0 });
  }

  private async keep(recorded: Blob): Promise<void> {
    try {
      this.made(await clipOfRecording(recorded, LONGEST_S));
      this.set({ ...idle, fault: null });
    } catch {
      this.set({ ...idle, fault: "failed" });
    }
  }
}

function faultOf(error: unknown): MicrophoneFault {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError") return "refused";
  return name === "NotFoundError" ? "absent" : "failed";
}
