/**
 * The files of a tar archive as slices of it: nothing is copied, however large it is.
 *
 * Blocks of 512 bytes: a header, its file padded to whole blocks, and so on; two empty ones end it.
 * Reads ustar, and the long names of GNU (type L) and pax (type x). POSIX.1-2001, pax.
 */

import type { Brought } from "./brought";

const BLOCK = 512;

export class NotATar extends Error {}

/** Throws: NotATar. */
export async function entriesOf(archive: Blob): Promise<Brought[]> {
  const found: Brought[] = [];
  let longName: string | undefined;
  let longSize: number | undefined;
  for (let at = 0; at + BLOCK <= archive.size; ) {
    const header = new Uint8Array(await archive.slice(at, at + BLOCK).arrayBuffer());
    if (header.every((byte) => byte === 0)) break;
    if (!isHeader(header)) throw new NotATar();
    const type = String.fromCharCode(header[156] ?? 0);
    const size = longSize ?? sizeIn(header);
    const content = archive.slice(at + BLOCK, at + BLOCK + size);
    if (content.size < size) throw new NotATar();
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    if (type === "L") {
      longName = text(new Uint8Array(await content.arrayBuffer()), 0, size);
    } else if (type === "x") {
      const fields = paxFields(new Uint8Array(await content.arrayBuffer()));
      longName = fields["path"] ?? longName;
      longSize = fields["size"] === undefined ? undefined : Number(fields["size"]);
    } else {
      if (type === "0" || type === "\0") found.push({ name: longName ?? nameIn(header), content });
      longName = longSize = undefined;
    }
  }
  return found;
}

/** The sum of all bytes, those of the sum itself as blanks. */
function isHeader(header: Uint8Array): boolean {
  const sum = header.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 32 : byte), 0);
  return sum === parseInt(text(header, 148, 8), 8);
}

function sizeIn(header: Uint8Array): number {
  // From 8 GiB on GNU writes it in binary, marked by the first bit.
  if ((header[124] ?? 0) & 0x80) return header.slice(128, 136).reduce((size, byte) => size * 256 + byte, 0);
  return parseInt(text(header, 124, 12), 8) || 0;
}

function nameIn(header: Uint8Array): string {
  const prefix = text(header, 257, 5) === "ustar" && header[262] === 0 ? text(header, 345, 155) : "";
  return prefix ? `${prefix}/${text(header, 0, 100)}` : text(header, 0, 100);
}

/** Records like `27 path=a/long/name\n`, each with its own length first. */
function paxFields(bytes: Uint8Array): Record<string, string> {
  const fields: Record<string, string> = {};
  for (let at = 0; at < bytes.length; ) {
    const length = parseInt(text(bytes, at, 20), 10);
    if (!(length > 0)) break;
    const record = text(bytes, at, length - 1);
    const [, key, value] = /^\d+ ([^=]+)=(.*)$/s.exec(record) ?? [];
    if (key !== undefined && value !== undefined) fields[key] = value;
    at += length;
  }
  return fields;
}

function text(bytes: Uint8Array, start: number, length: number): string {
  const field = bytes.subarray(start, start + length);
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end)).trim();
}
