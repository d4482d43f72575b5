// Parts that are not needed before the first press (a dialog, a menu): their code stays out of a page's first load.
import { Component, createElement as h, Fragment, lazy, Suspense, useRef, useState, type ComponentType, type ReactNode } from "react";
import { buttonClasses } from "./button";

type Module<P> = { default: ComponentType<P> };
type Openable = { open?: boolean; change?: (open: boolean) => void };

/** The code of a part did not arrive: the network was away, or a newer build has taken its place. */
class Unloaded extends Error {}

const WAITS_MS = [500, 1000, 2000, 4000]; // as long as a web server takes to start again

const IMPORTED = new RegExp("import\\(\\s*[\"'`]([^\"'`]+)");

/**
 * A browser that could not import a file once does not ask for it again while the page stands. So the file is fetched
 * first, which may fail as often as it likes, and lies in the browser's cache when it is imported.
 */
export async function bring<M>(load: () => Promise<M>): Promise<M> {
  const file = IMPORTED.exec(String(load))?.[1];
  if (file) {
    const answer = await fetch(new URL(file, import.meta.url));
    if (!answer.ok) throw new Error(`${file}: ${answer.status}`);
    await answer.arrayBuffer();
  }
  return load();
}

async function patiently<P>(load: () => Promise<Module<P>>): Promise<Module<P>> {
  for (const wait of WAITS_MS) {
    try {
      return await bring(load);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
  return bring(load).catch((reason) => Promise.reject(new Unloaded(String(reason))));
}

/**
 * `Part` fetches its code when it is first drawn, and draws `instead` meanwhile; spread `soon` on what opens it, and it
 * is there before the press.
 */
export function later<P extends object>(load: () => Promise<Module<P>>) {
  const fetch = () => {
    bring(load).catch(() => undefined);
  };
  let failed = false;
  const wanted = () =>
    lazy(() =>
      patiently(load).catch((reason) => {
        failed = true;
        throw reason;
      }),
    );
  let Lazy = wanted();
  const afresh = () => {
    if (failed) Lazy = wanted(); // a lazy component remembers its failure for ever, so another try takes another one
    failed = false;
    return 0;
  };
  function Part({ instead, ...given }: P & { instead?: ReactNode }) {
    const props = given as unknown as P;
    const [tries, setTries] = useState(afresh);
    const { open = true, change } = props as Openable;
    const again = () => {
      afresh();
      change?.(true);
      setTries(tries + 1);
    };
    const close = () => change?.(false);
    // The waiting is done inside the guard: what waits before it was ever drawn loses its state.
    const part = h(Suspense, { fallback: instead }, h(Lazy as unknown as ComponentType<P>, props));
    return h(Guard, { key: tries, again, close, open, instead, often: tries > 0 }, part);
  }
  return { Part, soon: { onPointerEnter: fetch, onFocus: fetch } };
}

type Guarded = { again: () => void; close: () => void; open: boolean; instead?: ReactNode; often: boolean; children?: ReactNode };

/** Says that a part is missing and offers another try; what else may break goes on to the page's own boundary. */
class Guard extends Component<Guarded, { error: unknown }> {
  state = { error: null as unknown };

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  componentDidCatch(error: unknown) {
    if (error instanceof Unloaded) this.props.close();
  }

  componentDidUpdate(before: Guarded) {
    // Who presses the opener once more has asked for another try, too.
    if (this.state.error && this.props.open && !before.open) this.props.again();
  }

  render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    if (!(error instanceof Unloaded)) throw error;
    const { again, instead, often } = this.props;
    const way = often
      ? h("button", { type: "button", className: buttonClasses({ size: "sm" }), onClick: () => window.location.reload() }, "Reload the page")
      : null;
    const told = h(
      "div",
      {
        role: "alert",
        className:
          "fixed inset-x-4 bottom-4 z-50 mx-auto flex max-w-md flex-wrap items-center gap-3 rounded-xl border border-border bg-popover p-4 text-sm text-popover-foreground shadow-lg",
      },
      h("p", { className: "min-w-0 flex-1" }, "This part could not be loaded. Check the connection, then try again."),
      h("button", { type: "button", className: buttonClasses({ size: "sm" }), onClick: again }, "Try again"),
      way,
    );
    return h(Fragment, null, instead, told);
  }
}

/** False until `open` was true once: what was never opened is never drawn, what closes may end its animation. */
export function useOpenedOnce(open: boolean): boolean {
  const once = useRef(false);
  once.current ||= open;
  return once.current;
}
