/** One speech at a time: asked for, heard while it comes, ended, and put on the shelf of takes. */

import { bodyOf, type ErrorBody, errorOf, UNREACHABLE } from "~/api/client";
import type { Model } from "~/live/state";
import { watch } from "~/live/store";
import { isLoaded } from "./ability";
import { type Asked, fieldsOf } from "./choices";
import { dataUrl } from "./clip";
import { Player } from "./player";
import { Recording } from "./recording";
import { Store } from "./store";
import { type Ending, type Metrics, newId, type Take, takes } from "./takes";
import { WavReader } from "./wav";

/** What lies on the player. */
export interface Shown {
  recording: Recording;
  asked: Asked;
  metrics: Metrics;
  /** null: it still comes. */
  ending: Ending | null;
  at: number;
}

export interface Failure {
  error: ErrorBody;
  /** By performance.now(): when the server would like to be asked again; null: no time told. */
  retryAt: number | null;
}

interface State {
  /** `waiting`: nothing of the answer is here yet. */
  phase: "idle" | "waiting" | "speaking";
  /** While waiting: the model is not in memory yet. */
  isLoading: boolean;
  /** By performance.now(). */
  startedAt: number;
  shown: Shown | null;
  failure: Failure | null;
}

/** An answer that ended well and held nothing. */
const SILENT: ErrorBody = { ...UNREACHABLE, code: "audio_lost", message: "the answer held no audio" };

export class Studio extends Store<State> {
  readonly player = new Player();
  private running: AbortController | null = null;
  private reader = new WavReader();

  constructor() {
    super({ phase: "idle", isLoading: false, startedAt: 0, shown: null, failure: null });
  }

  async speak(asked: Asked, model: Model, clip: Blob | null): Promise<void> {
    this.stop();
    const running = (this.running = new AbortController());
    this.player.load(null);
    this.player.prepare(model.sample_rate);
    this.reader = new WavReader();
    const startedAt = performance.now();
    const metrics: Metrics = { firstAudioMs: null, loadMs: 0, elapsedMs: 0 };
    this.set({ phase: "waiting", isLoading: !isLoaded(model), startedAt, shown: null, failure: null });
    const unwatch = watch((now) => {
      if (!this.get().isLoading || !isLoaded(now.models?.find((one) => one.id === model.id))) return;
      metrics.loadMs = performance.now() - startedAt;
      this.set({ isLoading: false });
    });
    let ending: Ending = "whole";
    try {
      const body = { ...fieldsOf(asked), ...(clip && { ref_audio: await dataUrl(clip) }) };
      const answer = await fetch("/v1/audio/speech", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body),
        signal: running.signal,
      });
      if (!answer.ok || !answer.body) return await this.refused(answer, running);
      ending = await this.receive(answer.body, asked, metrics, running.signal);
    } catch (error) {
      if (running.signal.aborted) return;
      this.failed(running, { error: unreached(error), retryAt: null });
      return;
    } finally {
      unwatch();
    }
    if (this.running !== running) return;
    if (this.get().shown) this.finish(ending);
    else this.failed(running, { error: SILENT, retryAt: null });
  }

  /** Ends the making, here and on the server, and the playing. What came until now stays. */
  stop(): void {
    const running = this.running;
    this.running = null;
    if (this.player.get().state !== "paused") this.player.pause();
    if (!running) return;
    running.abort();
    this.finish("stopped");
  }

  /** Puts an earlier take on the player and plays it. */
  async show(take: Take): Promise<void> {
    this.stop();
    this.player.prepare(take.rate);
    const samples = await takes.samples(take.id);
    if (!samples) return;
    const recording = Recording.of(samples, take.rate);
    const { asked, metrics, ending, at } = take;
    this.player.load(recording);
    this.set({ shown: { recording, asked, metrics, ending, at }, failure: null });
    this.player.play();
  }

  dismiss(): void {
    this.set({ failure: null });
  }

  close(): void {
    this.stop();
    this.player.close();
  }

  private async receive(body: ReadableStream<Uint8Array>, asked: Asked, metrics: Metrics, signal: AbortSignal): Promise<Ending> {
    const stream = body.getReader();
    const at = Date.now();
    try {
      for (;;) {
        const { done, value } = await stream.read();
        if (signal.aborted) return "stopped";
        if (done) return this.reader.isShort ? "cut" : "whole";
        this.take(this.reader.take(value), asked, metrics, at);
      }
    } catch (error) {
      // With nothing heard yet it is a failure like any other; after that, a part of the whole.
      if (signal.aborted || !this.get().shown) throw error;
      return "cut";
    }
  }

  private take(samples: Int16Array, asked: Asked, metrics: Metrics, at: number): void {
    if (samples.length === 0) return;
    metrics.elapsedMs = performance.now() - this.get().startedAt;
    metrics.firstAudioMs ??= metrics.elapsedMs;
    const recording = this.get().shown?.recording ?? new Recording(this.reader.rate);
    const isFirst = recording.length === 0;
    recording.append(samples);
    this.set({ phase: "speaking", isLoading: false, shown: { recording, asked, metrics: { ...metrics }, ending: null, at } });
    if (!isFirst) return;
    this.player.load(recording);
    this.player.play();
  }

  private finish(ending: Ending): void {
    this.running = null;
    const { shown } = this.get();
    if (!shown) {
      this.set({ phase: "idle", isLoading: false });
      return;
    }
    const { recording, asked, metrics, at } = shown;
    this.set({ phase: "idle", isLoading: false, shown: { ...shown, ending } });
    recording.end();
    const { rate, seconds, length } = recording;
    const take = { id: newId(), at, asked, rate, seconds, bytes: 2 * length, ending, metrics };
    void takes.add(take, recording.from(0));
  }

  private async refused(answer: Response, running: AbortController): Promise<void> {
    const body: unknown = await answer.json().catch(() => null);
    const after = Number(answer.headers.get("retry-after") ?? Number.NaN);
    const retryAt = Number.isFinite(after) ? performance.now() + after * 1000 : null;
    this.failed(running, { error: errorOf(body, answer.status).body, retryAt });
  }

  private failed(running: AbortController, failure: Failure): void {
    if (this.running !== running) return;
    this.running = null;
    this.set({ phase: "idle", isLoading: false, failure });
  }
}

/** fetch tells a lost server only by a TypeError. */
function unreached(error: unknown): ErrorBody {
  return error instanceof TypeError ? UNREACHABLE : bodyOf(error);
}
