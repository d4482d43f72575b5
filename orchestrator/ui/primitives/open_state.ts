// Whether a dialog is open, and where the focus goes back to.
import { useEffect, useRef, useState } from "react";

/** Open state that Python may hold (`open` given) or leave to the browser. */
export function useOpen(open: boolean | undefined, onOpenChange?: (open: boolean) => void) {
  const [own, setOwn] = useState(open ?? false);
  const before = useRef<HTMLElement | null>(null);
  useEffect(() => {
    if (open === undefined) return;
    if (open) before.current ??= document.activeElement as HTMLElement;
    setOwn(open);
  }, [open]);
  const change = (next: boolean) => {
    if (next) before.current = document.activeElement as HTMLElement;
    setOwn(next);
    onOpenChange?.(next);
  };
  const restore = (event: Event) => {
    event.preventDefault();
    before.current?.focus();
    before.current = null;
  };
  return { open: own, change, restore };
}
