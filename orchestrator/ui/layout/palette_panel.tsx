// The open command palette: pages, actions, and records whose name contains the typed words; its code is loaded with the first opening.
import * as Radix from "@radix-ui/react-dialog";
import { Command } from "cmdk";
import { Activity, Boxes, Film, Layers, LayoutDashboard, Moon, Play, Plus, Rocket, Server, Settings, Sun, type LucideIcon } from "lucide-react";
import { useContext, useEffect, useState } from "react";
import { useNavigate } from "react-router";
import { ColorModeContext } from "$/utils/context";
import { overlayClasses } from "../primitives/dialog_panel";

type Props = { open: boolean; change: (open: boolean) => void; restore: (event: Event) => void };
type Result = { id: string; name: string; note: string; href: string; icon: LucideIcon };
type Row = { id: string; name: string; status?: string; version?: number };

const pages: [string, string, LucideIcon][] = [
  ["Overview", "/overview", LayoutDashboard],
  ["Datasets", "/datasets", Film],
  ["Models", "/models", Boxes],
  ["Training jobs", "/jobs", Activity],
  ["Adapters", "/adapters", Layers],
  ["Playground", "/playground", Play],
  ["Workers", "/workers", Server],
  ["Settings", "/settings", Settings],
];
const actions: [string, string, LucideIcon][] = [
  ["Launch a training job", "/jobs/new", Rocket],
  ["Add dataset", "/datasets/new", Plus],
  ["Add model", "/models/new", Plus],
];
const sources: [string, string, LucideIcon][] = [
  ["jobs", "Training job", Activity],
  ["datasets", "Dataset", Film],
  ["models", "Model", Boxes],
  ["adapters", "Adapter", Layers],
];
const SHOWN = 5;
const PAUSE_MS = 120;

async function search(words: string, signal: AbortSignal): Promise<Result[]> {
  const ask = async ([kind, word, icon]: (typeof sources)[number]) => {
    const answer = await fetch(`/api/v1/${kind}?limit=${SHOWN}&q=${encodeURIComponent(words)}`, { signal });
    if (!answer.ok) throw new Error(String(answer.status));
    const { items } = (await answer.json()) as { items: Row[] };
    return items.slice(0, SHOWN).map((row) => ({
      id: `${kind}-${row.id}`,
      name: row.version ? `${row.name} v${row.version}` : row.name,
      note: row.status ? `${word}, ${row.status.replace("_", " ")}` : word,
      href: `/${kind}/${row.id}`,
      icon,
    }));
  };
  return (await Promise.all(sources.map(ask))).flat();
}

/** The records found, and whether the search failed; an older search is cancelled by a newer one. */
function useResults(words: string): [Result[], boolean] {
  const [found, setFound] = useState<Result[]>([]);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    const stop = new AbortController();
    const timer = window.setTimeout(() => {
      search(words, stop.signal).then(
        (rows) => (setFound(rows), setFailed(false)),
        (reason: Error) => reason.name !== "AbortError" && setFailed(true),
      );
    }, words ? PAUSE_MS : 0);
    return () => {
      window.clearTimeout(timer);
      stop.abort();
    };
  }, [words]);
  return [found, failed];
}

const item =
  "flex h-9 cursor-pointer select-none items-center gap-3 rounded-md px-2.5 text-sm outline-none data-[selected=true]:bg-muted touch:h-11 [&>svg]:size-4 [&>svg]:shrink-0 [&>svg]:text-muted-foreground";
const group =
  "[&_[cmdk-group-heading]]:px-2.5 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:pt-3 [&_[cmdk-group-heading]]:text-xs [&_[cmdk-group-heading]]:text-muted-foreground";

export default function PalettePanel({ open, change, restore }: Props) {
  const navigate = useNavigate();
  const { resolvedColorMode, setColorMode } = useContext(ColorModeContext);
  const [words, setWords] = useState("");
  const [found, failed] = useResults(words.trim());
  const done = (act: () => void) => () => {
    change(false);
    act();
  };
  const fits = (name: string) => name.toLowerCase().includes(words.trim().toLowerCase());
  const theme = resolvedColorMode === "dark" ? "Switch to light" : "Switch to dark";
  const ThemeIcon = resolvedColorMode === "dark" ? Sun : Moon;
  const places = pages.filter(([name]) => fits(name));
  const acts = actions.filter(([name]) => fits(name));
  const entries = (list: typeof pages) =>
    list.map(([name, href, Icon]) => (
        <Command.Item key={href} value={href} onSelect={done(() => navigate(href))} className={item}>
          <Icon aria-hidden />
          {name}
        </Command.Item>
    ));
  return (
    <Radix.Root open={open} onOpenChange={change}>
      <Radix.Portal>
        <Radix.Overlay className={overlayClasses} />
        <Radix.Content
          id="palette"
          aria-describedby={undefined}
          onCloseAutoFocus={restore}
          className="fixed left-1/2 top-[12dvh] z-50 flex max-h-[70dvh] w-[calc(100vw-2rem)] max-w-xl -translate-x-1/2 flex-col overflow-hidden rounded-xl border border-border bg-popover text-foreground shadow-float outline-none animate-enter"
        >
          <Radix.Title className="sr-only">Search or jump to</Radix.Title>
          <Command label="Search or jump to" shouldFilter={false} loop className="flex min-h-0 flex-col">
            <Command.Input
              value={words}
              onValueChange={setWords}
              placeholder="Search or jump to"
              className="h-12 w-full shrink-0 border-b border-border bg-transparent px-4 text-base outline-none placeholder:text-muted-foreground"
            />
            <Command.List className="min-h-0 overflow-y-auto p-1.5 pt-0">
              <Command.Empty className="px-2.5 py-6 text-sm text-muted-foreground">{`No results for "${words.trim()}".`}</Command.Empty>
              {failed && (
                <p role="alert" className="px-2.5 pt-3 text-sm text-destructive">
                  No connection, so only pages are listed. Type again to retry.
                </p>
              )}
              {places.length > 0 && (
                <Command.Group heading="Go to" className={group}>
                  {entries(places)}
                </Command.Group>
              )}
              {(acts.length > 0 || fits(theme)) && (
              <Command.Group heading="Actions" className={group}>
                {entries(acts)}
                {fits(theme) && (
                  <Command.Item value="theme" onSelect={done(() => setColorMode(resolvedColorMode === "dark" ? "light" : "dark"))} className={item}>
                    <ThemeIcon aria-hidden />
                    {theme}
                  </Command.Item>
                )}
              </Command.Group>
              )}
              {found.length > 0 && (
                <Command.Group heading={words.trim() ? "Yours" : "Recent"} className={group}>
                  {found.map((row) => (
                    <Command.Item key={row.id} value={row.id} onSelect={done(() => navigate(row.href))} className={item}>
                      <row.icon aria-hidden />
                      <span className="min-w-0 flex-1 truncate">{row.name}</span>
                      <span className="shrink-0 text-xs text-muted-foreground">{row.note}</span>
                    </Command.Item>
                  ))}
                </Command.Group>
              )}
            </Command.List>
            <p className="flex shrink-0 gap-4 border-t border-border px-4 py-2 text-xs text-muted-foreground touch:hidden">
              <span>↑ ↓ to move</span>
              <span>Enter to open</span>
              <span>Esc to close</span>
            </p>
          </Command>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
