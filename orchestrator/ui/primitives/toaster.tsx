// Where toasts appear. Their code comes with the first one: most visits to a page never show any.
import { useEffect, useRef, useState } from "react";
import { refs } from "$/utils/state";
import { prefetchThenImport } from "./later";

const load = () => import("sonner");
type Sonner = Awaited<ReturnType<typeof load>>;
type Show = (sonner: Sonner) => void;

const kinds = ["success", "error", "warning", "info", "message", "loading", "dismiss"] as const;

export function Toaster() {
  const [sonner, setSonner] = useState<Sonner | null>(null);
  const waiting = useRef<Show[]>([]);

  useEffect(() => {
    const later = (show: Show) => {
      waiting.current.push(show);
      // A fresh object each time, so that the effect below runs for every toast.
      prefetchThenImport(load).then((parts) => setSonner({ ...parts }), () => undefined);
    };
    // What Reflex's toast events call: a function with one more for each kind.
    const toast = (...args: Parameters<Sonner["toast"]>) => later((parts) => parts.toast(...args));
    for (const kind of kinds) {
      Object.assign(toast, { [kind]: (...args: unknown[]) => later((parts) => (parts.toast[kind] as (...given: unknown[]) => void)(...args)) });
    }
    (refs as Record<string, unknown>)["__toast"] = toast;
  }, []);

  // The list of toasts below has begun to listen when this runs: effects of children come first.
  useEffect(() => {
    if (sonner) waiting.current.splice(0).forEach((show) => show(sonner));
  }, [sonner]);

  return sonner && <sonner.Toaster position="bottom-right" richColors={false} closeButton expand={false} />;
}
