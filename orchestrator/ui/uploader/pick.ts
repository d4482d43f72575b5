// The files of a drop or a file picker, each with its path in the dropped or chosen folder.

export type Picked = { path: string; file: File };

const SYSTEM_FILES = /(^|\/)(\.[^/]*|thumbs\.db|desktop\.ini|__macosx\/.*)$/i;

const isUserFile = (path: string) => !SYSTEM_FILES.test(path);

export function filesOfInput(list: FileList | null): Picked[] {
  return Array.from(list ?? [])
    .map((file) => ({ path: file.webkitRelativePath || file.name, file }))
    .filter(({ path }) => isUserFile(path));
}

export async function filesOfDrop(transfer: DataTransfer): Promise<Picked[]> {
  const entries = Array.from(transfer.items)
    .map((item) => item.webkitGetAsEntry?.())
    .filter((entry): entry is FileSystemEntry => Boolean(entry));
  if (entries.length === 0) return filesOfInput(transfer.files);
  const picked = await Promise.all(entries.map((entry) => walk(entry, "")));
  return picked.flat().filter(({ path }) => isUserFile(path));
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
  // Browsers return at most 100 entries per call.
  const all: FileSystemEntry[] = [];
  for (;;) {
    const part = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (part.length === 0) return all;
    all.push(...part);
  }
}

/** Ignores files that are dropped outside a zone, which would replace the page and lose what is typed; returns the cleanup. */
export function ignoreStrayDrops(): () => void {
  const ignore = (event: DragEvent) => {
    if (event.defaultPrevented) return; // a zone takes the file
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

let stored: Picked[] = [];

/** Stores files that were dropped on another page until the uploader takes them. */
export function storeForUploader(picked: Picked[]) {
  stored = picked;
}

export function takeStored(): Picked[] {
  const picked = stored;
  stored = [];
  return picked;
}
