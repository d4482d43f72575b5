// Tells the server when nobody looks at this tab and when somebody does again.
import { useEffect, useRef } from "react";

export function Seen({ onChange }: { onChange?: (seen: boolean) => void }) {
  const told = useRef(onChange);
  told.current = onChange;
  useEffect(() => {
    const tell = () => told.current?.(!document.hidden);
    document.addEventListener("visibilitychange", tell);
    if (document.hidden) tell();
    return () => document.removeEventListener("visibilitychange", tell);
  }, []);
  return null;
}
