// What dialogs and confirmations share: an opener that may be any component (its click bubbles up here), and a panel
// whose code is loaded with the first opening.
import type { ComponentType, ReactNode } from "react";
import { later, useOpenedOnce } from "./later";
import { useOpen } from "./open_state";

type Panel = { open: boolean; change: (open: boolean) => void; restore: (event: Event) => void };
type Props<P> = Omit<P, keyof Panel> & {
  open?: boolean;
  onOpenChange?: (open: boolean) => void;
  opener?: ReactNode;
};

export function opened<P extends Panel>(load: () => Promise<{ default: ComponentType<P> }>) {
  const { Part, preload } = later(load);
  return function Opened({ open, onOpenChange, opener, ...rest }: Props<P>) {
    const state = useOpen(open, onOpenChange);
    const once = useOpenedOnce(state.open);
    return (
      <>
        {opener && (
          <span className="contents" onClick={() => state.change(true)} {...preload}>
            {opener}
          </span>
        )}
        {once && <Part {...({ ...state, ...rest } as unknown as P)} />}
      </>
    );
  };
}
