// What a dialog and a question have alike: an opener that may be any component (its click bubbles up here), and a panel
// whose code comes with the first opening.
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
  const { Part, soon } = later(load);
  return function Opened({ open, onOpenChange, opener, ...rest }: Props<P>) {
    const state = useOpen(open, onOpenChange);
    const once = useOpenedOnce(state.open);
    return (
      <>
        {opener && (
          <span className="contents" onClick={() => state.change(true)} {...soon}>
            {opener}
          </span>
        )}
        {once && <Part {...({ ...state, ...rest } as unknown as P)} />}
      </>
    );
  };
}
