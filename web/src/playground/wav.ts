/** WAV in and out: the server's stream as it arrives, and whole files with their right sizes. */

const HEADER_BYTES = 44;
const UNKNOWN_SIZE = 0xffffffff;

/**
 * Reads 16 bit mono WAV in pieces of any length; a sample may be cut by the network.
 *
 * The header may leave the size open (0xFFFFFFFF); if it tells one, `isShort` knows a cut from an end.
 */
export class WavReader {
  /** Hz; 0 before the header is there. */
  rate = 0;
  private rest: Uint8Array = new Uint8Array(0);
  private declaredBytes: number | null = null;
  private takenBytes = 0;

  /** The samples that are whole by now. Throws: Error for what is no such WAV. */
  take(bytes: Uint8Array): Int16Array {
    let all = joined(this.rest, bytes);
    if (!this.rate) {
      const start = this.header(all);
      if (start === null) {
        this.rest = all;
        return new Int16Array(0);
      }
      all = all.subarray(start);
    }
    const whole = all.length - (all.length % 2);
    this.rest = all.slice(whole);
    this.takenBytes += whole;
    return samplesOf(all.subarray(0, whole));
  }

  get isShort(): boolean {
    return this.rest.length > 0 || (this.declaredBytes !== null && this.takenBytes < this.declaredBytes);
  }

  /** Where the samples begin; null while it is not there. */
  private header(bytes: Uint8Array): number | null {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const word = (at: number) => String.fromCharCode(...bytes.subarray(at, at + 4));
    if (bytes.length < 12) return null;
    if (word(0) !== "RIFF" || word(8) !== "WAVE") throw new Error("the answer is no WAV audio");
    let at = 12;
    let rate = 0;
    while (at + 8 <= bytes.length) {
      const size = view.getUint32(at + 4, true);
      if (word(at) === "data") {
        if (!rate) throw new Error("the WAV audio has no format");
        this.rate = rate;
        this.declaredBytes = size === UNKNOWN_SIZE ? null : size;
        return at + 8;
      }
      if (at + 8 + size > bytes.length) return null;
      if (word(at) === "fmt ") {
        if (view.getUint16(at + 10, true) !== 1 || view.getUint16(at + 22, true) !== 16)
          throw new Error("the WAV audio is not 16 bit mono");
        rate = view.getUint32(at + 12, true);
      }
      at += 8 + size + (size % 2);
    }
    return null;
  }
}

/** A WAV file, mono 16 bit. */
export function wavFile(samples: Int16Array, rate: number): Blob {
  const header = new DataView(new ArrayBuffer(HEADER_BYTES));
  const word = (at: number, text: string) => [...text].forEach((letter, i) => header.setUint8(at + i, letter.charCodeAt(0)));
  word(0, "RIFF");
  header.setUint32(4, HEADER_BYTES - 8 + samples.byteLength, true);
  word(8, "WAVEfmt ");
  header.setUint32(16, 16, true);
  header.setUint16(20, 1, true); // PCM
  header.setUint16(22, 1, true); // mono
  header.setUint32(24, rate, true);
  header.setUint32(28, rate * 2, true);
  header.setUint16(32, 2, true);
  header.setUint16(34, 16, true);
  word(36, "data");
  header.setUint32(40, samples.byteLength, true);
  return new Blob([header.buffer, samples.slice()], { type: "audio/wav" });
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  if (first.length === 0) return second;
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

/** bytes: of an even number, at any offset of its buffer. Every browser's machine is little-endian. */
function samplesOf(bytes: Uint8Array): Int16Array {
  return new Int16Array(bytes.slice().buffer);
}
