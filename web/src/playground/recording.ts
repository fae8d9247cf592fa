/** Audio that may still be growing: its samples, and how loud they are, for the drawing. */

/** Samples that one peak stands for: about 10 ms. */
const PEAK_SAMPLES = 256;

export class Recording {
  readonly chunks: { start: number; samples: Int16Array }[] = [];
  length = 0;
  /** No more will come. */
  ended = false;
  /** 0 to 1, one for each PEAK_SAMPLES. */
  private readonly peaks: number[] = [];
  private readonly listeners = new Set<() => void>();

  constructor(readonly rate: number) {}

  static of(samples: Int16Array, rate: number): Recording {
    const recording = new Recording(rate);
    recording.append(samples);
    recording.end();
    return recording;
  }

  get seconds(): number {
    return this.length / this.rate;
  }

  append(samples: Int16Array): void {
    if (samples.length === 0) return;
    for (let at = 0; at < samples.length; at++) {
      const peak = Math.floor((this.length + at) / PEAK_SAMPLES);
      this.peaks[peak] = Math.max(this.peaks[peak] ?? 0, Math.abs(samples[at] ?? 0) / 32768);
    }
    this.chunks.push({ start: this.length, samples });
    this.length += samples.length;
    this.tell();
  }

  end(): void {
    this.ended = true;
    this.tell();
  }

  /** From a sample to the end of what is there. */
  from(start: number): Int16Array {
    const found = new Int16Array(Math.max(0, this.length - start));
    for (const chunk of this.chunks) {
      const skipped = Math.max(0, start - chunk.start);
      if (skipped < chunk.samples.length) found.set(chunk.samples.subarray(skipped), chunk.start + skipped - start);
    }
    return found;
  }

  /** The loudest of each of `count` equal parts, 0 to 1. */
  outline(count: number): number[] {
    const each = this.peaks.length / count;
    return Array.from({ length: count }, (_, part) => {
      const first = Math.floor(part * each);
      const last = Math.max(first + 1, Math.floor((part + 1) * each));
      let peak = 0;
      for (let at = first; at < last; at++) peak = Math.max(peak, this.peaks[at] ?? 0);
      return peak;
    });
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}
