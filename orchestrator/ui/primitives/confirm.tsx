// Asks before something is destroyed: by name where it matters, with what depends on the thing.
import { type ReactNode } from "react";
import type { PanelProps } from "./confirm_panel";
import { later, useOpenedOnce } from "./later";
import { useOpen } from "./open_state";

type Props = Omit<PanelProps, "open" | "change" | "restore"> & {
  open?: boolean;
  onOpenChange?: (open: boolean) => void;
  opener?: ReactNode;
};

const { Part: Panel, soon } = later(() => import("./confirm_panel"));

export function Confirm({ open, onOpenChange, opener, ...rest }: Props) {
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
