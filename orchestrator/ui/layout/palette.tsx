// Opens the command palette: a button in the top bar, and Ctrl-K or Cmd-K anywhere.
import { Search } from "lucide-react";
import { useEffect, useState } from "react";
import { cn } from "../primitives/cn";
import { later, useOpenedOnce } from "../primitives/later";
import { useOpen } from "../primitives/open_state";
import { squareButton } from "./theme_toggle";

const { Part: Panel, preload } = later(() => import("./palette_panel"));
const key = "rounded border border-border px-1.5 font-mono text-xs leading-5";

export function Palette() {
  const state = useOpen(undefined);
  const opened = useOpenedOnce(state.open);
  const { change, open } = state;
  const [apple, setApple] = useState<boolean>();
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return;
      event.preventDefault(); // the browser's own search bar
      change(!open);
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, [change, open]);
  useEffect(() => setApple(/Mac|iP/.test(navigator.platform)), []); // after the key handler is registered
  return (
    <>
      <button
        type="button"
        id="palette-open"
        aria-label="Search or jump to"
        aria-haspopup="dialog"
        aria-keyshortcuts={apple === undefined ? undefined : "Control+K Meta+K"}
        onClick={() => change(true)}
        {...preload}
        className={cn(squareButton, "lg:w-auto lg:gap-2 lg:border-border lg:bg-card lg:px-3")}
      >
        <Search aria-hidden className="size-4" />
        <span className="text-sm max-lg:hidden">Search or jump to</span>
        <span aria-hidden className="ml-3 flex gap-1 max-lg:hidden">
          <kbd className={key}>{apple ? "⌘" : "Ctrl"}</kbd>
          <kbd className={key}>K</kbd>
        </span>
      </button>
      {opened && <Panel {...state} />}
    </>
  );
}
