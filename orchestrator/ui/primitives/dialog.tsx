// Dialogs. The opener is whatever stands in `opener`: its click bubbles up here, so it may be any component.
import { useContext, type ReactNode } from "react";
import { DialogParts } from "./dialog_parts";
import type { PanelProps } from "./dialog_panel";
import { later, useOpenedOnce } from "./later";
import { useOpen } from "./open_state";

type Props = Omit<PanelProps, "open" | "change" | "restore"> & {
  open?: boolean;
  onOpenChange?: (open: boolean) => void;
  opener?: ReactNode;
};

const { Part: Panel, soon } = later(() => import("./dialog_panel"));

export function Dialog({ open, onOpenChange, opener, ...rest }: Props) {
  const state = useOpen(open, onOpenChange);
  const opened = useOpenedOnce(state.open);
  return (
    <>
      {opener && (
        <span className="contents" onClick={() => state.change(true)} {...soon}>
          {opener}
        </span>
      )}
      {opened && <Panel {...state} {...rest} />}
    </>
  );
}

/** Closes the dialog around it; wraps a button in a footer. */
export function DialogClose({ children }: { children?: ReactNode }) {
  const Radix = useContext(DialogParts);
  const content = <span className="contents">{children}</span>;
  return Radix ? <Radix.Close asChild>{content}</Radix.Close> : content;
}
