// Parts that are not needed before the first press (a dialog, a menu): their code stays out of a page's first load.
import { Component, createElement as h, Fragment, lazy, Suspense, useRef, useState, type ComponentType, type ReactNode } from "react";
import { buttonClasses } from "./button";

type Module<P> = { default: ComponentType<P> };
type Openable = { open?: boolean; change?: (open: boolean) => void };

/** The code of a part could not be loaded: the network is down, or a newer build has replaced the file. */
class Unloaded extends Error {}

const WAITS_MS = [500, 1000, 2000, 4000]; // about as long as a web server takes to restart

const IMPORTED = new RegExp("import\\(\\s*[\"'`]([^\"'`]+)");

/**
 * Fetches a file before it is imported. A browser remembers a failed import until the page is reloaded, but a failed
 * fetch can be repeated; afterwards the import is served from the browser's cache.
 */
export async function prefetchThenImport<M>(load: () => Promise<M>): Promise<M> {
  const file = IMPORTED.exec(String(load))?.[1];
  if (file) {
    const answer = await fetch(new URL(file, import.meta.url));
    if (!answer.ok) throw new Error(`${file}: ${answer.status}`);
    await answer.arrayBuffer();
  }
  return load();
}

async function importWithRetries<P>(load: () => Promise<Module<P>>): Promise<Module<P>> {
  for (const wait of WAITS_MS) {
    try {
      return await prefetchThenImport(load);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
  return prefetchThenImport(load).catch((reason) => Promise.reject(new Unloaded(String(reason))));
}

/**
 * A component whose code is loaded when it is first rendered; it renders `fallback` meanwhile. Spread `preload` on the
 * element that opens it: the code is then fetched when the pointer or the focus reaches that element.
 */
export function later<P extends object>(load: () => Promise<Module<P>>) {
  const fetch = () => {
    prefetchThenImport(load).catch(() => undefined);
  };
  let failed = false;
  const makeLazy = () =>
    lazy(() =>
      importWithRetries(load).catch((reason) => {
        failed = true;
        throw reason;
      }),
    );
  let Lazy = makeLazy();
  const replaceIfFailed = () => {
    if (failed) Lazy = makeLazy(); // a lazy component never retries, so another attempt needs a new one
    failed = false;
    return 0;
  };
  function Part({ fallback, ...given }: P & { fallback?: ReactNode }) {
    const props = given as unknown as P;
    const [tries, setTries] = useState(replaceIfFailed);
    const { open = true, change } = props as Openable;
    const retry = () => {
      replaceIfFailed();
      change?.(true);
      setTries(tries + 1);
    };
    const close = () => change?.(false);
    // Suspense is inside the boundary: a component that suspends before its first render loses its state.
    const part = h(Suspense, { fallback }, h(Lazy as unknown as ComponentType<P>, props));
    return h(LoadBoundary, { key: tries, retry, close, open, fallback, failedAgain: tries > 0 }, part);
  }
  return { Part, preload: { onPointerEnter: fetch, onFocus: fetch } };
}

type BoundaryProps = { retry: () => void; close: () => void; open: boolean; fallback?: ReactNode; failedAgain: boolean; children?: ReactNode };

/** Shows that a part could not be loaded, and a button to retry; other errors go to the page's own boundary. */
class LoadBoundary extends Component<BoundaryProps, { error: unknown }> {
  state = { error: null as unknown };

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  componentDidCatch(error: unknown) {
    if (error instanceof Unloaded) this.props.close();
  }

  componentDidUpdate(before: BoundaryProps) {
    // Pressing the opener once more is another attempt, too.
    if (this.state.error && this.props.open && !before.open) this.props.retry();
  }

  render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    if (!(error instanceof Unloaded)) throw error;
    const { retry, fallback, failedAgain } = this.props;
    const reload = failedAgain
      ? h("button", { type: "button", className: buttonClasses({ size: "sm" }), onClick: () => window.location.reload() }, "Reload the page")
      : null;
    const message = h(
      "div",
      {
        role: "alert",
        className:
          "fixed inset-x-4 bottom-4 z-50 mx-auto flex max-w-md flex-wrap items-center gap-3 rounded-xl border border-border bg-popover p-4 text-sm text-popover-foreground shadow-lg",
      },
      h("p", { className: "min-w-0 flex-1" }, "This part could not be loaded. Check the connection, then try again."),
      h("button", { type: "button", className: buttonClasses({ size: "sm" }), onClick: retry }, "Try again"),
      reload,
    );
    return h(Fragment, null, fallback, message);
  }
}

/** False until `open` was true once: what was never opened is not rendered, what closes can finish its animation. */
export function useOpenedOnce(open: boolean): boolean {
  const once = useRef(false);
  once.current ||= open;
  return once.current;
}
