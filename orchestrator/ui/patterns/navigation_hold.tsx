// While the studio is out of reach, its links stay here: the browser would show an error page in place of the work.
import { useEffect, useState } from "react";

export function NavigationHold() {
  const [held, setHeld] = useState(false);
  useEffect(() => {
    const hold = (event: MouseEvent) => {
      const link = (event.target as Element | null)?.closest?.("a[href]");
      if (!(link instanceof HTMLAnchorElement) || link.origin !== window.location.origin || link.target === "_blank") return;
      if (link.hash && link.pathname === window.location.pathname) return;
      event.preventDefault();
      event.stopPropagation();
      setHeld(true);
    };
    document.addEventListener("click", hold, true);
    return () => document.removeEventListener("click", hold, true);
  }, []);
  return held ? <span data-navigation-held>Links work again once the connection is back. </span> : null;
}
