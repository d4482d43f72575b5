// Dialogs, and what closes the one around it.
import { useContext, type ReactNode } from "react";
import { DialogParts } from "./dialog_parts";
import { opened } from "./opened";

export const Dialog = opened(() => import("./dialog_panel"));

/** Closes the dialog around it; wraps a button in a footer. */
export function DialogClose({ children }: { children?: ReactNode }) {
  const Radix = useContext(DialogParts);
  const content = <span className="contents">{children}</span>;
  return Radix ? <Radix.Close asChild>{content}</Radix.Close> : content;
}
