import { useEffect } from "react";

interface ShortcutsProps {
  /** Ids of buttons by the keys that press them: "Alt+ArrowRight", "Mod+Enter" (Ctrl, or Command on a Mac). */
  keys: Record<string, string>;
}

/** Presses buttons by keys while it is on the page. */
export function Shortcuts({ keys }: ShortcutsProps) {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const held = [event.altKey && "Alt", (event.ctrlKey || event.metaKey) && "Mod"].filter(Boolean);
      const id = keys[[...held, event.key].join("+")];
      const button = id === undefined ? null : document.getElementById(id);
      if (button instanceof HTMLButtonElement && !button.disabled) {
        event.preventDefault();
        button.click();
      }
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, [keys]);
  return null;
}
