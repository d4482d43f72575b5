// Reports to the server when this tab of the browser is hidden and when it is visible again.
import { useEffect, useRef } from "react";

export function PageVisibility({ onChange }: { onChange?: (visible: boolean) => void }) {
  const handler = useRef(onChange);
  handler.current = onChange;
  useEffect(() => {
    const report = () => handler.current?.(!document.hidden);
    document.addEventListener("visibilitychange", report);
    if (document.hidden) report();
    return () => document.removeEventListener("visibilitychange", report);
  }, []);
  return null;
}
