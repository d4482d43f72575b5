// Files out of a drop or a picker, each with its path inside the folder that was given.

export type Picked = { path: string; file: File };

const LITTER = /(^|\/)(\.[^/]*|thumbs\.db|desktop\.ini|__macosx\/.*)$/i;

export const wanted = (path: string) => !LITTER.test(path);

export function fromInput(list: FileList | null): Picked[] {
  return Array.from(list ?? [])
    .map((file) => ({ path: file.webkitRelativePath || file.name, file }))
    .filter(({ path }) => wanted(path));
}

export async function fromDrop(transfer: DataTransfer): Promise<Picked[]> {
  const entries = Array.from(transfer.items)
    .map((item) => item.webkitGetAsEntry?.())
    .filter((entry): entry is FileSystemEntry => Boolean(entry));
  if (entries.length === 0) return fromInput(transfer.files);
  const found = await Promise.all(entries.map((entry) => walk(entry, "")));
  return found.flat().filter(({ path }) => wanted(path));
}

async function walk(entry: FileSystemEntry, folder: string): Promise<Picked[]> {
  const path = folder ? `${folder}/${entry.name}` : entry.name;
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    return [{ path, file }];
  }
  const children = await readAll((entry as FileSystemDirectoryEntry).createReader());
  return (await Promise.all(children.map((child) => walk(child, path)))).flat();
}

async function readAll(reader: FileSystemDirectoryReader): Promise<FileSystemEntry[]> {
  // A reader hands out at most a hundred entries a call.
  const all: FileSystemEntry[] = [];
  for (;;) {
    const part = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (part.length === 0) return all;
    all.push(...part);
  }
}

/** A file that falls beside the zone must not replace the page, with all that is typed there; returns how to end it. */
export function ignoreStrayDrops(): () => void {
  const ignore = (event: DragEvent) => {
    if (event.defaultPrevented) return; // a zone takes it
    event.preventDefault();
    if (event.dataTransfer) event.dataTransfer.dropEffect = "none";
  };
  window.addEventListener("dragover", ignore);
  window.addEventListener("drop", ignore);
  return () => {
    window.removeEventListener("dragover", ignore);
    window.removeEventListener("drop", ignore);
  };
}

let waiting: Picked[] = [];

/** Files that were dropped on another page, kept until the uploader takes them. */
export function keepForUploader(picked: Picked[]) {
  waiting = picked;
}

export function takeKept(): Picked[] {
  const kept = waiting;
  waiting = [];
  return kept;
}
