// Parts that nobody needs before the first press (a dialog, a menu): their code stays out of a page's first load.
import { lazy, useRef, type ComponentType } from "react";

type Module<P> = { default: ComponentType<P> };

/** `Part` fetches its code when it is first drawn; spread `soon` on what opens it, and it is there before the press. */
export function later<P>(load: () => Promise<Module<P>>) {
  const fetch = () => {
    load().catch(() => undefined);
  };
  return { Part: lazy(load), soon: { onPointerEnter: fetch, onFocus: fetch } };
}

/** False until `open` was true once: what was never opened is never drawn, what closes may end its animation. */
export function useOpenedOnce(open: boolean): boolean {
  const once = useRef(false);
  once.current ||= open;
  return once.current;
}
