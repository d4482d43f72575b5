// Parts that nobody needs before the first press (a dialog, a menu): their code stays out of a page's first load.
import { Component, createElement as h, lazy, useRef, useState, type ComponentType, type ReactNode } from "react";
import { buttonClasses } from "./button";

type Module<P> = { default: ComponentType<P> };

/** The code of a part did not arrive: the network was away, or a newer build has taken its place. */
class Unloaded extends Error {}

/** `Part` fetches its code when it is first drawn; spread `soon` on what opens it, and it is there before the press. */
export function later<P extends object>(load: () => Promise<Module<P>>) {
  const fetch = () => {
    load().catch(() => undefined);
  };
  const wanted = () => lazy(() => load().catch((reason) => Promise.reject(new Unloaded(String(reason)))));
  let Lazy = wanted(); // a lazy component remembers its failure for ever, so another try takes another one
  function Part(props: P) {
    const [tries, setTries] = useState(0);
    const again = () => {
      Lazy = wanted();
      setTries(tries + 1);
    };
    return h(Guard, { key: tries, again, often: tries > 0 }, h(Lazy as unknown as ComponentType<P>, props));
  }
  return { Part, soon: { onPointerEnter: fetch, onFocus: fetch } };
}

type Guarded = { again: () => void; often: boolean; children?: ReactNode };

/** Says that a part is missing and offers another try; what else may break goes on to the page's own boundary. */
class Guard extends Component<Guarded, { error: unknown }> {
  state = { error: null as unknown };

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    if (!(error instanceof Unloaded)) throw error;
    const { again, often } = this.props;
    const way = often
      ? h("button", { type: "button", className: buttonClasses({ size: "sm" }), onClick: () => window.location.reload() }, "Reload the page")
      : null;
    return h(
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
  }
}

/** False until `open` was true once: what was never opened is never drawn, what closes may end its animation. */
export function useOpenedOnce(open: boolean): boolean {
  const once = useRef(false);
  once.current ||= open;
  return once.current;
}
