import { useEffect } from "react";

interface ShortcutsProps {
  /** Ids of buttons by the keys that press them: "]", "Alt+PageDown", "Mod+Enter" (Ctrl, or Command on a Mac). */
  keys: Record<string, string[]>;
}

const isTyping = (target: EventTarget | null) =>
  target instanceof HTMLElement && (target.isContentEditable || target.matches("input, textarea, select"));

/** Presses buttons by keys while it is on the page: of those of a key, the first one that can be pressed. */
export function Shortcuts({ keys }: ShortcutsProps) {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.isComposing) return;
      const held = [event.altKey && "Alt", (event.ctrlKey || event.metaKey) && "Mod"].filter(Boolean);
      if (!held.length && isTyping(event.target)) return; // a character of a text
      const buttons = (keys[[...held, event.key].join("+")] ?? []).map((id) => document.getElementById(id));
      const button = buttons.find((found) => found instanceof HTMLButtonElement && !found.disabled);
      if (button) {
        event.preventDefault();
        button.click();
      }
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, [keys]);
  return null;
}
