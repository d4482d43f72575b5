// The switch between the system's theme, light and dark. Alone in its file: the login page has it without the shell.
import { Monitor, Moon, Sun } from "lucide-react";
import { useContext, useEffect, useState } from "react";
import { ColorModeContext } from "$/utils/context";
import { cn } from "../primitives/cn";

export const squareButton =
  "inline-flex size-9 shrink-0 cursor-pointer items-center justify-center rounded-lg border border-transparent text-muted-foreground transition-colors focus-ring hover:bg-muted hover:text-foreground tap";

const order = ["system", "light", "dark"] as const;
const faces = {
  system: { icon: Monitor, word: "as the system" },
  light: { icon: Sun, word: "light" },
  dark: { icon: Moon, word: "dark" },
};

export function ThemeToggle({ className }: { className?: string }) {
  const { rawColorMode, setColorMode } = useContext(ColorModeContext);
  const [ready, setReady] = useState(false);
  useEffect(() => setReady(true), []);
  // The stored choice is unknown while prerendering: show the same face until the page is alive.
  const mode = ready && rawColorMode in faces ? (rawColorMode as keyof typeof faces) : "system";
  const next = order[(order.indexOf(mode) + 1) % order.length];
  const Icon = faces[mode].icon;
  const label = `Theme: ${faces[mode].word}. Switch to ${faces[next].word}`;
  return (
    <button type="button" aria-label={label} title={label} onClick={() => setColorMode(next)} className={cn(squareButton, className)}>
      <Icon aria-hidden className="size-4" />
    </button>
  );
}
