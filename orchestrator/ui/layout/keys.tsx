// Opens the list of keyboard shortcuts: with "?" outside of text fields, and from the account menu. Goes to pages by "g" and a letter.
import { useEffect, useRef } from "react";
import { useNavigate } from "react-router";
import { later, useOpenedOnce } from "../primitives/later";
import { useOpen } from "../primitives/open_state";
import type { Group } from "./keys_panel";

const { Part: Panel } = later(() => import("./keys_panel"));
const PAUSE_MS = 1000;

/** Dispatched on `window` to open the list. */
export const SHOW = "loreel:shortcuts";

type Props = { groups: Group[]; pages: Record<string, string> };

const isTyping = (target: EventTarget | null) =>
  target instanceof HTMLElement && (target.isContentEditable || target.matches("input:not([type=checkbox]):not([type=radio]), textarea, select"));

export function Keys({ groups, pages }: Props) {
  const state = useOpen(undefined);
  const opened = useOpenedOnce(state.open);
  const navigate = useNavigate();
  const began = useRef(0);
  const { change } = state;
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || isTyping(event.target)) return;
      if (document.querySelector("[role=dialog][data-state=open], [role=alertdialog], [role=menu]")) return;
      const afterG = event.timeStamp - began.current < PAUSE_MS;
      began.current = event.key === "g" ? event.timeStamp : -PAUSE_MS;
      if (event.key === "?") {
        event.preventDefault();
        change(true);
      } else if (afterG && pages[event.key]) {
        event.preventDefault();
        navigate(pages[event.key]);
      }
    };
    const show = () => change(true);
    document.addEventListener("keydown", press);
    window.addEventListener(SHOW, show);
    return () => {
      document.removeEventListener("keydown", press);
      window.removeEventListener(SHOW, show);
    };
  }, [change, navigate, pages]);
  return opened ? <Panel {...state} groups={groups} /> : null;
}
