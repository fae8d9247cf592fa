/** Files that a person drops or picks: loose ones, folders of them, or tar archives, opened here. */

import { entriesOf } from "./tar";

export interface Brought {
  /** With `/` where it lay in a folder. */
  name: string;
  content: Blob;
}

/** Throws: NotATar. */
export async function broughtBy(files: readonly Brought[]): Promise<Brought[]> {
  const opened = await Promise.all(
    files.map(async (file) => (/\.tar$/i.test(file.name) ? await entriesOf(file.content) : [file])),
  );
  // What other programs leave in a folder, and our own install record, are no files of a model.
  return opened.flat().filter(({ name }) => !name.split("/").some((part) => part.startsWith(".") && part !== "."));
}

export const picked = (files: FileList): Brought[] => [...files].map((file) => ({ name: file.name, content: file }));

/** Everything in a drop. To be called while the event is handled: afterwards its items are gone. */
export async function dropped(transfer: DataTransfer): Promise<Brought[]> {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.() ?? null);
  if (!entries.some((entry) => entry?.isDirectory)) return picked(transfer.files);
  const found = await Promise.all(entries.map((entry) => (entry ? walked(entry, "") : [])));
  return found.flat();
}

async function walked(entry: FileSystemEntry, folder: string): Promise<Brought[]> {
  const name = folder + entry.name;
  if (entry.isFile) {
    const file = await new Promise<File>((done, failed) => (entry as FileSystemFileEntry).file(done, failed));
    return [{ name, content: file }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const children: FileSystemEntry[] = [];
  // It gives a hundred at a time.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((done, failed) => reader.readEntries(done, failed));
    if (some.length === 0) break;
    children.push(...some);
  }
  return (await Promise.all(children.map((child) => walked(child, `${name}/`)))).flat();
}
